import t from 'tap'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { FRAME_COST_BYTES, type FrameChannel } from '../../src/mesh/frames.ts'
import { channelOver, FakeStream, frameHeader } from '../support/fake-stream.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
/** Bytes on the heap and off it. What is garbage goes in the background: the least of several looks, until it is low enough. */
async function heldBelow (limit: number, sinceBytes = 0): Promise<number> {
  let least = Infinity
  for (let look = 0; look < 50 && least > limit; look++) {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    least = Math.min(least, heapUsed + external - sinceBytes)
    await new Promise((resolve) => { setImmediate(resolve) })
  }
  return least
}
const frame = (payload: Uint8Array): Uint8Array => Buffer.concat([frameHeader(payload.byteLength), payload])
const emptyFrames = (count: number): Uint8Array => Buffer.concat(Array.from({ length: count }, () => frameHeader(0)))
const readAll = async (channel: FrameChannel): Promise<Uint8Array[]> => {
  const payloads: Uint8Array[] = []
  for (let next = await channel.read(); next !== undefined; next = await channel.read()) payloads.push(next.payload)
  return payloads
}

t.test('frames keep their bytes however they are cut into chunks', async (t) => {
  const payloads = [0, 1, 5, 300, 0, 70_000].map((length, index) => new Uint8Array(length).fill(index + 1))
  const bytes = Buffer.concat(payloads.map(frame))
  for (const size of [1, 2, 3, 7, 4096, bytes.length]) {
    const stream = new FakeStream()
    const channel = channelOver(stream, 70_000)
    const read = readAll(channel)
    for (let at = 0; at < bytes.length; at += size) stream.arrive(bytes.subarray(at, at + size))
    stream.endRemote()
    t.ok((await read).every((payload, index) => Buffer.compare(payload, payloads[index] as Uint8Array) === 0), `chunks of ${size}`)
  }
})

t.test('empty frames that nobody reads hold the sender back, and all of them arrive when someone does', async (t) => {
  const stream = new FakeStream()
  const channel = channelOver(stream, 100)
  stream.arrive(emptyFrames(10_000))
  t.ok(stream.isPaused)
  // libp2p hands out what it had buffered before the pause.
  stream.arrive(frame(Uint8Array.of(7)))
  stream.endRemote()
  const payloads = await readAll(channel)
  t.equal(payloads.length, 10_001)
  t.strictSame([...payloads.at(-1) as Uint8Array], [7], 'in order')
})

t.test('what is not parsed yet costs its bytes, not a frame for each five of them', async (t) => {
  const channels = Array.from({ length: 20 }, () => ({ stream: new FakeStream() })).map(({ stream }) => ({ stream, channel: channelOver(stream, 100) }))
  const before = await heldBelow(0)
  for (const { stream } of channels) stream.arrive(emptyFrames(13_000))
  const held = await heldBelow(channels.length * 128 * 1024, before)
  t.ok(held < channels.length * 128 * 1024, `${Math.round(held / channels.length / 1024)} KiB a stream`)
})

t.test('a byte of a frame does not hold on to the chunk it came in', async (t) => {
  const stream = new FakeStream()
  const channel = channelOver(stream, 1000)
  stream.arrive(frameHeader(1000))
  const before = await heldBelow(0)
  for (let sent = 0; sent < 200; sent++) stream.arrive(new Uint8Array(65_519).subarray(0, 1))
  const held = await heldBelow(1_000_000, before)
  t.ok(held < 1_000_000, `${held} bytes held for 200`)
  for (let sent = 0; sent < 800; sent++) stream.arrive(Uint8Array.of(1))
  t.equal((await channel.read())?.payload.byteLength, 1000)
})

t.test('as much as may lie unread is kept for who reads late; a byte more, and all of it is let go', async (t) => {
  const may = 3 * (FRAME_COST_BYTES + 100)
  for (const more of [0, 1]) {
    const stream = new FakeStream()
    const refusals: string[] = []
    const channel = channelOver(stream, 1000, { maxBytes: may, onAbove: ({ code }) => { refusals.push(code) } })
    stream.arrive(Buffer.concat([frame(new Uint8Array(100)), frame(new Uint8Array(100)), frameHeader(100 + more)]))
    t.same(refusals, more === 0 ? [] : ['MESH_PROTOCOL'], 'the header says it')
    t.notOk(stream.isPaused)
    stream.arrive(new Uint8Array(100 + more))
    stream.endRemote()
    if (more === 0) t.same((await readAll(channel)).map(({ byteLength }) => byteLength), [100, 100, 100])
    else await t.rejects(channel.read(), { code: 'MESH_PROTOCOL' })
    t.equal(refusals.length, more, 'said once')
  }
})

t.test('what was read makes room', async (t) => {
  const stream = new FakeStream()
  const channel = channelOver(stream, 1000, { maxBytes: FRAME_COST_BYTES + 100, onAbove: () => { t.fail('refused') } })
  for (let sent = 0; sent < 10; sent++) {
    stream.arrive(frame(new Uint8Array(100)))
    t.equal((await channel.read())?.payload.byteLength, 100)
  }
})

t.test('where one frame may come, the second is refused whether the first was read or not', async (t) => {
  for (const isRead of [true, false]) {
    const stream = new FakeStream()
    let isRefused = false
    const channel = channelOver(stream, 1000, { maxBytes: 5000, maxFrames: 1, onAbove: () => { isRefused = true } })
    stream.arrive(frame(Uint8Array.of(1)))
    if (isRead) await channel.read()
    t.notOk(isRefused)
    stream.arrive(frameHeader(0))
    t.ok(isRefused)
    await t.rejects(channel.read(), { code: 'MESH_PROTOCOL' })
  }
})

t.test('a stranger\'s stream that nobody reads holds less than 64 KiB, whatever comes', async (t) => {
  const chunk = emptyFrames(13_000)
  for (const [name, chunks] of [
    ['empty frames', [chunk]],
    ['a page but for its last byte', [frameHeader(50_000), new Uint8Array(49_999)]],
    ['a page, and a full message behind its last byte', [frameHeader(50_000), new Uint8Array(49_999), Buffer.concat([Uint8Array.of(1), chunk])]]
  ] as const) {
    const channels = Array.from({ length: 20 }, () => ({ stream: new FakeStream() })).map(({ stream }) => ({ stream, channel: channelOver(stream, 50_000, { maxBytes: 57_344, onAbove: () => undefined }) }))
    const before = await heldBelow(0)
    for (const { stream } of channels) for (const part of chunks) stream.arrive(part.slice())
    const held = await heldBelow(channels.length * 64 * 1024, before)
    t.ok(held < channels.length * 64 * 1024, `${name}: ${Math.round(held / channels.length / 1024)} KiB a stream`)
  }
})

t.test('a frame above the limit is refused by its header, and one that is cut off by the end', async (t) => {
  const large = new FakeStream()
  const refused = channelOver(large, 100)
  large.arrive(frameHeader(101).subarray(0, 4))
  large.arrive(frameHeader(101).subarray(4))
  await t.rejects(refused.read(), { code: 'MESH_FRAME_TOO_LARGE' })
  const cut = new FakeStream()
  const channel = channelOver(cut, 100)
  cut.arrive(frame(new Uint8Array(10)).subarray(0, 12))
  cut.endRemote()
  await t.rejects(channel.read(), { code: 'MESH_PROTOCOL' })
})
