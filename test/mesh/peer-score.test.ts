import { peerIdFromString } from '@libp2p/peer-id'
import t from 'tap'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { isLocalAddress, SharedAddresses } from '../../src/mesh/addresses.ts'
import { createPeerScore } from '../../src/mesh/peer-score.ts'
import { createRateLimit } from '../../src/mesh/rate.ts'

const PEER = '12D3KooWAhpdgTkSCK1HEnckiVGNGuQKzGA3rrsvKaLuncRvpLZY'

function setUp (): { clock: ReturnType<typeof createManualClock>, score: ReturnType<typeof createPeerScore>, cut: string[], gossip: Map<string, number>, beat: () => void } {
  const clock = createManualClock()
  const score = createPeerScore({ clock, logger }, { graylistMs: 60_000 })
  const cut: string[] = []
  const gossip = new Map<string, number>()
  const tasks = new Set<() => void>()
  const onHeartbeat = (task: () => void): (() => void) => {
    tasks.add(task)
    return () => { tasks.delete(task) }
  }
  score.start({ connected: () => [...gossip.keys()], onHeartbeat, score: (peer) => (gossip.get(peer) ?? 0) + score.appScore(peer), cut: (peer) => { cut.push(peer) } })
  return { clock, score, cut, gossip, beat: () => { for (const task of tasks) task() } }
}

t.test('penalties add up and halve in ten minutes', async (t) => {
  const { clock, score, cut } = setUp()
  score.penalise(PEER, 600, 'test')
  score.penalise(PEER, 400, 'test')
  t.equal(score.score(PEER), -1000)
  clock.advance(10 * 60_000)
  t.equal(score.score(PEER), -500)
  t.same(cut, [])
})

t.test('below the threshold a peer is cut at once, refused for the set time, then let in again', async (t) => {
  const { clock, score, cut } = setUp()
  score.penalise(PEER, 2600, 'test')
  t.same(cut, [PEER])
  const id = peerIdFromString(PEER)
  t.same([score.gater.denyDialPeer?.(id), score.gater.denyInboundEncryptedConnection?.(id, {} as never), score.gater.denyOutboundEncryptedConnection?.(id, {} as never)], [true, true, true])
  clock.advance(60_001)
  t.equal(score.gater.denyDialPeer?.(id), false)
})

t.test('a score that gossip lowered is found with the next heartbeat', async (t) => {
  const { score, cut, gossip, beat } = setUp()
  gossip.set(PEER, -2400)
  beat()
  t.same(cut, [])
  gossip.set(PEER, -2501)
  beat()
  t.same(cut, [PEER])
  score.stop()
  beat()
  t.equal(cut.length, 1)
})

t.test('a bucket holds one second of requests per peer and refills with time', async (t) => {
  const clock = createManualClock()
  const rate = createRateLimit(clock, 3)
  const take = (peer: string, times: number): number => Array.from({ length: times }, () => rate.take(peer)).filter(Boolean).length
  t.equal(take('a', 5), 3)
  t.equal(take('b', 1), 1, 'another peer has its own')
  clock.advance(334)
  t.equal(take('a', 5), 1)
  clock.advance(60_000)
  t.equal(take('a', 5), 3)
  const slow = createRateLimit(clock, 0.5)
  t.same([slow.take('a'), slow.take('a')], [true, false])
})

t.test('local ranges are told from public addresses', async (t) => {
  for (const ip of ['127.0.0.1', '10.1.2.3', '192.168.0.9', '172.31.0.1', '::1', 'fd00::1', 'fe80::1']) t.ok(isLocalAddress(ip), ip)
  for (const ip of ['8.8.8.8', '172.32.0.1', '2001:db8::1', 'localhost', '']) t.notOk(isLocalAddress(ip), ip)
})

t.test('addresses that many honest nodes share are told from those that one holds', async (t) => {
  const shared = new SharedAddresses((ip) => ip === '8.8.8.8')
  t.same(['10.0.0.1', '8.8.8.8', '8.8.4.4'].map((ip) => shared.has(ip)), [true, true, false])
})
