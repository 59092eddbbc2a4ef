import t, { type Test } from 'tap'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { openContent, sealContent } from '../../src/fleet/envelope.ts'
import { createFleet, type Fleet } from '../../src/fleet/fleet.ts'
import { FLEET } from '../../src/fleet/options.ts'
import { openRoster } from '../../src/fleet/roster.ts'
import { sealKeyOf } from '../../src/fleet/seal-key.ts'
import { decodeFleetMessage, encodeFleetMessage, FLEET_PROTOCOL, fleetRequestShape, type FleetContent, type FleetRequest } from '../../src/wire/fleet.ts'
import type { FleetRoster } from '../../src/wire/fleet-roster.ts'
import { cardOf, INVENTORY, memberSigner, partOf, rosterOf } from '../support/fleets.ts'
import { until } from '../support/lilynode.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import { createMemoryNetwork, type MemoryMesh, type MemoryNetwork } from '../support/memory-mesh.ts'
import { DOMAIN, T0 } from '../support/records.ts'

const roster = rosterOf([cardOf(1), cardOf(2)])
const random = createSeededRandom(7)
type Clock = ReturnType<typeof createManualClock>
interface Member { fleet: Fleet, clock: Clock, mesh: MemoryMesh & { tamper: unknown }, asked: string[], penalties: string[] }

async function start (t: Test, net: MemoryNetwork, n: number, nowMs = T0): Promise<Member> {
  const mesh = net.node(cardOf(n).peerId)
  const clock = createManualClock(nowMs)
  const [asked, penalties]: [string[], string[]] = [[], []]
  const requests: MemoryMesh['requests'] = { ...mesh.requests, request: async (peer, ...rest) => { asked.push(peer); return await mesh.requests.request(peer, ...rest) } }
  const { version, roles, units } = INVENTORY
  const fleet = createFleet({
    mesh: { peerId: mesh.peerId, peers: mesh.peers, onPeer: mesh.onPeer, requests, penalise: (_peer, points, reason) => { penalties.push(`${points} ${reason}`) } },
    datastore: createMemoryDatastore(), signer: memberSigner(n), clock, random, logger: silentLogger
  }, { domain: DOMAIN, facts: { version, roles, units, openDeals: 0, askBp: 9000 } })
  t.teardown(fleet.stop)
  await fleet.start()
  await fleet.use(roster)
  return { fleet, clock, mesh, asked, penalties }
}
const linkOf = ({ fleet }: Member, n: number): { atMs?: number, code?: string } | null => fleet.view().nodes[n - 1]?.link ?? null
const price = ({ fleet }: Member): number | null => fleet.view().priceBp

t.test('an edit is with connected members at once, without a clock that moves', async (t) => {
  const net = createMemoryNetwork(random)
  const [a, b] = [await start(t, net, 1), await start(t, net, 2)]
  net.connect(cardOf(1).peerId, cardOf(2).peerId)
  await until(() => linkOf(a, 2)?.atMs !== undefined && linkOf(b, 1)?.atMs !== undefined)
  await a.fleet.setPrice(undefined, 8000)
  await until(() => price(b) === 8000)
  await b.fleet.setState('node-1', 'drain')
  await until(() => !a.fleet.isOpen())
  t.same([a.penalties, b.penalties], [[], []])
})

t.test('a push that was lost is made up for', async (t) => {
  const net = createMemoryNetwork(random)
  const [a, b] = [await start(t, net, 1), await start(t, net, 2)]
  net.connect(cardOf(1).peerId, cardOf(2).peerId)
  await until(() => linkOf(a, 2)?.atMs !== undefined)
  b.mesh.tamper = () => { throw new Error('lost') }
  net.disconnect(cardOf(1).peerId, cardOf(2).peerId)
  await a.fleet.setPrice(undefined, 8000)
  await until(() => linkOf(a, 2)?.code !== undefined)
  t.equal(price(b), null)
  b.mesh.tamper = undefined
  net.connect(cardOf(1).peerId, cardOf(2).peerId)
  await until(() => price(b) === 8000 && linkOf(a, 2)?.code === undefined)
  t.pass('as soon as they meet')
})

t.test('a member that is away is asked less and less', async (t) => {
  const net = createMemoryNetwork(random)
  const a = await start(t, net, 1)
  await until(() => linkOf(a, 2)?.code === 'MESH_UNREACHABLE')
  for (let minute = 0; minute < 240; minute++) {
    a.clock.advance(60_000)
    await new Promise((resolve) => { setImmediate(resolve) })
  }
  t.ok(a.asked.length >= 24 && a.asked.length < 45, `${a.asked.length} times in four hours`)
})

t.test('a node whose clock is ahead is not taken, learns of it, and is once time has passed', async (t) => {
  const net = createMemoryNetwork(random)
  const [a, b] = [await start(t, net, 1), await start(t, net, 2, T0 + FLEET.skewMs + 5_000)]
  net.connect(cardOf(1).peerId, cardOf(2).peerId)
  await b.fleet.setPrice(undefined, 8000)
  await until(() => linkOf(b, 1)?.code === 'FLEET_NOT_TAKEN')
  t.equal(price(a), null)
  t.same(a.penalties, [], 'which is no fault')
  a.clock.advance(FLEET.skewMs)
  await until(() => price(a) === 8000)
  t.ok(a.asked.length < 40 && b.asked.length < 40, `${a.asked.length} and ${b.asked.length} requests`)
})

/** Member 2 as somebody who has its keys and keeps to no rule. */
function thief (net: MemoryNetwork, answer: (content: FleetContent) => FleetContent | Uint8Array): { asked: () => number } {
  const mesh = net.node(cardOf(2).peerId)
  const key = openRoster(roster, memberSigner(2).address, sealKeyOf(memberSigner(2)))
  let asked = 0
  mesh.requests.serve(FLEET_PROTOCOL, { maxBytes: 0, perPeerPerSecond: 0, concurrency: 0, timeoutMs: 0 }, async (payload, { peer }) => {
    asked++
    const request = decodeFleetMessage(fleetRequestShape, payload)
    if (request.type === 'roster') return encodeFleetMessage({ type: 'ok' })
    const head = { roster, asker: peer, answerer: mesh.peerId }
    const said = answer(openContent(key, { ...head, direction: 'ask' }, request.sealed))
    return said instanceof Uint8Array ? said : encodeFleetMessage({ type: 'exchange', sealed: sealContent({ random }, key, { ...head, direction: 'answer' }, said) })
  })
  return { asked: () => asked }
}
const otherKey = openRoster(rosterOf([cardOf(1), cardOf(2)], { seed: 5 }), memberSigner(2).address, sealKeyOf(memberSigner(2)))
const older: FleetRoster = rosterOf([cardOf(1), cardOf(2)], { version: 1, seed: 9, signer: memberSigner(2) })

t.test('a member that keeps to no rule changes nothing but its own part, and pays', async (t) => {
  const head = { roster, asker: cardOf(1).peerId, answerer: cardOf(2).peerId, direction: 'answer' as const }
  const cases: ReadonlyArray<[name: string, answer: (content: FleetContent) => FleetContent | Uint8Array, code: string, isFault: boolean]> = [
    ['garbage', () => new Uint8Array([0xff]), 'WIRE_MALFORMED', true],
    ['no answer to the question', () => encodeFleetMessage({ type: 'ok' }), 'FLEET_SEAL', false],
    ['another key', (content) => encodeFleetMessage({ type: 'exchange', sealed: sealContent({ random }, otherKey, head, content) }), 'FLEET_SEAL', false],
    ['a part in our name', (content) => ({ ...content, parts: [partOf(memberSigner(2), { entries: new Map([['price', { at: T0, value: 5000 }]]) }, { operator: memberSigner(1).address, seq: T0 + 1000 })] }), 'FLEET_PART', true],
    ['a part of no form', (content) => ({ ...content, parts: [partOf(memberSigner(2), new Uint8Array([0, 1, 1, 1, 0, 1]))] }), 'FLEET_PART', true],
    ['never satisfied', () => ({ have: [], parts: [] }), 'FLEET_NOT_TAKEN', false],
    ['a roster of its own', () => encodeFleetMessage({ type: 'roster', roster: { ...older, version: 9, account: roster.account } }), 'FLEET_ROSTER', true],
    ['an old roster, again and again', () => encodeFleetMessage({ type: 'roster', roster }), 'none', false]
  ]
  for (const [name, answer, code, isFault] of cases) {
    const net = createMemoryNetwork(random)
    const { asked } = thief(net, answer)
    const a = await start(t, net, 1)
    await a.fleet.setPrice(undefined, 8000)
    net.connect(cardOf(1).peerId, cardOf(2).peerId)
    await until(() => (linkOf(a, 2)?.code ?? 'MESH_UNREACHABLE') !== 'MESH_UNREACHABLE' || linkOf(a, 2)?.atMs !== undefined)
    t.equal(linkOf(a, 2)?.code ?? 'none', code, name)
    t.equal(a.penalties.length > 0, isFault, `${name}: ${a.penalties.join()}`)
    t.same([price(a), a.fleet.view().version], [8000, 1], name)
    t.ok(asked() <= 2 * FLEET.maxRounds, `${name}: ${asked()} requests`)
  }
})

t.test('a member that asks with a hostile part is refused and pays', async (t) => {
  const net = createMemoryNetwork(random)
  const a = await start(t, net, 1)
  const mesh = net.node(cardOf(2).peerId)
  net.connect(cardOf(2).peerId, cardOf(1).peerId)
  const key = openRoster(roster, memberSigner(2).address, sealKeyOf(memberSigner(2)))
  const request = (content: FleetContent): FleetRequest => ({ type: 'exchange', account: roster.account, version: 1, sealed: sealContent({ random }, key, { direction: 'ask', roster, asker: cardOf(2).peerId, answerer: cardOf(1).peerId }, content) })
  const ask = async (content: FleetContent): Promise<Uint8Array> => await mesh.requests.request(cardOf(1).peerId, FLEET_PROTOCOL, encodeFleetMessage(request(content)), { signal: AbortSignal.timeout(5000), maxBytes: 200_000 })
  const good = partOf(memberSigner(2), { entries: new Map([['price', { at: T0, value: 6000 }]]) })
  await t.rejects(ask({ have: [], parts: [good, partOf(memberSigner(2), new Uint8Array([1]), { seq: T0 + 1 })] }), { code: 'FLEET_PART' })
  t.match(a.penalties, [/^100 FLEET_PART/])
  t.equal(price(a), null)
  await ask({ have: [], parts: [good] })
  t.equal(price(a), 6000, 'what it may say is heard all the same')
})

t.test('a busy node tells what is free now and then, and its state at once', async (t) => {
  const net = createMemoryNetwork(random)
  const a = await start(t, net, 1)
  let [openDeals, askBp] = [0, 9000]
  const { version, roles, units } = INVENTORY
  a.fleet.reportBy(() => ({ version, roles, units, openDeals, askBp }))
  const shown = (): unknown => [a.fleet.view().nodes[0]?.inventory?.openDeals, a.fleet.view().nodes[0]?.inventory?.askBp]
  const seen = async (passMs: number): Promise<unknown> => {
    a.clock.advance(passMs)
    // Three turns of the event loop are more than signing and storing take here.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => { setImmediate(resolve) })
    return shown()
  }
  t.same(await seen(FLEET.gatherMs), [0, 9000])
  openDeals = 1
  a.fleet.touch()
  t.same(await seen(FLEET.gatherMs), [0, 9000], 'not yet')
  t.same(await seen(FLEET.inventoryMs - FLEET.gatherMs), [1, 9000], 'after a while')
  openDeals = 2
  askBp = 8000
  a.fleet.touch()
  t.same(await seen(FLEET.gatherMs), [2, 8000], 'with the price')
  openDeals = 3
  a.fleet.touch()
  t.same(await seen(FLEET.gatherMs), [2, 8000])
  askBp = 7000
  a.fleet.touch()
  t.same(await seen(FLEET.gatherMs), [3, 7000], 'also while the other waits')
  const stated = a.fleet.view().nodes[0]?.seenAtMs
  a.fleet.touch()
  await seen(FLEET.inventoryMs)
  t.equal(a.fleet.view().nodes[0]?.seenAtMs, stated, 'nothing new, nothing said')
  await seen(FLEET.restateMs)
  await until(async () => await seen(FLEET.gatherMs) !== undefined && a.fleet.view().nodes[0]?.seenAtMs !== stated)
  t.pass('but that it lives')
})
