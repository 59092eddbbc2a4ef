import t, { type Test } from 'tap'
import * as Y from 'yjs'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createSystemRandom } from '../../src/core/random.ts'
import { openContent } from '../../src/fleet/envelope.ts'
import { createFleet, type Fleet } from '../../src/fleet/fleet.ts'
import { openRoster, type MemberCard } from '../../src/fleet/roster.ts'
import { sealKeyOf } from '../../src/fleet/seal-key.ts'
import type { Mesh } from '../../src/mesh/mesh.ts'
import { decodeFleetMessage, encodeFleetMessage, fleetAnswerShape, FLEET_PROTOCOL, fleetRequestShape, type FleetRequest } from '../../src/wire/fleet.ts'
import type { FleetRoster } from '../../src/wire/fleet-roster.ts'
import { startNode, untilPeers, type TestNode } from '../mesh/nodes.ts'
import { cardOf, INVENTORY, memberSigner, owner, rosterOf } from '../support/fleets.ts'
import { until } from '../support/lilynode.ts'
import { DOMAIN } from '../support/records.ts'

t.setTimeout(120_000)

interface Member { n: number, fleet: Fleet, node: TestNode, card: MemberCard, sent: Uint8Array[], said: Uint8Array[] }

/** A fleet part over a node's real mesh that keeps the bytes it sends and gets. `peerId`: for a mesh that is down. */
function fleetOn (n: number, node: TestNode, peerId = node.mesh.peerId): Member {
  const [sent, said]: [Uint8Array[], Uint8Array[]] = [[], []]
  const { mesh } = node
  const requests: Mesh['requests'] = {
    ...mesh.requests,
    request: async (peer, protocol, payload, options) => {
      sent.push(payload)
      const answer = await mesh.requests.request(peer, protocol, payload, options)
      said.push(answer)
      return answer
    }
  }
  const { units, roles, version } = INVENTORY
  const components = { mesh: { requests, peerId, peers: mesh.peers, onPeer: mesh.onPeer, penalise: mesh.penalise }, datastore: node.datastore, signer: memberSigner(n), clock: createSystemClock(), random: createSystemRandom(), logger: silentLogger }
  const fleet = createFleet(components, { domain: DOMAIN, facts: { version, roles, units, openDeals: n, askBp: 9000 } })
  return { n, fleet, node, card: cardOf(n, peerId), sent, said }
}

/** Members 1 to `count` on nodes that know each other by way of a stranger only, with the stranger's node. */
async function setUp (t: Test, count: number): Promise<{ members: Member[], stranger: TestNode, roster: FleetRoster }> {
  const stranger = await startNode(t)
  const nodes = await Promise.all(Array.from({ length: count }, async () => await startNode(t, { bootstrap: stranger.mesh.addresses(), targetPeers: 1 })))
  await untilPeers(stranger.mesh, (peers) => peers.length >= count)
  const members = nodes.map((node, at) => fleetOn(at + 1, node))
  t.teardown(async () => { await Promise.all(members.map(async ({ fleet }) => { await fleet.stop() })) })
  return { members, stranger, roster: rosterOf(members.map(({ card }) => card)) }
}

const join = async (members: readonly Member[], roster: FleetRoster): Promise<void> => {
  for (const { fleet } of members) {
    await fleet.start()
    await fleet.use(roster)
  }
}
const wanted = ({ fleet }: Member, name: string): string | undefined => fleet.view().nodes.find((node) => node.name === name)?.wanted
const linkOf = ({ fleet }: Member, name: string): string | undefined => fleet.view().nodes.find((node) => node.name === name)?.link?.code
const refusal = async (mesh: Mesh, peer: string, request: FleetRequest | Uint8Array): Promise<string> => {
  const payload = request instanceof Uint8Array ? request : encodeFleetMessage(request)
  return await mesh.requests.request(peer, FLEET_PROTOCOL, payload, { signal: AbortSignal.timeout(5000), maxBytes: 200_000 }).then((answer) => `answered ${answer.length}`, (error: { code: string }) => error.code)
}

t.test('three nodes of one owner share a document over a network of strangers', async (t) => {
  const { members, stranger, roster } = await setUp(t, 3)
  const [a, b, c] = members as [Member, Member, Member]
  await join(members, roster)

  await t.test('an edit of any of them is with all, and obeyed', async (t) => {
    await a.fleet.setPrice(undefined, 8000)
    await b.fleet.setState('node-3', 'drain')
    await c.fleet.setPrice('node-1', 12_000)
    for (const member of members) await until(() => member.fleet.view().priceBp === 8000 && wanted(member, 'node-3') === 'drain' && member.fleet.view().nodes[0]?.priceBp === 12_000)
    t.same(members.map(({ fleet }) => [fleet.isOpen(), fleet.askBp()]), [[true, 12_000], [true, 8000], [false, 8000]])
    for (const member of members) await until(() => member.fleet.view().nodes.every(({ name, state }) => state === (name === 'node-3' ? 'draining' : 'open')))
    t.match(a.fleet.view().nodes.map(({ inventory }) => inventory?.openDeals), [1, 2, 3])
  })

  await t.test('what a node says of itself follows what it does', async (t) => {
    c.fleet.reportBy(() => ({ version: 'test', roles: [], units: [], openDeals: 0, askBp: 8000 }))
    await until(() => a.fleet.view().nodes[2]?.state === 'drained')
    await a.fleet.setState('node-3', 'open')
    await until(() => a.fleet.view().nodes[2]?.state === 'open' && c.fleet.isOpen())
    await b.fleet.setPrice('node-1', null)
    await until(() => a.fleet.askBp() === 8000)
    t.pass('taken back')
  })

  await t.test('it is one Yjs document', async (t) => {
    await until(() => Buffer.compare(a.fleet.encodeState(), b.fleet.encodeState()) === 0)
    const doc = new Y.Doc()
    Y.applyUpdate(doc, a.fleet.encodeState())
    t.same(members.map(({ card }) => doc.getMap(card.operator).has('inventory')), [true, true, true])
  })

  await t.test('nothing of it can be read on the way', async (t) => {
    const passed = members.flatMap(({ sent, said }) => [...sent, ...said]).map((bytes) => Buffer.from(bytes).toString('latin1')).filter((text) => !text.includes('members'))
    t.ok(passed.length > 6)
    for (const word of ['inventory', 'price', 'state/', 'gpu0', a.card.operator.slice(2)]) t.notOk(passed.some((text) => text.includes(word)), word)
    for (const member of members) t.notOk(passed.some((text) => text.includes(Buffer.from(member.card.operator.slice(2), 'hex').toString('latin1'))), 'nor who is in it')
  })

  await t.test('a stranger neither reads nor writes, also with a member\'s own words', async (t) => {
    const before = a.fleet.encodeState()
    const overheard = decodeFleetMessage(fleetRequestShape, b.sent.at(-1) as Uint8Array)
    t.equal(overheard.type, 'exchange')
    const peer = a.node.mesh.peerId
    t.equal(await refusal(stranger.mesh, peer, overheard), 'FLEET_REFUSED')
    t.equal(await refusal(stranger.mesh, peer, { type: 'exchange', account: owner.address, version: 9, sealed: new Uint8Array(64) }), 'FLEET_REFUSED')
    t.equal(await refusal(stranger.mesh, peer, { type: 'roster', roster: { ...rosterOf([a.card, cardOf(9, stranger.mesh.peerId)], { version: 9, signer: memberSigner(9) }), account: owner.address } }), 'FLEET_ROSTER')
    t.equal(await refusal(stranger.mesh, peer, new Uint8Array(70_000)), 'WIRE_MALFORMED')
    t.equal(await refusal(stranger.mesh, peer, new Uint8Array(140_000)), 'MESH_REQUEST_TOO_LARGE')
    t.ok((a.node.mesh.peers().find(({ peerId }) => peerId === stranger.mesh.peerId)?.score ?? 0) < 0, 'which costs it')
    t.strictSame(a.fleet.encodeState(), before)
    t.equal(a.fleet.view().version, 1)
    t.equal(await refusal(a.node.mesh, stranger.mesh.peerId, overheard), 'MESH_PROTOCOL', 'who is in no fleet serves none')
  })

  await t.test('a member that another one lies about is still itself', async (t) => {
    const strange = rosterOf([a.card, { ...cardOf(9), peerId: b.card.peerId }], { version: 1, signer: memberSigner(9) })
    await t.rejects(fleetOn(2, a.node).fleet.use(roster), { code: 'FLEET_NOT_MEMBER' }, 'a stolen key on another node')
    t.match(await refusal(b.node.mesh, a.node.mesh.peerId, { type: 'roster', roster: strange }), /^answered/, 'another account\'s roster is no news')
    t.equal(a.fleet.view().account, owner.address)
  })
})

t.test('edits made apart merge when members meet again, after a restart too', async (t) => {
  const { members, roster } = await setUp(t, 2)
  const [a, b] = members as [Member, Member]
  await join(members, roster)
  await a.fleet.setPrice(undefined, 8000)
  await until(() => b.fleet.view().priceBp === 8000)
  await b.fleet.stop()
  await b.node.mesh.stop()
  await a.fleet.setState('node-2', 'cordon')
  await until(() => linkOf(a, 'node-2') !== undefined)

  const away = fleetOn(2, b.node, b.card.peerId)
  await away.fleet.start()
  t.teardown(async () => { await away.fleet.stop() })
  t.equal(away.fleet.view().priceBp, 8000, 'it has the document without anybody')
  await away.fleet.setPrice(undefined, 9000)
  await away.fleet.setState('node-1', 'cordon')
  t.equal(a.fleet.view().priceBp, 8000)
  await away.fleet.stop()

  await b.node.mesh.start()
  const back = fleetOn(2, b.node)
  t.teardown(async () => { await back.fleet.stop() })
  await back.fleet.start()
  for (const member of [a, back]) await until(() => member.fleet.view().priceBp === 9000 && wanted(member, 'node-1') === 'cordon' && wanted(member, 'node-2') === 'cordon')
  t.same([a.fleet.isOpen(), back.fleet.isOpen()], [false, false])
})

t.test('a removed member is cut off, and a new one let in, by a roster that one member was told', async (t) => {
  const { members } = await setUp(t, 4)
  const [a, b, thief, late] = members as [Member, Member, Member, Member]
  const roster = rosterOf([a.card, b.card, thief.card])
  await join([a, b, thief], roster)
  await a.fleet.setPrice(undefined, 8000)
  await until(() => b.fleet.view().priceBp === 8000 && thief.fleet.view().priceBp === 8000)

  const next = rosterOf([a.card, b.card, late.card], { version: 2, seed: 2 })
  await t.rejects(late.fleet.use(roster), { code: 'FLEET_NOT_MEMBER' })
  await late.fleet.use(next)
  await until(() => a.fleet.view().version === 2 && b.fleet.view().version === 2 && late.fleet.view().priceBp === 8000)
  t.same(late.fleet.view().nodes.map(({ name }) => name), ['node-1', 'node-2', 'node-4'])

  // What was under way when the roster changed is over once both have refused.
  await thief.fleet.setPrice(undefined, 5000)
  await until(() => linkOf(thief, 'node-1') === 'FLEET_REFUSED' && linkOf(thief, 'node-2') === 'FLEET_REFUSED')
  const heard = thief.said.length
  await b.fleet.setPrice(undefined, 9000)
  await until(() => a.fleet.view().priceBp === 9000 && late.fleet.view().priceBp === 9000)
  const asked = thief.sent.length
  await thief.fleet.setPrice(undefined, 6000)
  await until(() => thief.sent.length >= asked + 2)
  t.same([a, b, late].map(({ fleet }) => fleet.view().priceBp), [9000, 9000, 9000], 'it writes nothing')
  t.ok(thief.said.slice(heard).every((bytes) => decodeFleetMessage(fleetAnswerShape, bytes).type === 'ok'), 'it is told nothing but that its old roster was looked at')
  const question = thief.sent.findLast((bytes) => decodeFleetMessage(fleetRequestShape, bytes).type === 'exchange') as Uint8Array
  t.equal(await refusal(thief.node.mesh, late.node.mesh.peerId, question), 'FLEET_REFUSED')

  const oldKey = openRoster(roster, thief.card.operator, sealKeyOf(memberSigner(3)))
  const overheard = decodeFleetMessage(fleetRequestShape, b.sent.at(-1) as Uint8Array)
  if (overheard.type !== 'exchange') throw new Error('not what this test means')
  for (const other of [a, late]) t.throws(() => openContent(oldKey, { direction: 'ask', roster: next, asker: b.card.peerId, answerer: other.card.peerId }, overheard.sealed), { code: 'FLEET_SEAL' }, 'it could not read what it overhears')
  const newKey = openRoster(next, b.card.operator, sealKeyOf(memberSigner(2)))
  const opens = [a, late].filter((other) => { try { return openContent(newKey, { direction: 'ask', roster: next, asker: b.card.peerId, answerer: other.card.peerId }, overheard.sealed) !== undefined } catch { return false } })
  t.equal(opens.length, 1, 'which its reader can, and no other')
})
