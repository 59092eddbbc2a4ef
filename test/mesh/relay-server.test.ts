import type { Libp2p, PeerId } from '@libp2p/interface'
import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import t from 'tap'
import { createManualClock } from '../../src/core/clock.ts'
import { RELAY_CONNECTS_PER_MINUTE, RELAY_CONNECTS_PER_PEER, RELAY_RESERVATIONS_PER_ADDRESS } from '../../src/mesh/options.ts'
import { createRelayAdmission } from '../../src/mesh/relay-server.ts'

const peers: PeerId[] = []
for (let n = 0; n < RELAY_RESERVATIONS_PER_ADDRESS + 2; n++) peers.push(peerIdFromPrivateKey(await generateKeyPair('Ed25519')))
const [first, second] = peers as [PeerId, PeerId]

function setUp (ip: string, held: readonly PeerId[]): { clock: ReturnType<typeof createManualClock>, admission: ReturnType<typeof createRelayAdmission>, gone: (peer: PeerId) => void, service: CircuitRelayService, graylist: Set<string>, open: { value: boolean } } {
  const clock = createManualClock()
  const graylist = new Set<string>()
  const open = { value: true }
  const admission = createRelayAdmission({ clock, isGraylisted: (peer) => graylist.has(peer), canServe: () => open.value })
  const addr = multiaddr(`/ip4/${ip}/tcp/4001`)
  const reservations = new Map(held.map((peer) => [peer, { addr, signal: Object.assign(AbortSignal.timeout(60_000), { clear: () => undefined }) }]))
  const service = { reservations } as unknown as CircuitRelayService
  const events = new EventTarget()
  admission.attach(Object.assign(events, { getConnections: () => [{ remoteAddr: addr }] }) as unknown as Libp2p, service)
  return { clock, admission, service, graylist, open, gone: (peer) => { events.dispatchEvent(new CustomEvent('peer:disconnect', { detail: peer })) } }
}

t.test('one public address gets few places, a private one as many as there are', async (t) => {
  const held = peers.slice(2)
  t.equal(held.length, RELAY_RESERVATIONS_PER_ADDRESS)
  const outside = setUp('8.8.8.8', held)
  t.equal(await outside.admission.gater.denyInboundRelayReservation?.(first), true)
  t.equal(await outside.admission.gater.denyInboundRelayReservation?.(held[0] as PeerId), false, 'who holds a place may renew it')
  t.equal(await setUp('8.8.8.8', held.slice(1)).admission.gater.denyInboundRelayReservation?.(first), false)
  t.equal(await setUp('10.0.0.1', held).admission.gater.denyInboundRelayReservation?.(first), false)
})

t.test('a node that leaves gives its place back at once', async (t) => {
  const { service, gone } = setUp('8.8.8.8', [first, second])
  gone(first)
  t.same([...service.reservations.keys()], [second])
})

t.test('relayed connections are bounded per asker and in all, by the minute', async (t) => {
  const { clock, admission, graylist } = setUp('8.8.8.8', [])
  const denied = (source: PeerId, destination: PeerId): unknown => admission.gater.denyOutboundRelayedConnection?.(source, destination)
  for (let n = 0; n < RELAY_CONNECTS_PER_PEER; n++) t.equal(denied(first, second), false)
  t.equal(denied(first, second), true)
  t.equal(denied(second, first), false, 'another asker')
  let total = RELAY_CONNECTS_PER_PEER + 1
  for (const source of peers.slice(2)) while (total < RELAY_CONNECTS_PER_MINUTE && denied(source, first) === false) total++
  t.equal(denied(peers.at(-1) as PeerId, first), true)
  clock.advance(60_000)
  t.equal(denied(first, second), false)
  graylist.add(second.toString())
  t.equal(denied(first, second), true, 'nothing for or from a graylisted peer')
  t.equal(await admission.gater.denyInboundRelayReservation?.(second), true)
})

t.test('a node that nobody can dial gives no places', async (t) => {
  const { admission, open } = setUp('10.0.0.1', [])
  t.equal(await admission.gater.denyInboundRelayReservation?.(first), false)
  open.value = false
  t.equal(await admission.gater.denyInboundRelayReservation?.(first), true)
})
