import t from 'tap'
import { createManualClock, createSystemClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createSeededRandom, createSystemRandom } from '../../src/core/random.ts'
import { createHeartbeats } from '../../src/mesh/heartbeats.ts'
import { PING_PROTOCOL } from '../../src/mesh/options.ts'
import { startPair } from './nodes.ts'

t.test('connections that opened together are pinged at moments of their own, each once an interval', async (t) => {
  const clock = createManualClock()
  const startMs = clock.now()
  const pinged = new Map<number, number[]>()
  const connections = Array.from({ length: 20 }, (_, at) => ({
    remotePeer: at,
    newStream: async () => {
      pinged.set(at, [...pinged.get(at) ?? [], clock.now() - startMs])
      throw Object.assign(new Error('no ping here, which is an answer'), { name: 'UnsupportedProtocolError' })
    },
    abort: (error: Error) => { throw error }
  }))
  const heartbeats = createHeartbeats({ clock, random: createSeededRandom(1), logger }, { intervalMs: 30_000, timeoutMs: 15_000 })
  heartbeats.start({ addEventListener: () => undefined, removeEventListener: () => undefined, getConnections: () => connections } as never)
  for (let second = 0; second < 120; second++) {
    clock.advance(1000)
    // The next one is scheduled when the answer is there.
    await new Promise((resolve) => { setImmediate(resolve) })
  }
  t.equal(pinged.size, 20)
  for (const times of pinged.values()) {
    t.ok((times[0] as number) >= 15_000 && (times[0] as number) < 45_000, 'not when it has just opened')
    t.ok(times.length >= 3 && times.every((ms, at) => at === 0 || Math.abs(ms - (times[at - 1] as number) - 30_500) <= 500), 'once an interval')
  }
  const perSecond = Map.groupBy([...pinged.values()].map(([first = 0]) => first), (ms) => Math.floor(ms / 1000))
  t.ok(Math.max(...[...perSecond.values()].map((all) => all.length)) <= 4, 'never many at once')
  heartbeats.stop()
  const before = [...pinged.values()].flat().length
  clock.advance(30_000)
  t.equal([...pinged.values()].flat().length, before, 'stopped')
})

t.test('a ping that cannot be sent costs the connection, and nothing else', async (t) => {
  const clock = createManualClock()
  const onClose: Array<() => void> = []
  const aborted = Promise.withResolvers<Error>()
  const stream = {
    addEventListener: (name: string, listener: () => void) => { if (name === 'close') onClose.push(listener) },
    send: () => { throw new Error('the stream is reset') },
    abort: () => { for (const listener of onClose) listener() }
  }
  const connection = { remotePeer: 'peer', newStream: async () => stream, abort: aborted.resolve }
  const heartbeats = createHeartbeats({ clock, random: createSeededRandom(1), logger }, { intervalMs: 30_000, timeoutMs: 15_000 })
  heartbeats.start({ addEventListener: () => undefined, removeEventListener: () => undefined, getConnections: () => [connection] } as never)
  clock.advance(45_000)
  t.match(await aborted.promise, { message: 'the stream is reset' })
  heartbeats.stop()
  // An error that nobody caught would end the process by now.
  await new Promise((resolve) => { setImmediate(resolve) })
})

t.test('a peer that answers keeps its connection; one that does not loses it', async (t) => {
  const [a, b] = await startPair(t)
  const beats = (timeoutMs: number): ReturnType<typeof createHeartbeats> => {
    const heartbeats = createHeartbeats({ clock: createSystemClock(), random: createSystemRandom(), logger }, { intervalMs: 50, timeoutMs })
    heartbeats.start(a.libp2p)
    t.teardown(heartbeats.stop)
    return heartbeats
  }
  const noted = (): boolean => a.libp2p.getConnections().some(({ rtt }) => rtt !== undefined)
  let isSilent = false
  const second = Promise.withResolvers<undefined>()
  await b.libp2p.unhandle(PING_PROTOCOL)
  await b.libp2p.handle(PING_PROTOCOL, (stream) => {
    // The second ping of a connection comes when the first is answered.
    if (noted()) second.resolve(undefined)
    if (isSilent) return
    stream.addEventListener('message', ({ data }) => { stream.send(data) })
    stream.addEventListener('remoteCloseWrite', () => { stream.close().catch(() => undefined) })
  }, { runOnLimitedConnection: true, maxInboundStreams: 64 })
  const answered = beats(20_000)
  await second.promise
  t.equal(a.peers().length, 1)
  answered.stop()
  isSilent = true
  const closed = new Promise((resolve) => { a.libp2p.addEventListener('connection:close', resolve, { once: true }) })
  beats(200)
  await closed
})
