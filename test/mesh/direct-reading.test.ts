import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import type { PeerId, Stream } from '@libp2p/interface'
import fc from 'fast-check'
import { readDirectly } from '../../src/mesh/direct-reading.ts'

const PEER = { toString: () => 'peer' } as unknown as PeerId

/** A gossipsub that remembers the packets that it is given, and a stream of bytes into it. */
function start (handle: (packet: string) => Promise<void> = async () => undefined) {
  const handled: string[] = []
  const errors: unknown[] = []
  const listeners = new Map<string, Set<(event: unknown) => void>>()
  const pubsub = {
    isStarted: () => true,
    peers: new Map([['peer', PEER]]),
    streamsInbound: new Map(),
    createInboundStream: (_peer: PeerId, _stream: Stream): void => undefined,
    decodeRpc: (bytes: Uint8Array) => {
      const packet = Buffer.from(bytes).toString('latin1')
      if (packet.startsWith('bad')) throw new Error('not a packet')
      return packet
    },
    handleReceivedRpc: async (_from: PeerId, packet: string) => {
      handled.push(packet)
      await handle(packet)
    },
    handlePeerReadStreamError: (error: unknown) => { errors.push(error) }
  }
  const stream = {
    addEventListener: (type: string, listener: (event: unknown) => void) => { listeners.set(type, (listeners.get(type) ?? new Set()).add(listener)) },
    removeEventListener: (type: string, listener: (event: unknown) => void) => { listeners.get(type)?.delete(listener) },
    abort: (error: Error) => { fire('close', { error }) }
  }
  const fire = (type: string, event: unknown): void => { for (const listener of listeners.get(type) ?? []) listener(event) }
  readDirectly(pubsub as unknown as GossipSub)
  pubsub.createInboundStream(PEER, stream as unknown as Stream)
  return { handled, errors, send: (data: Uint8Array) => { fire('message', { data }) }, turn: async () => { await new Promise((resolve) => { setImmediate(resolve) }) } }
}

/** Each packet behind its length, an unsigned varint of two bytes. */
const framed = (packets: readonly string[]): Buffer => Buffer.concat(packets.map((packet) => Buffer.from(`${String.fromCharCode(packet.length % 128 + 128, Math.floor(packet.length / 128))}${packet}`, 'latin1')))

test('packets are the same in whatever pieces they come', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.string({ unit: 'binary-ascii', maxLength: 300 }), { maxLength: 10 }), fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }), async (all, pieces) => {
    const packets = all.filter((packet) => !packet.startsWith('bad'))
    const { handled, send, turn } = start()
    const bytes = framed(packets)
    for (let at = 0, piece = 0; at < bytes.byteLength; piece++) {
      const length = pieces[piece % pieces.length] as number
      send(bytes.subarray(at, at + length))
      at += length
    }
    await turn()
    assert.deepEqual(handled, packets)
  }))
})

test('a packet is handled when the one before it is', async () => {
  const first = Promise.withResolvers<undefined>()
  const { handled, send, turn } = start(async (packet) => { if (packet === 'one') await first.promise })
  send(framed(['one', 'two']))
  send(framed(['three']))
  await turn()
  assert.deepEqual(handled, ['one'])
  first.resolve(undefined)
  await turn()
  assert.deepEqual(handled, ['one', 'two', 'three'])
})

test('what does not decode, or cannot be handled, is left out', async () => {
  const { handled, errors, send, turn } = start(async (packet) => { if (packet === 'boom') throw new Error('bug') })
  send(framed(['one', 'bad', 'boom', 'two']))
  await turn()
  assert.deepEqual(handled, ['one', 'boom', 'two'])
  assert.deepEqual(errors, [])
})

test('a packet that is too long ends the reading, before it has come; so does a length without end', async () => {
  for (const length of [Uint8Array.of(0x81, 0x80, 0x40), Uint8Array.of(0x80, 0x80, 0x80), Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)]) {
    const { handled, errors, send, turn } = start()
    send(framed(['one']))
    await turn()
    send(length)
    send(framed(['two']))
    await turn()
    assert.deepEqual(handled, ['one'])
    assert.equal((errors[0] as { code: string }).code, 'MESH_FRAME_TOO_LARGE')
  }
})
