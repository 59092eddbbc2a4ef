import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { createManualClock } from '../../src/core/clock.ts'
import { PRICE_KEY, priceKey, stateKey, type Entry } from '../../src/fleet/entries.ts'
import { FLEET } from '../../src/fleet/options.ts'
import { decodePart, encodePart } from '../../src/wire/fleet.ts'
import { cardOf, INVENTORY, meet, memberSigner, openMember, owner, partOf, rosterOf, tell, type TestMember } from '../support/fleets.ts'
import { T0 } from '../support/records.ts'

const roster = rosterOf([1, 2, 3].map((n) => cardOf(n)))
const [one, two] = [1, 2].map((n) => memberSigner(n).address) as [`0x${string}`, `0x${string}`]
const values = (member: TestMember): Record<string, unknown> => Object.fromEntries([...member.shared()].map(([key, { value }]) => [key, value]).sort())
const yjsOf = (member: TestMember): unknown => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, member.encodeState())
  return [1, 2, 3].map((n) => doc.getMap(memberSigner(n).address).toJSON())
}
const price = (value: number, at = T0): { entries: Map<string, Entry> } => ({ entries: new Map([[PRICE_KEY, { at, value }]]) })

t.test('edits of any member reach all, and those made apart merge', async (t) => {
  const members = await Promise.all([1, 2, 3].map(async (n) => await openMember(n, roster)))
  const [a, b, c] = members as [TestMember, TestMember, TestMember]
  await a.edit(new Map([[PRICE_KEY, 8000]]))
  await b.edit(new Map([[stateKey(one), 'drain']]))
  await c.describe(INVENTORY)
  await meet(members)
  for (const member of members) {
    t.same(values(member), { price: 8000, [stateKey(one)]: 'drain' })
    t.same(member.part(memberSigner(3).address)?.content.inventory?.value, INVENTORY)
    t.same(yjsOf(member), yjsOf(a), 'one Yjs document')
  }
})

t.test('who has seen an entry replaces it, also with a clock that is behind', async (t) => {
  const [a, b] = await Promise.all([openMember(1, roster), openMember(2, roster, { clock: createManualClock(T0 - 20_000) })])
  await a.edit(new Map([[PRICE_KEY, 8000]]))
  await tell(a, b)
  await b.edit(new Map([[PRICE_KEY, 9000]]))
  await tell(b, a)
  t.same([values(a), values(b)], [{ price: 9000 }, { price: 9000 }])
})

t.test('any order, repetition, loss, restarts and partitions: members that have met are equal', async (t) => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('price' as const), who: fc.nat(2), value: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant('state' as const), who: fc.nat(2), value: fc.nat(2) }),
    fc.record({ do: fc.constant('tell' as const), who: fc.nat(2), value: fc.nat(2) }),
    fc.record({ do: fc.constant('replay' as const), who: fc.nat(2), value: fc.nat(50) }),
    fc.record({ do: fc.constant('describe' as const), who: fc.nat(2), value: fc.nat(5) }),
    fc.record({ do: fc.constant('restart' as const), who: fc.nat(2), value: fc.constant(0) }),
    fc.record({ do: fc.constant('lose disk' as const), who: fc.nat(2), value: fc.constant(0) }),
    fc.record({ do: fc.constant('wait' as const), who: fc.nat(2), value: fc.nat(3) })
  )
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    const clocks = [0, -5_000, 9_000].map((skew) => createManualClock(T0 + skew))
    const members = await Promise.all([1, 2, 3].map(async (n, at) => await openMember(n, roster, { clock: clocks[at] as (typeof clocks)[0] })))
    const seen: Uint8Array[] = []
    for (const { do: action, who, value } of steps) {
      const member = members[who] as TestMember
      if (action === 'price') await member.edit(new Map([[value > 3 ? PRICE_KEY : priceKey(one), value * 1000]]))
      else if (action === 'state') await member.edit(new Map([[stateKey(two), (['open', 'cordon', 'drain'] as const)[value] ?? 'open']]))
      else if (action === 'describe') await member.describe({ ...INVENTORY, openDeals: value })
      else if (action === 'tell') await tell(member, members[value] as TestMember)
      else if (action === 'replay') { if (seen.length > 0) await member.take([seen[value % seen.length] as Uint8Array]) }
      else if (action === 'wait') clocks[who]?.advance(value)
      else members[who] = await openMember(who + 1, roster, { clock: clocks[who] as (typeof clocks)[0], ...(action === 'restart' ? { data: member.data } : {}) })
      seen.push(...(members[who] as TestMember).lackedBy([], Infinity))
    }
    await meet(members)
    const [first] = members as [TestMember]
    for (const member of members) {
      t.strictSame(values(member), values(first))
      t.strictSame(member.marks(), first.marks())
      t.strictSame(yjsOf(member), yjsOf(first))
    }
  }), { numRuns: 60, seed: 1 })
})

t.test('a member that signs two parts of one seq makes nobody differ', async (t) => {
  const thief = memberSigner(3)
  const [left, right] = [partOf(thief, price(8000)), partOf(thief, price(9000))]
  const [a, b] = await Promise.all([openMember(1, roster), openMember(2, roster)])
  await a.take([left])
  await b.take([right])
  t.not(a.shared().get(PRICE_KEY)?.value, b.shared().get(PRICE_KEY)?.value)
  await meet([a, b])
  t.same(values(a), values(b))
  t.same(a.marks().find(({ operator }) => operator === thief.address), b.marks().find(({ operator }) => operator === thief.address))
})

t.test('forged, replayed, early and foreign parts change nothing', async (t) => {
  const a = await openMember(1, roster)
  const good = partOf(memberSigner(2), price(8000), { seq: T0 + 1 })
  await a.take([good])
  const before = a.marks()
  const { signature: _, ...part } = decodePart(good)
  const refused: ReadonlyArray<[string, Uint8Array]> = [
    ['by another member', partOf(memberSigner(3), price(9000), { operator: two, seq: T0 + 2 })],
    ['by nobody', encodePart({ ...part, seq: T0 + 2, signature: `0x${'0'.repeat(128)}` })],
    ['by its operator, for another fleet', partOf(memberSigner(2), price(9000), { seq: T0 + 2, account: memberSigner(1).address })],
    ['with a changed update', encodePart({ ...decodePart(good), seq: T0 + 1, update: decodePart(partOf(memberSigner(2), price(9000))).update, signature: decodePart(good).signature })],
    ['an update that is none', partOf(memberSigner(2), new Uint8Array([1]), { seq: T0 + 2 })]
  ]
  for (const [name, bytes] of refused) {
    // A changed part has another id, and may so be older than the one that is held.
    const taken = await a.take([bytes]).catch((error: { code: string }) => error.code)
    t.ok(taken === 'FLEET_PART' || (name === 'with a changed update' && taken === 0), `${name}: ${String(taken)}`)
  }
  await t.rejects(a.take([new Uint8Array(40_000)]), { code: 'WIRE_TOO_LARGE' })
  await t.rejects(a.take([new Uint8Array(0)]), { code: 'WIRE_MALFORMED' })
  const ignored: ReadonlyArray<[string, Uint8Array]> = [
    ['again', good],
    ['an older one', partOf(memberSigner(2), price(7000), { seq: T0 })],
    ['from the future', partOf(memberSigner(2), price(7000), { seq: T0 + FLEET.skewMs + 1 })],
    ['an entry from the future', partOf(memberSigner(2), price(7000, T0 + FLEET.skewMs + 1), { seq: T0 + 3 })],
    ['of a stranger', partOf(memberSigner(9), price(7000))],
    ['of the owner, who is no member', partOf(owner, price(7000))]
  ]
  for (const [name, bytes] of ignored) t.equal(await a.take([bytes]), 0, name)
  t.same(a.marks(), before)
  t.same(values(a), { price: 8000 })
})

t.test('of many parts of one member in a message one is looked at', async (t) => {
  const a = await openMember(1, roster)
  const [good, spoilt] = [partOf(memberSigner(2), price(8000), { seq: T0 + 5 }), partOf(memberSigner(2), new Uint8Array([1]), { seq: T0 + 4 })]
  t.equal(await a.take([spoilt, good, spoilt, partOf(memberSigner(2), price(7000), { seq: T0 + 3 })]), 1)
  t.same(values(a), { price: 8000 })
})

t.test('what came before a bad part is kept', async (t) => {
  const a = await openMember(1, roster)
  await t.rejects(a.take([partOf(memberSigner(2), price(8000)), partOf(memberSigner(3), new Uint8Array([1]))]), { code: 'FLEET_PART' })
  t.same(values(a), { price: 8000 })
})

t.test('a member writes for others only what it may: no inventory but its own', async (t) => {
  const a = await openMember(1, roster)
  await a.describe(INVENTORY)
  await a.take([partOf(memberSigner(2), { entries: new Map([[stateKey(memberSigner(9).address), { at: T0, value: 'drain' as const }]]), inventory: { at: T0, value: { ...INVENTORY, openDeals: 9 } } })])
  t.equal(a.part(one)?.content.inventory?.value.openDeals, 1)
  t.same(values(a), {}, 'nor entries for nodes that are in no roster')
})

t.test('a setting outlives the member that made it, and the disk that held it', async (t) => {
  const [a, b] = await Promise.all([openMember(1, roster), openMember(2, roster)])
  await b.edit(new Map<string, number | 'cordon'>([[PRICE_KEY, 8000], [stateKey(two), 'cordon'], [stateKey(one), 'cordon']]))
  await tell(b, a)
  const fresh = await openMember(2, roster, { clock: createManualClock(T0 + 1000) })
  await fresh.describe(INVENTORY)
  await meet([fresh, a])
  t.same(values(fresh), { price: 8000, [stateKey(one)]: 'cordon', [stateKey(two)]: 'cordon' }, 'the disk')

  t.ok(await a.adopt(rosterOf([cardOf(1), cardOf(3)], { version: 2, seed: 2 })))
  t.same(values(a), { price: 8000, [stateKey(one)]: 'cordon' }, 'the member; what was asked of it is gone with it')
  t.same(a.marks().map(({ operator }) => operator), [one])
  const c = await openMember(3, a.roster)
  await tell(a, c)
  t.same(values(c), { price: 8000, [stateKey(one)]: 'cordon' })
})

t.test('a node that lost its disk is heard again, also with a clock that is behind what it said before', async (t) => {
  const b = await openMember(2, roster)
  const before = await openMember(1, roster, { clock: createManualClock(T0 + 20_000) })
  await before.edit(new Map([[PRICE_KEY, 8000]]))
  await tell(before, b)
  const after = await openMember(1, roster)
  await after.describe({ ...INVENTORY, openDeals: 7 })
  await meet([after, b])
  t.equal(b.part(one)?.content.inventory?.value.openDeals, 7)
  t.same([values(after), values(b)], [{ price: 8000 }, { price: 8000 }])
})

t.test('a part holds what lives: nothing that was beaten, nothing of nodes that have left', async (t) => {
  const [a, b] = await Promise.all([openMember(1, roster), openMember(2, roster)])
  const three = memberSigner(3).address
  await a.edit(new Map<string, number | 'drain'>([[PRICE_KEY, 8000], [priceKey(one), 8000], [stateKey(three), 'drain']]))
  await tell(a, b)
  await b.edit(new Map([[PRICE_KEY, 9000]]))
  await tell(b, a)
  await a.adopt(rosterOf([cardOf(1), cardOf(2)], { version: 2, seed: 2 }))
  await a.describe(INVENTORY)
  t.same([...a.part(one)?.content.entries.keys() ?? []], [priceKey(one)])
  t.same(values(a), { price: 9000, [priceKey(one)]: 8000 })
})

t.test('a member that says things and unsays them does not make the others talk', async (t) => {
  const a = await openMember(1, roster)
  const news: boolean[] = []
  a.onChange((isNews) => { news.push(isNews) })
  await a.take([partOf(memberSigner(2), price(8000))])
  await a.take([partOf(memberSigner(2), { entries: new Map() }, { seq: T0 + 1 })])
  t.same(values(a), { price: 8000 }, 'it is taken over')
  t.same(news, [false, false], 'quietly')
  await a.edit(new Map([[PRICE_KEY, 9000]]))
  t.same(news, [false, false, true])
})

t.test('a removed member\'s parts do not count any more, old or new', async (t) => {
  const a = await openMember(1, roster)
  const old = partOf(memberSigner(3), price(7000))
  await a.take([old])
  await a.edit(new Map([[PRICE_KEY, 8000]]))
  await a.adopt(rosterOf([cardOf(1), cardOf(2)], { version: 2, seed: 2 }))
  t.equal(await a.take([old, partOf(memberSigner(3), price(9000, T0 + 10), { seq: T0 + 10 })]), 0)
  t.same(values(a), { price: 8000 })
})

t.test('only a newer roster of the same account that names this node is taken', async (t) => {
  const a = await openMember(1, rosterOf([cardOf(1), cardOf(2)], { version: 2 }))
  const key = a.key
  t.equal(await a.adopt(rosterOf([cardOf(1)], { version: 1 })), false, 'older')
  t.equal(await a.adopt(rosterOf([cardOf(2)], { version: 3 })), false, 'without us')
  t.equal(await a.adopt(rosterOf([cardOf(1)], { version: 3, signer: memberSigner(2) })), false, 'of another account')
  const forged = { ...rosterOf([cardOf(1)], { version: 3, signer: memberSigner(2) }), account: owner.address }
  await t.rejects(a.adopt(forged), { code: 'FLEET_ROSTER' }, 'of a member that would like to be the owner')
  t.equal(await a.adopt(rosterOf([{ ...cardOf(1), sealKey: cardOf(2).sealKey }], { version: 3 })), false, 'with a seal for another key, by a slip of the owner')
  t.same([a.roster.version, a.key], [2, key])
  const twins = [2, 3].map((seed) => rosterOf([cardOf(1)], { version: 3, seed }))
  for (const twin of [...twins, ...twins]) await a.adopt(twin)
  const b = await openMember(1, rosterOf([cardOf(1)], { version: 1 }))
  for (const twin of [...twins].reverse()) await b.adopt(twin)
  t.same(a.key, b.key, 'two of one version: the same one everywhere')
})

t.test('a restarted member has it all, and never says another thing under a seq it has used', async (t) => {
  const clock = createManualClock(T0)
  const a = await openMember(1, roster, { clock })
  await a.edit(new Map([[PRICE_KEY, 8000]]))
  await a.take([partOf(memberSigner(2), { entries: new Map(), inventory: { at: T0, value: INVENTORY } })])
  await a.adopt(rosterOf([cardOf(1), cardOf(2)], { version: 2, seed: 2 }))
  const again = await openMember(1, roster, { clock: createManualClock(T0 - 60_000), data: a.data })
  t.same([again.roster.version, values(again), again.marks()], [2, { price: 8000 }, a.marks()])
  const before = again.marks().find(({ operator }) => operator === one)?.seq ?? 0
  await again.edit(new Map([[PRICE_KEY, 9000]]))
  t.ok((again.marks().find(({ operator }) => operator === one)?.seq ?? 0) > before, 'although its clock went back a minute')
  t.equal(values(again)['price'], 9000)
})
