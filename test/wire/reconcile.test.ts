import t from 'tap'
import { readFileSync } from 'node:fs'
import { bytesToHex, hexToBytes } from 'viem'
import { createSeededRandom } from '../../src/core/random.ts'
import { encodeCbor } from '../../src/wire/cbor.ts'
import { WireError } from '../../src/wire/errors.ts'
import {
  decodeDigestAnswer, decodeFetched, decodeFramesAnswer, decodePageQuery, decodePushed, decodeRoundQuery, encodeDigestAnswer, encodeFetched, encodeFramesAnswer, encodePageQuery, encodePushed, encodeRoundQuery,
  MAX_FRAME_BYTES, MAX_FRAMES, MAX_PAGE_RECORDS, MAX_RECONCILE_BYTES, MAX_ROUND_BYTES, type OfShards
} from '../../src/wire/reconcile.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { COMMON_SHARD } from '../../src/wire/shard.ts'
import { DOMAIN } from '../support/records.ts'

const ID: Hash = `0x${'ab'.repeat(32)}`
const OTHER = { ...DOMAIN, chainId: 1 }

t.test('every message survives its encoding', async (t) => {
  const frame = Uint8Array.of(0x61, 1)
  const frames = { type: 'frames' as const, bucket: 5, shards: [[0, frame], [COMMON_SHARD, frame]] as const }
  const digests = { type: 'digests' as const, bucket: 5, shards: Array.from({ length: COMMON_SHARD + 1 }, (_, shard) => [shard, new Uint8Array(16).fill(shard)] as const) }
  for (const query of [frames, digests]) t.strictSame(decodeRoundQuery(DOMAIN, encodeRoundQuery(DOMAIN, query)), query)
  t.strictSame(decodeDigestAnswer(encodeDigestAnswer({ equal: [1], differing: [0, COMMON_SHARD] })), { equal: [1], differing: [0, COMMON_SHARD] })
  t.strictSame(decodeFramesAnswer(encodeFramesAnswer(frames.shards)), frames.shards)
  t.strictSame(decodePageQuery(DOMAIN, encodePageQuery(DOMAIN, { type: 'fetch', ids: [ID] })), { type: 'fetch', ids: [ID] })
  t.strictSame(decodePageQuery(DOMAIN, encodePageQuery(DOMAIN, { type: 'push', records: [frame] })), { type: 'push', records: [frame] })
  t.strictSame(decodeFetched(encodeFetched([frame])), [frame])
  t.strictSame(decodePushed(encodePushed([ID])), [ID])
})

t.test('queries for another deployment, and anything beyond its limit, are refused', async (t) => {
  const frame = Uint8Array.of(0x61)
  const framesOf = (...sizes: number[]): OfShards => sizes.map((size, shard) => [shard, new Uint8Array(size)])
  const round = (shards: OfShards, bucket = 5, type: 'frames' | 'digests' = 'frames'): Uint8Array => encodeRoundQuery(DOMAIN, { type, bucket, shards })
  t.throws(() => decodeRoundQuery(OTHER, round([[0, frame]])), { code: 'WIRE_DOMAIN' })
  t.throws(() => decodePageQuery(OTHER, encodePageQuery(DOMAIN, { type: 'fetch', ids: [ID] })), { code: 'WIRE_DOMAIN' })
  t.throws(() => decodeRoundQuery(DOMAIN, round(framesOf(MAX_FRAME_BYTES, 1))), { code: 'WIRE_INVALID' })
  t.throws(() => decodeRoundQuery(DOMAIN, round(framesOf(MAX_ROUND_BYTES))), { code: 'WIRE_TOO_LARGE' }, 'by its size, before it is read')
  const most = Array.from({ length: MAX_FRAMES }, () => MAX_FRAME_BYTES / MAX_FRAMES)
  t.equal(decodeRoundQuery(DOMAIN, round(framesOf(...most).map(([shard, bytes]) => [COMMON_SHARD - MAX_FRAMES + 1 + shard, bytes]), Number.MAX_SAFE_INTEGER)).shards.length, MAX_FRAMES)
  t.equal(decodeFramesAnswer(encodeFramesAnswer(framesOf(...most))).length, MAX_FRAMES)
  for (const shards of [[], framesOf(0), framesOf(...most.map(() => 1), 1), [[COMMON_SHARD + 1, frame]], [[1, frame], [0, frame]], [[1, frame], [1, frame]]] as OfShards[]) {
    t.throws(() => decodeRoundQuery(DOMAIN, round(shards)), { code: 'WIRE_INVALID' })
    t.throws(() => decodeFramesAnswer(encodeFramesAnswer(shards)), { code: 'WIRE_INVALID' })
  }
  for (const shards of [[], framesOf(15), framesOf(17), [[COMMON_SHARD + 1, new Uint8Array(16)]], [[1, new Uint8Array(16)], [1, new Uint8Array(16)]]] as OfShards[]) t.throws(() => decodeRoundQuery(DOMAIN, round(shards, 5, 'digests')), { code: 'WIRE_INVALID' })
  for (const equal of [[COMMON_SHARD + 1], [1, 1], [1, 0]]) t.throws(() => decodeDigestAnswer(encodeDigestAnswer({ equal, differing: [] })), { code: 'WIRE_INVALID' })
  t.throws(() => decodePageQuery(DOMAIN, encodePageQuery(DOMAIN, { type: 'fetch', ids: Array.from({ length: MAX_PAGE_RECORDS + 1 }, () => ID) })), { code: 'WIRE_INVALID' })
  t.throws(() => decodePageQuery(DOMAIN, encodePageQuery(DOMAIN, { type: 'fetch', ids: [] })), { code: 'WIRE_INVALID' })
  t.throws(() => decodeFetched(encodeFetched([new Uint8Array(MAX_RECONCILE_BYTES)])), { code: 'WIRE_TOO_LARGE' })
  t.throws(() => decodePushed(encodeCbor([1, [new Uint8Array(31)]])), { code: 'WIRE_INVALID' })
})

t.test('nothing but WireError escapes from mutated messages', async (t) => {
  const random = createSeededRandom(3)
  const messages = [encodeRoundQuery(DOMAIN, { type: 'frames', bucket: 5, shards: [[0, Uint8Array.of(0x61)], [1, Uint8Array.of(0x61)]] }), encodeDigestAnswer({ equal: [0, 1], differing: [2] }), encodePageQuery(DOMAIN, { type: 'fetch', ids: [ID, ID] }), encodeFetched([Uint8Array.of(1)]), encodePushed([ID])]
  for (let run = 0; run < 3000; run++) {
    const bytes = Uint8Array.from(messages[run % messages.length] as Uint8Array)
    bytes[random.below(bytes.length)] = random.below(256)
    for (const decode of [() => decodeRoundQuery(DOMAIN, bytes), () => decodePageQuery(DOMAIN, bytes), () => decodeFetched(bytes), () => decodePushed(bytes), () => decodeFramesAnswer(bytes), () => decodeDigestAnswer(bytes)]) {
      try { decode() } catch (error) { if (!(error instanceof WireError)) throw error }
    }
  }
  t.pass('no other error')
})

t.test('protocol/vectors/reconcile.json, messages', async (t) => {
  const { messages } = JSON.parse(readFileSync(new URL('../../protocol/vectors/reconcile.json', import.meta.url), 'utf8'))
  for (const query of [messages.digests, messages.frames]) t.equal(bytesToHex(encodeRoundQuery(DOMAIN, decodeRoundQuery(DOMAIN, hexToBytes(query)))), query)
  t.equal(bytesToHex(encodeDigestAnswer(decodeDigestAnswer(hexToBytes(messages.digestAnswer)))), messages.digestAnswer)
  t.equal(bytesToHex(encodeFramesAnswer(decodeFramesAnswer(hexToBytes(messages.framesAnswer)))), messages.framesAnswer)
  t.equal(bytesToHex(encodePageQuery(DOMAIN, decodePageQuery(DOMAIN, hexToBytes(messages.fetch)))), messages.fetch)
  t.equal(bytesToHex(encodePageQuery(DOMAIN, decodePageQuery(DOMAIN, hexToBytes(messages.push)))), messages.push)
})
