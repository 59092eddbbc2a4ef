import t from 'tap'
import * as Y from 'yjs'
import { clientIdOf } from '../../src/fleet/client-id.ts'
import { priceKey, stateKey, type Entry } from '../../src/fleet/entries.ts'
import { MAX_UPDATE_BYTES } from '../../src/wire/fleet.ts'
import type { Address } from '../../src/wire/shapes.ts'
import { codec, INVENTORY, memberSigner } from '../support/fleets.ts'
import { T0, testSigner } from '../support/records.ts'

const [mine, other] = [memberSigner(1).address, memberSigner(2).address]
const content = {
  inventory: { at: T0, value: INVENTORY },
  entries: new Map<string, Entry>([['price', { at: T0, value: 8000 }], [priceKey(other), { at: T0, value: null }], [stateKey(other), { at: T0, value: 'drain' }]])
}
/** What a program that does not keep to the page may write. */
const written = (write: (doc: Y.Doc, map: Y.Map<unknown>) => void, options: { client?: number, root?: string } = {}): Uint8Array => {
  const doc = new Y.Doc()
  doc.clientID = options.client ?? clientIdOf(mine)
  const map = doc.getMap<unknown>(options.root ?? mine)
  doc.transact(() => { write(doc, map) })
  return Y.encodeStateAsUpdate(doc)
}

t.test('content goes to its one update and back, and lies in the map of its member', async (t) => {
  const update = codec.encode(mine, content)
  t.strictSame(codec.decode(mine, update), content)
  t.strictSame(codec.encode(mine, { inventory: content.inventory, entries: new Map([...content.entries].reverse()) }), update, 'in whatever order it was written')
  const doc = new Y.Doc()
  Y.applyUpdate(doc, codec.encodeDocument([[mine, content], [other, { entries: new Map() }]]))
  t.same(doc.getMap(mine).get('price'), { at: T0, value: 8000 })
  t.same(doc.getMap(mine).get('inventory'), content.inventory)
})

t.test('an update of any other form is refused, whatever Yjs would make of it', async (t) => {
  const price = { at: T0, value: 8000 }
  const good = written((_, map) => { map.set('price', price) })
  t.ok(codec.decode(mine, good), 'the form that is taken')
  const base = new Y.Doc()
  Y.applyUpdate(base, good)
  const later = (change: (map: Y.Map<unknown>) => void): Uint8Array => {
    const before = Y.encodeStateVector(base)
    base.clientID = clientIdOf(mine)
    change(base.getMap(mine))
    return Y.encodeStateAsUpdate(base, before)
  }
  const onlyDeletes = (() => {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, good)
    const before = Y.encodeStateVector(doc)
    doc.getMap(mine).delete('price')
    return Y.encodeStateAsUpdate(doc, before)
  })()
  const cases: ReadonlyArray<[string, Uint8Array]> = [
    ['no update', new Uint8Array([1, 2, 3])],
    ['nothing', new Uint8Array(0)],
    ['a claim of 30 million structs', new Uint8Array([1, 0x80, 0x87, 0xa7, 0x0e, 1, 0])],
    ['a struct that takes up 2^40 clocks', new Uint8Array([1, 1, 1, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0])],
    ['a forged delete, as short as they come', onlyDeletes],
    ['a foreign client id', written((_, map) => { map.set('price', price) }, { client: clientIdOf(other) })],
    ['another member\'s map', written((_, map) => { map.set('price', price) }, { root: other })],
    ['a gap: what follows without what it follows', later((map) => { map.set('price', { at: T0, value: 9000 }) })],
    ['a history instead of a state', written((_, map) => { map.set('price', price); map.set('price', price) })],
    ['a deleted item', written((_, map) => { map.set('price', price); map.delete('price') })],
    ['keys in another order', written((_, map) => { map.set(stateKey(other), { at: T0, value: 'open' }); map.set('price', price) })],
    ['a nested type', written((_, map) => { map.set('price', new Y.Map()) })],
    ['a nested document', written((_, map) => { map.set('price', new Y.Doc()) })],
    ['text', written((doc) => { doc.getText('text').insert(0, 'price') })],
    ['bytes', written((_, map) => { map.set('price', new Uint8Array(8)) })],
    ['a client without structs', new Uint8Array([2, 0, 5, 0, ...good.slice(1)])],
    ['a trailing byte', new Uint8Array([...good, 0])],
    ['an unknown key', written((_, map) => { map.set('wallet', price) })],
    ['a key of no address', written((_, map) => { map.set('state/all', { at: T0, value: 'drain' }) })],
    ['a price that is none', written((_, map) => { map.set('price', { at: T0, value: 0.5 }) })],
    ['a price of nothing', written((_, map) => { map.set('price', { at: T0, value: 0 }) })],
    ['an unknown state', written((_, map) => { map.set(stateKey(other), { at: T0, value: 'gone' }) })],
    ['a field too many', written((_, map) => { map.set('price', { at: T0, value: 8000, by: other }) })],
    ['fields in another order', written((_, map) => { map.set('price', { value: 8000, at: T0 }) })],
    ['an inventory of another shape', written((_, map) => { map.set('inventory', { at: T0, value: { ...INVENTORY, openDeals: -1 } }) })],
    ['a time before 1970', written((_, map) => { map.set('price', { at: -1, value: 8000 }) })],
    ['257 items', written((_, map) => { for (let index = 0; index < 257; index++) map.set(`price/${testSigner(index).address}`, price) })]
  ]
  for (const [name, update] of cases) t.throws(() => codec.decode(mine, update), { code: 'FLEET_PART' }, name)
})

t.test('the fullest part that an honest member can have fits', async (t) => {
  const units = Array.from({ length: 64 }, (_, index) => ({ name: `unit-${index}`.padEnd(64, 'x'), total: { cpuMilli: 1_000_000, memoryMiB: 16_777_216, diskMiB: 1_073_741_824 }, free: { cpuMilli: 999_999, memoryMiB: 16_777_215, diskMiB: 1_073_741_823 } }))
  const members = Array.from({ length: 64 }, (_, index): Address => testSigner(index).address)
  const full = {
    inventory: { at: T0, value: { ...INVENTORY, roles: Array.from({ length: 16 }, () => 'r'.repeat(32)), units } },
    entries: new Map<string, Entry>([['price', { at: T0, value: 1_000_000 }], ...members.flatMap((operator): Array<[string, Entry]> => [[priceKey(operator), { at: T0, value: 1_000_000 }], [stateKey(operator), { at: T0, value: 'cordon' }]])])
  }
  const update = codec.encode(mine, full)
  t.ok(update.length < MAX_UPDATE_BYTES, `${update.length} bytes`)
  t.strictSame(codec.decode(mine, update), full)
})
