import t from 'tap'
import * as Y from 'yjs'
import { createViewDocument, type ViewDocument } from '../../../src/api/view/document.ts'
import type { Put } from '../../../src/book/projection.ts'
import { createManualClock } from '../../../src/core/clock.ts'

const OPTIONS = { flushMs: 50, maxPerFlush: 10, minDead: 5, deadShare: 2 }
const EMPTY = Uint8Array.of(0)

interface Opened { document: ViewDocument, put: Put, clock: ReturnType<typeof createManualClock>, updates: Uint8Array[], worn: () => number, left: () => boolean }

function open (initial: number, options: Partial<typeof OPTIONS> = {}): Opened {
  const clock = createManualClock()
  const updates: Uint8Array[] = []
  let put: Put = () => undefined
  let worn = 0
  let left = false
  const document = createViewDocument({
    clock,
    fill: (given) => {
      put = given
      for (let n = 0; n < initial; n++) put('jobs', String(n), () => ({ n }))
      return () => { left = true }
    },
    onUpdate: (update) => updates.push(update),
    onWorn: () => { worn++ }
  }, { ...OPTIONS, ...options })
  return { document, put, clock, updates, worn: () => worn, left: () => left }
}

function copyOf (update: Uint8Array): Y.Doc {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return doc
}

t.test('what is there is written at once, in pieces when it is much', async (t) => {
  const small = open(10)
  let isWhole = false
  small.document.whenWhole(() => { isWhole = true })
  t.ok(isWhole)
  t.equal(copyOf(small.document.missing(EMPTY)).getMap('jobs').size, 10)

  const large = open(25)
  isWhole = false
  large.document.whenWhole(() => { isWhole = true })
  t.equal(copyOf(large.document.missing(EMPTY)).getMap('jobs').size, 10)
  t.notOk(isWhole)
  large.clock.advance(0)
  t.ok(isWhole)
  t.equal(copyOf(large.document.missing(EMPTY)).getMap('jobs').size, 25)
  t.equal(large.updates.length, 3, 'a transaction for each piece')
})

t.test('a burst is one transaction, and what comes and goes within it is never made', async (t) => {
  const { put, clock, updates } = open(0)
  for (let n = 0; n < 9; n++) put('jobs', String(n), () => ({ n }))
  put('jobs', 'brief', () => { throw new Error('was made') })
  put('jobs', 'brief')
  t.equal(updates.length, 0)
  clock.advance(OPTIONS.flushMs)
  t.equal(updates.length, 1)
  t.equal(copyOf(updates[0] as Uint8Array).getMap('jobs').size, 9, 'the update alone carries it')
})

t.test('a value that is put again changes its key', async (t) => {
  const { document, put, clock, updates } = open(1)
  const copy = copyOf(document.missing(EMPTY))
  const actions: string[] = []
  copy.getMap('jobs').observe(({ changes }) => { for (const [key, { action }] of changes.keys) actions.push(`${action} ${key}`) })
  updates.length = 0
  put('jobs', '0', () => ({ n: 'new' }))
  put('jobs', '1', () => ({ n: 1 }))
  clock.advance(OPTIONS.flushMs)
  put('jobs', '1')
  clock.advance(OPTIONS.flushMs)
  for (const update of updates) Y.applyUpdate(copy, update)
  t.strictSame(actions, ['update 0', 'add 1', 'delete 1'])
})

t.test('a copy gets what it lacks, and a malformed state vector throws', async (t) => {
  const { document, put, clock } = open(1)
  const copy = copyOf(document.missing(EMPTY))
  put('jobs', '1', () => ({ n: 1 }))
  clock.advance(OPTIONS.flushMs)
  const update = document.missing(Y.encodeStateVector(copy))
  t.ok(update.length < document.missing(EMPTY).length)
  Y.applyUpdate(copy, update)
  t.strictSame(copy.getMap('jobs').toJSON(), { 0: { n: 0 }, 1: { n: 1 } })
  t.equal(document.missing(EMPTY), document.missing(EMPTY), 'the whole is made once')
  t.throws(() => document.missing(Uint8Array.of(5, 1)))
  t.throws(() => document.missing(new Uint8Array(0)))
})

t.test('it is worn when what was replaced or deleted outweighs the living', async (t) => {
  const few = open(1)
  const many = open(5)
  for (const { put, clock } of [few, many]) {
    for (let n = 0; n < OPTIONS.minDead; n++) {
      put('jobs', '0', n % 2 === 0 ? undefined : () => n)
      clock.advance(OPTIONS.flushMs)
      put('jobs', '0', () => n)
      clock.advance(OPTIONS.flushMs)
    }
  }
  t.equal(few.worn() > 0, true)
  t.equal(many.worn(), 0, 'seven dead are not twice as many as four or five')
})

t.test('nothing is written after it is closed', async (t) => {
  const { document, put, clock, updates, left } = open(0)
  put('jobs', '0', () => 0)
  document.close()
  clock.advance(OPTIONS.flushMs)
  t.strictSame(updates, [])
  t.ok(left())
})
