import t from 'tap'
import { readFileSync } from 'node:fs'
import { bytesToHex, hexToBytes } from 'viem'
import { createSeededRandom } from '../../src/core/random.ts'
import { encodeCbor } from '../../src/wire/cbor.ts'
import { WireError } from '../../src/wire/errors.ts'
import {
  decodeFetched, decodePageQuery, decodePushed, decodeRoundAnswer, decodeRoundQuery, encodeFetched, encodePageQuery, encodePushed, encodeRoundAnswer, encodeRoundQuery,
  MAX_FRAME_BYTES, MAX_PAGE_RECORDS, MAX_RECONCILE_BYTES, MAX_ROUND_BYTES
} from '../../src/wire/reconcile.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { DOMAIN } from '../support/records.ts'

const ID: Hash = `0x${'ab'.repeat(32)}`
const OTHER = { ...DOMAIN, chainId: 1 }

t.test('every message survives its encoding', async (t) => {
  const frame = Uint8Array.of(0x61, 1)
  t.strictSame(decodeRoundQuery(DOMAIN, encodeRoundQuery(DOMAIN, { bucket: 5, frame })), { bucket: 5, frame })
  t.strictSame(decodeRoundAnswer(encodeRoundAnswer({ count: 7, frame })), { count: 7, frame })
  t.strictSame(decodePageQuery(DOMAIN, encodePageQuery(DOMAIN, { type: 'fetch', ids: [ID] })), { type: 'fetch', ids: [ID] })
  t.strictSame(decodePageQuery(DOMAIN, encodePageQuery(DOMAIN, { type: 'push', records: [frame] })), { type: 'push', records: [frame] })
  t.strictSame(decodeFetched(encodeFetched([frame])), [frame])
  t.strictSame(decodePushed(encodePushed([ID])), [ID])
})

t.test('queries for another deployment, and anything beyond its limit, are refused', async (t) => {
  const frame = Uint8Array.of(0x61)
  t.throws(() => decodeRoundQuery(OTHER, encodeRoundQuery(DOMAIN, { bucket: 5, frame })), { code: 'WIRE_DOMAIN' })
  t.throws(() => decodePageQuery(OTHER, encodePageQuery(DOMAIN, { type: 'fetch', ids: [ID] })), { code: 'WIRE_DOMAIN' })
  t.throws(() => decodeRoundQuery(DOMAIN, encodeRoundQuery(DOMAIN, { bucket: 5, frame: new Uint8Array(MAX_FRAME_BYTES + 1) })), { code: 'WIRE_INVALID' })
  t.throws(() => decodeRoundQuery(DOMAIN, encodeRoundQuery(DOMAIN, { bucket: 5, frame: new Uint8Array(MAX_ROUND_BYTES) })), { code: 'WIRE_TOO_LARGE' }, 'by its size, before it is read')
  t.same(decodeRoundQuery(DOMAIN, encodeRoundQuery(DOMAIN, { bucket: Number.MAX_SAFE_INTEGER, frame: new Uint8Array(MAX_FRAME_BYTES) })).frame.length, MAX_FRAME_BYTES)
  t.same(decodeRoundAnswer(encodeRoundAnswer({ count: Number.MAX_SAFE_INTEGER, frame: new Uint8Array(MAX_FRAME_BYTES) })).frame.length, MAX_FRAME_BYTES)
  t.throws(() => decodeRoundAnswer(encodeRoundAnswer({ count: 1, frame: new Uint8Array(0) })), { code: 'WIRE_INVALID' })
  t.throws(() => decodePageQuery(DOMAIN, encodePageQuery(DOMAIN, { type: 'fetch', ids: Array.from({ length: MAX_PAGE_RECORDS + 1 }, () => ID) })), { code: 'WIRE_INVALID' })
  t.throws(() => decodePageQuery(DOMAIN, encodePageQuery(DOMAIN, { type: 'fetch', ids: [] })), { code: 'WIRE_INVALID' })
  t.throws(() => decodeFetched(encodeFetched([new Uint8Array(MAX_RECONCILE_BYTES)])), { code: 'WIRE_TOO_LARGE' })
  t.throws(() => decodePushed(encodeCbor([1, [new Uint8Array(31)]])), { code: 'WIRE_INVALID' })
})

t.test('nothing but WireError escapes from mutated messages', async (t) => {
  const random = createSeededRandom(3)
  const messages = [encodeRoundQuery(DOMAIN, { bucket: 5, frame: Uint8Array.of(0x61) }), encodePageQuery(DOMAIN, { type: 'fetch', ids: [ID, ID] }), encodeFetched([Uint8Array.of(1)]), encodePushed([ID])]
  for (let run = 0; run < 3000; run++) {
    const bytes = Uint8Array.from(messages[run % messages.length] as Uint8Array)
    bytes[random.below(bytes.length)] = random.below(256)
    for (const decode of [() => decodeRoundQuery(DOMAIN, bytes), () => decodePageQuery(DOMAIN, bytes), () => decodeFetched(bytes), () => decodePushed(bytes), () => decodeRoundAnswer(bytes)]) {
      try { decode() } catch (error) { if (!(error instanceof WireError)) throw error }
    }
  }
  t.pass('no other error')
})

t.test('protocol/vectors/reconcile.json, messages', async (t) => {
  const { messages } = JSON.parse(readFileSync(new URL('../../protocol/vectors/reconcile.json', import.meta.url), 'utf8'))
  t.equal(bytesToHex(encodeRoundQuery(DOMAIN, decodeRoundQuery(DOMAIN, hexToBytes(messages.roundQuery)))), messages.roundQuery)
  t.equal(bytesToHex(encodePageQuery(DOMAIN, decodePageQuery(DOMAIN, hexToBytes(messages.fetch)))), messages.fetch)
  t.equal(bytesToHex(encodePageQuery(DOMAIN, decodePageQuery(DOMAIN, hexToBytes(messages.push)))), messages.push)
})
