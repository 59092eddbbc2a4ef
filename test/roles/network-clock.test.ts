import t, { type Test } from 'tap'
import { createManualClock, type Clock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { createNetworkClock, peersToAsk, type NetworkClock } from '../../src/roles/network-clock.ts'
import { decodeTime, encodeTime, TIME_PROTOCOL } from '../../src/wire/time.ts'
import { createMemoryNetwork } from '../support/memory-mesh.ts'

const MAX_OFF_MS = 2_500

/** A node after its first round with peers whose clocks are ahead by so much, all of them on loopback. */
async function meet (t: Pick<Test, 'teardown'>, ahead: number[], change: { slowMs?: number } = {}): Promise<NetworkClock & { base: Clock }> {
  const base = createManualClock()
  const network = createMemoryNetwork(createSeededRandom(1))
  const mesh = network.node('self')
  const own = createNetworkClock({ mesh: { requests: mesh.requests, peers: () => mesh.peers().map((peer) => ({ ...peer, address: '/ip4/127.0.0.1/tcp/1' })) }, clock: base, logger }, { maxOffMs: MAX_OFF_MS })
  for (const [at, ms] of ahead.entries()) {
    network.node(`peer-${at}`).requests.serve(TIME_PROTOCOL, { maxBytes: 16, perPeerPerSecond: 2, concurrency: 1, timeoutMs: 1 }, async () => {
      if (change.slowMs !== undefined) base.advance(change.slowMs)
      return encodeTime(base.now() + ms)
    })
    network.connect('self', `peer-${at}`)
  }
  await own.start()
  t.teardown(own.stop)
  base.advance(1_000)
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => { setImmediate(resolve) })
  return Object.assign(own, { base })
}

t.test('the median of five peers corrects the time, whatever two of them say', async (t) => {
  const clock = await meet(t, [800, 810, 820, 1e12, -1e9])
  t.same([clock.measuredMs(), clock.offsetMs(), clock.isSound(), clock.now() - clock.base.now()], [810, 810, true, 810])
})

t.test('four peers correct nothing, nor does what the measurement cannot tell', async (t) => {
  t.same([(await meet(t, [800, 800, 800, 800])).measuredMs(), (await meet(t, [800, 800, 800, 800])).offsetMs()], [undefined, 0])
  t.equal((await meet(t, [100, 100, 100, -100, 90])).offsetMs(), 0)
  t.equal((await meet(t, [800, 800, 800, 800, 800], { slowMs: 201 })).measuredMs(), undefined, 'answers that took too long')
})

t.test('a clock that is far off is not corrected but found unsound', async (t) => {
  for (const off of [MAX_OFF_MS + 1, -MAX_OFF_MS - 1]) {
    const clock = await meet(t, new Array<number>(5).fill(off))
    t.same([clock.measuredMs(), clock.offsetMs(), clock.isSound()], [off, 0, false])
  }
})

t.test('one peer of each subnet is asked, none behind a relay, sixteen at most', async (t) => {
  const at = (address: string, peerId: string): { address: string, peerId: string } => ({ address, peerId })
  t.same(peersToAsk([
    at('/ip4/192.0.2.1/tcp/1', 'a'), at('/ip4/192.0.2.9/tcp/1', 'b'), at('/ip4/192.0.3.1/tcp/1', 'c'), at('/ip6/2001:db8:1::1/tcp/1', 'd'), at('/ip6/2001:db8:1:2::2/tcp/1', 'e'),
    at('/ip6/2001:db8:2::1/tcp/1', 'f'), at('/ip4/198.51.100.1/tcp/1/p2p/x/p2p-circuit', 'g'), at('/dns4/a.example/tcp/1', 'h'), at('/dns4/b.example/tcp/1', 'i'), at('/ip4/127.0.0.1/tcp/1', 'j'), at('/ip4/127.0.0.1/tcp/2', 'k')
  ]), ['a', 'c', 'd', 'f', 'h', 'j', 'k'])
  t.equal(peersToAsk(Array.from({ length: 40 }, (_, index) => at(`/ip4/10.0.${index}.1/tcp/1`, String(index)))).length, 16)
})

t.test('an answer is a time', async (t) => {
  t.equal(decodeTime(encodeTime(1_700_000_000_000)), 1_700_000_000_000)
  for (const bytes of [new Uint8Array(0), new Uint8Array(17), Uint8Array.of(0x20)]) t.throws(() => decodeTime(bytes), { code: /^WIRE_/ })
})
