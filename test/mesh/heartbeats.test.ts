import t from 'tap'
import { createManualClock, createSystemClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createSeededRandom, createSystemRandom } from '../../src/core/random.ts'
import { createHeartbeats } from '../../src/mesh/heartbeats.ts'
import { startPair } from './nodes.ts'

const LIMITS = { intervalMs: 30_000, timeoutMs: 15_000 }

/** Heartbeats of so many connections, whose pings `ping` answers; real ones would keep us waiting. */
function setUp (count: number, ping: (at: number) => Promise<number>) {
  const clock = createManualClock()
  const startMs = clock.now()
  const aborted: Error[] = []
  const connections = Array.from({ length: count }, (_, at) => ({
    remotePeer: at,
    muxer: { onData: (): void => undefined, ping: async () => await ping(at) },
    abort: (error: Error) => { aborted.push(error) }
  }))
  const heartbeats = createHeartbeats({ clock, random: createSeededRandom(1), logger }, LIMITS)
  heartbeats.start({ addEventListener: () => undefined, removeEventListener: () => undefined, getConnections: () => connections } as never)
  /** A second at a time: the next look is planned when the answer is there. */
  const pass = async (seconds: number, each: (second: number) => void = () => undefined): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      each(second)
      clock.advance(1000)
      await new Promise((resolve) => { setImmediate(resolve) })
    }
  }
  return { connections, heartbeats, aborted, pass, elapsedMs: () => clock.now() - startMs }
}

t.test('silent connections that opened together are pinged at moments of their own, each once an interval', async (t) => {
  const pinged = new Map<number, number[]>()
  const { heartbeats, pass, elapsedMs } = setUp(20, async (at) => {
    pinged.set(at, [...pinged.get(at) ?? [], elapsedMs()])
    return 1
  })
  await pass(120)
  t.equal(pinged.size, 20)
  for (const times of pinged.values()) {
    t.ok((times[0] as number) >= 15_000 && (times[0] as number) < 46_000, 'not when it has just opened')
    t.ok(times.length >= 3 && times.every((ms, at) => at === 0 || Math.abs(ms - (times[at - 1] as number) - 30_500) <= 500), 'once an interval')
  }
  const perSecond = Map.groupBy([...pinged.values()].map(([first = 0]) => first), (ms) => Math.floor(ms / 1000))
  t.ok(Math.max(...[...perSecond.values()].map((all) => all.length)) <= 4, 'never many at once')
  heartbeats.stop()
  const before = [...pinged.values()].flat().length
  await pass(60)
  t.equal([...pinged.values()].flat().length, before, 'stopped')
})

t.test('a connection that says something is not pinged, and is as soon as it is silent', async (t) => {
  let pings = 0
  const { connections: [connection], pass } = setUp(1, async () => ++pings)
  await pass(300, (second) => { if (second % 10 === 0) connection?.muxer.onData() })
  t.equal(pings, 0)
  await pass(60)
  t.ok(pings > 0)
})

t.test('a ping that fails costs the connection, and nothing else', async (t) => {
  const { aborted, pass } = setUp(1, async () => { throw new Error('the muxer is closed') })
  await pass(60)
  t.match(aborted, [{ message: 'the muxer is closed' }])
})

t.test('a peer that answers keeps its connection; one that does not loses it', async (t) => {
  const [a, b] = await startPair(t)
  const beats = (timeoutMs: number): ReturnType<typeof createHeartbeats> => {
    const heartbeats = createHeartbeats({ clock: createSystemClock(), random: createSystemRandom(), logger }, { intervalMs: 50, timeoutMs })
    heartbeats.start(a.libp2p)
    t.teardown(heartbeats.stop)
    return heartbeats
  }
  const [connection] = b.libp2p.getConnections()
  const { muxer } = connection as unknown as { muxer: { handlePing: (header: unknown) => void } }
  const handlePing = muxer.handlePing.bind(muxer)
  let isSilent = false
  const second = Promise.withResolvers<undefined>()
  muxer.handlePing = (header) => {
    // The second ping of a connection comes when the first is answered.
    if (a.libp2p.getConnections().some(({ rtt }) => rtt !== undefined)) second.resolve(undefined)
    if (!isSilent) handlePing(header)
  }
  const answered = beats(20_000)
  await second.promise
  t.equal(a.peers().length, 1)
  answered.stop()
  isSilent = true
  const closed = new Promise((resolve) => { a.libp2p.addEventListener('connection:close', resolve, { once: true }) })
  beats(200)
  await closed
})
