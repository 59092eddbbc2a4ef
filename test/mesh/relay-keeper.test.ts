import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import t, { type Test } from 'tap'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { HOP, type Reservations } from '../../src/mesh/circuit.ts'
import { RELAY_REST_MIN_MS, RELAY_RETRY_MAX_MS, RELAYS_WANTED } from '../../src/mesh/options.ts'
import { createRelayKeeper } from '../../src/mesh/relay-keeper.ts'

const peers: PeerId[] = []
for (let n = 0; n < 4; n++) peers.push(peerIdFromPrivateKey(await generateKeyPair('Ed25519')))

/** A keeper over relays that take or refuse as told, on a clock that moves only when told. */
function setUp (t: Test, refusing: ReadonlySet<PeerId>): { settle: () => Promise<void>, clock: ReturnType<typeof createManualClock>, asked: PeerId[], held: Set<PeerId>, lose: (peer: PeerId) => void, searches: () => number, identify: () => void } {
  const clock = createManualClock()
  const asked: PeerId[] = []
  const held = new Set<PeerId>()
  let searches = 0
  const events = new EventTarget()
  const libp2p = Object.assign(events, {
    peerId: peers[3], getPeers: () => peers.slice(0, 3), getConnections: () => [{ status: 'open' }],
    peerStore: { has: async () => true, get: async () => ({ protocols: [HOP] }), all: async () => [] }
  }) as unknown as Libp2p
  const reservations: Reservations & EventTarget = Object.assign(new EventTarget(), {
    hasReservation: (peer: PeerId) => held.has(peer), reservationCount: () => held.size,
    addRelay: async (peer: PeerId) => {
      asked.push(peer)
      if (refusing.has(peer)) throw new Error('full')
      held.add(peer)
    }
  })
  const keeper = createRelayKeeper({ clock, logger })
  keeper.start({ libp2p, reservations, openPlaces: async () => undefined, find: async () => { searches++; return [] } })
  t.teardown(keeper.stop)
  return {
    clock, asked, held, searches: () => searches,
    lose: (peer) => {
      held.delete(peer)
      reservations.dispatchEvent(new CustomEvent('relay:removed', { detail: { relay: peer } }))
    },
    identify: () => { events.dispatchEvent(new CustomEvent('peer:identify', { detail: { protocols: [HOP] } })) },
    settle: async () => { for (let n = 0; n < 20; n++) await new Promise((resolve) => { setImmediate(resolve) }) }
  }
}

t.test('it takes as many places as wanted, and another at once when one is lost', async (t) => {
  const { asked, held, lose, settle } = setUp(t, new Set())
  await settle()
  t.same(asked, peers.slice(0, RELAYS_WANTED))
  lose(peers[1] as PeerId)
  await settle()
  t.equal(held.size, RELAYS_WANTED)
})

t.test('a relay that refuses is asked again with growing pauses, not at every look', async (t) => {
  const { asked, clock, settle } = setUp(t, new Set(peers))
  await settle()
  t.equal(asked.length, 3)
  const askedBy = async (ms: number): Promise<number> => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.advance(500)
      await settle()
    }
    return asked.length
  }
  t.equal(await askedBy(RELAY_REST_MIN_MS - 500), 3)
  t.equal(await askedBy(RELAY_RETRY_MAX_MS), 3 * 4, 'after 5, 10 and 20 seconds, as the looks fall')
})

t.test('peers that come and go do not drive the search in the directory', async (t) => {
  const { clock, identify, searches, settle } = setUp(t, new Set(peers))
  await settle()
  const before = searches()
  for (let n = 0; n < 20; n++) {
    identify()
    clock.advance(10)
    await settle()
  }
  t.equal(searches(), before)
})
