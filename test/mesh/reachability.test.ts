import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import t from 'tap'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { REACHABILITY_CHECK_MS } from '../../src/mesh/options.ts'
import { createReachabilityWatch, isReachableAt, type OwnAddress } from '../../src/mesh/reachability.ts'

const PUBLIC = multiaddr('/ip4/8.8.8.8/tcp/4001')
const GRACE_MS = 30_000
const own = (multiaddr_: OwnAddress['multiaddr'], verified: boolean): OwnAddress => ({ multiaddr: multiaddr_, verified })

function setUp (options: { isPublic: boolean, told?: 'auto' | 'public' | 'private' }): { clock: ReturnType<typeof createManualClock>, states: string[], peers: string[], addresses: OwnAddress[], watch: ReturnType<typeof createReachabilityWatch>, tell: (event: string) => void } {
  const clock = createManualClock()
  const states: string[] = []
  const peers: string[] = []
  const addresses: OwnAddress[] = []
  const events = new EventTarget()
  const watch = createReachabilityWatch({ clock, logger, onChange: (state) => { states.push(state) } }, { told: 'auto', graceMs: GRACE_MS, ...options })
  watch.start({ libp2p: Object.assign(events, { getPeers: () => peers }) as unknown as Libp2p, ownAddresses: () => addresses })
  return { clock, states, peers, addresses, watch, tell: (event) => { events.dispatchEvent(new Event(event)) } }
}

t.test('only an address on the internet that somebody dialled makes a node reachable', async (t) => {
  t.equal(isReachableAt([own(PUBLIC, true)]), true)
  t.equal(isReachableAt([own(PUBLIC, false)]), false)
  t.equal(isReachableAt([own(multiaddr('/ip4/192.168.1.2/tcp/4001'), true)]), false)
  t.equal(isReachableAt([own(multiaddr('/ip4/8.8.8.8/tcp/1/p2p/12D3KooWAhpdgTkSCK1HEnckiVGNGuQKzGA3rrsvKaLuncRvpLZY/p2p-circuit'), true)]), false)
})

t.test('a node of a public network that nobody could dial in time is private, and public again once somebody can', async (t) => {
  const { clock, states, peers, addresses, tell, watch } = setUp({ isPublic: true })
  clock.advance(10 * GRACE_MS)
  t.same(states, [], 'alone it cannot know')
  peers.push('peer')
  tell('peer:connect')
  clock.advance(GRACE_MS - 1)
  t.same(states, [])
  clock.advance(REACHABILITY_CHECK_MS + 1)
  t.same(states, ['private'])
  addresses.push(own(PUBLIC, true))
  tell('self:peer:update')
  t.same(states, ['private', 'public'])
  t.equal(watch.state(), 'public')
  watch.stop()
  addresses.length = 0
  clock.advance(10 * GRACE_MS)
  t.same(states, ['private', 'public'], 'nothing after the end')
})

t.test('what the owner says counts, and on a private network nobody asks', async (t) => {
  t.same(setUp({ isPublic: true, told: 'private' }).states, ['private'])
  t.same(setUp({ isPublic: false, told: 'public' }).states, ['public'])
  const { clock, states, peers, tell } = setUp({ isPublic: false })
  peers.push('peer')
  tell('peer:connect')
  clock.advance(10 * GRACE_MS)
  t.same(states, [])
})
