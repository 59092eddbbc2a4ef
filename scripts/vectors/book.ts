import { hash } from 'node:crypto'
import { bytesToHex, type Hex } from 'viem'
import { proofOf } from '../../src/book/equivocation.ts'
import { expiresAtMs, thawBucket } from '../../src/book/lifetime.ts'
import { absorbFrame, answerFrame, firstFrame } from '../../src/book/negentropy.ts'
import { createItemSet, type Item } from '../../src/book/negentropy-items.ts'
import { createSigner, type Signer } from '../../src/identity/signer.ts'
import { encodeCbor } from '../../src/wire/cbor.ts'
import { delegationDigest, ROLE_BITS, type Delegation } from '../../src/wire/delegation.ts'
import { PLAIN_JOB } from '../../src/wire/job-offer.ts'
import { PLAIN_OFFER } from '../../src/wire/resource-offer.ts'
import { encodeBatch } from '../../src/wire/record-batch.ts'
import { bodyHash, encodeRecord, recordId, type RecordKind, type SignedRecord } from '../../src/wire/record.ts'
import { encodeDigestAnswer, encodeFetched, encodeFramesAnswer, encodePageQuery, encodeRoundQuery } from '../../src/wire/reconcile.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { marketShard, recordShard, slotAt, slotPlace } from '../../src/wire/shard.ts'
import { domainSeparator, type Domain } from '../../src/wire/typed-data.ts'

const DOMAIN: Domain = { chainId: 31_337, market: '0x5fbdb2315678afecb367f032d93f642f64180aa3' }
const SEQ = 1_700_000_040_000
const PEER = '12D3KooWGzh2hTJQzVyZQYkVr5WqPs2cM8Jr1T5Lq1hT1yJkJQ3V'
const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const keyOf = (name: string): Uint8Array => hash('sha256', `lilynode vector key ${name}`, 'buffer')

/** protocol/vectors/record.json, shard.json and reconcile.json, from fixed keys. */
export function bookVectors (): Record<string, unknown> {
  return { 'record.json': records(), 'shard.json': shards(), 'reconcile.json': reconcile() }
}

function shards (): unknown {
  const markets = ['', 'render', 'default', 'a', 'b', 'märkte', 'x'.repeat(32)]
  const records: Array<{ kind: RecordKind, slot: number }> = [
    { kind: 'job', slot: 0 }, { kind: 'offer', slot: 8191 }, { kind: 'job', slot: 2 ** 24 }, { kind: 'cancel', slot: 5 * 2 ** 24 + 7 }, { kind: 'offer', slot: 2 ** 31 - 1 },
    { kind: 'module', slot: 2 ** 31 + 3 }, { kind: 'cancel', slot: 2 ** 32 - 1 }, { kind: 'equivocation', slot: 2 ** 24 + 1 }
  ]
  return {
    about: 'protocol/record.md, "Shards".',
    markets: markets.map((market) => ({ market, cpu: marketShard(market, 'cpu'), gpu: marketShard(market, 'gpu') })),
    records: records.map((record) => ({ ...record, shard: recordShard(record), place: slotPlace(record.slot) }))
  }
}

function sign (signer: Signer, kind: RecordKind, slot: number, body: unknown, rest: { account?: Signer, delegation?: Delegation } = {}): SignedRecord {
  const bytes = body === undefined ? new Uint8Array(0) : encodeCbor(body)
  const head = { kind, account: (rest.account ?? signer).address, operator: signer.address, slot, seq: SEQ, bodyHash: bodyHash(bytes) }
  const id = recordId(DOMAIN, head)
  return { ...head, id, body: bytes, signature: signer.sign(id), ...(rest.delegation === undefined ? {} : { delegation: rest.delegation }) }
}

function records (): unknown {
  const account = createSigner(keyOf('account'))
  const operator = createSigner(keyOf('operator'))
  const resources = { cpuMilli: 1000, memoryMiB: 64, diskMiB: 16 }
  const job = {
    ...PLAIN_JOB, engine: 'wasm', jobNumber: 1, module: CID, moduleName: 'hello:v1', inputs: CID, resources, runSeconds: 60, limit: 1_000_000, validUntil: SEQ + 600_000, deadline: SEQ + 3_600_000,
    verification: { strategy: 'receipt', auditBp: 0 }, mediators: [operator.address], targets: [], avoid: [], attempt: 0, peer: PEER
  }
  const offer = {
    ...PLAIN_OFFER, unit: 'a', capacity: resources, ask: { base: 1, cpuMilliSecond: 2, memoryMiBSecond: 3, diskMiBSecond: 0 }, engines: ['wasm'], modules: [], maxRunSeconds: 3600,
    mediators: [], creators: [], validUntil: SEQ + 600_000, peer: PEER
  }
  const unsigned = { account: account.address, operator: operator.address, peerId: PEER, roles: ROLE_BITS.provider, notBefore: SEQ / 1000 - 60, expiry: SEQ / 1000 + 86_400, nonce: 1 }
  const delegation = { ...unsigned, signature: account.sign(delegationDigest(DOMAIN, unsigned)) }
  const one = sign(account, 'job', 7, job)
  const other = sign(account, 'job', 7, { ...job, limit: 2 })
  const named: Array<[string, SignedRecord]> = [
    ['job offer', sign(account, 'job', 0, job)],
    ['resource offer of a delegated operator', sign(operator, 'offer', 1, offer, { account, delegation })],
    ['cancel', sign(account, 'cancel', 0, undefined)],
    ['job offer of a named market that asks for a GPU', sign(account, 'job', slotAt(marketShard('render', 'gpu'), 0), { ...job, market: 'render', gpus: [{ models: [], vramMiB: 8192, shareBp: 10_000 }] })],
    ['module', sign(account, 'module', 2 ** 31, { name: 'hello', tag: 'v1', manifest: CID })],
    ['one side of an equivocation', one],
    ['the other side', other],
    ['equivocation proof', proofOf(DOMAIN, one, other)]
  ]
  return {
    about: 'protocol/record.md, protocol/book.md, protocol/identity.md. Keys are sha-256 of "lilynode vector key NAME".',
    domain: DOMAIN, domainSeparator: domainSeparator(DOMAIN),
    keys: { account: bytesToHex(keyOf('account')), operator: bytesToHex(keyOf('operator')) },
    delegation: { ...delegation, digest: delegationDigest(DOMAIN, delegation) },
    records: named.map(([name, record]) => ({
      name, kind: record.kind, account: record.account, operator: record.operator, slot: record.slot, seq: record.seq, body: bytesToHex(record.body), bodyHash: record.bodyHash,
      id: record.id, signature: record.signature, encoded: bytesToHex(encodeRecord(record)), expiresAtMs: expiresAtMs(record),
      ...(record.kind === 'equivocation' ? { thawsAtMs: thawBucket(record) * 60_000 } : {})
    })),
    batch: bytesToHex(encodeBatch(DOMAIN, [one, other].map(encodeRecord)))
  }
}

function reconcile (): unknown {
  const itemOf = (n: number): Item => ({ timestamp: 1000 + Math.floor(n / 3), id: `0x${hash('sha256', `item ${n}`, 'hex')}` })
  const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
  const cases: Array<[string, number[], number[], number]> = [
    ['both empty', [], [], 60_000], ['we have nothing', [], range(5), 60_000], ['they have nothing', range(5), [], 60_000], ['equal', range(100), range(100), 60_000],
    ['differences on both sides', range(100).filter((n) => n !== 50), range(100).filter((n) => n !== 7 && n !== 93), 60_000], ['a frame limit', range(10), range(300), 4_096]
  ]
  const sessions = cases.map(([name, ours, theirs, maxBytes]) => {
    const [a, b] = [createItemSet(ours.map(itemOf)), createItemSet(theirs.map(itemOf))]
    const frames: Array<{ query: Hex, answer: Hex }> = []
    const have: Hash[] = []
    const need: Hash[] = []
    for (let frame: Uint8Array | undefined = firstFrame(a); frame !== undefined;) {
      const answer = answerFrame(b, frame, maxBytes)
      frames.push({ query: bytesToHex(frame), answer: bytesToHex(answer) })
      const progress = absorbFrame(a, answer, maxBytes)
      have.push(...progress.have)
      need.push(...progress.need)
      frame = progress.next
    }
    return { name, ours, theirs, maxBytes, frames, have: have.sort(), need: need.sort() }
  })
  const ids = [itemOf(0).id, itemOf(1).id]
  const frame = Uint8Array.of(0x61)
  const bucket = 28_333_334
  return {
    about: 'protocol/reconcile.md. Item n: timestamp 1000 + floor(n / 3), id sha-256 of "item n".',
    fingerprints: [0, 1, 3, 100].map((count) => ({ count, fingerprint: bytesToHex(createItemSet(range(count).map(itemOf)).fingerprint(0, count)) })),
    sessions,
    messages: {
      digests: bytesToHex(encodeRoundQuery(DOMAIN, { type: 'digests', bucket, shards: [0, 1, 128].map((shard) => [shard, createItemSet(range(shard).map(itemOf)).fingerprint(0, shard)]) })),
      digestAnswer: bytesToHex(encodeDigestAnswer({ equal: [0], differing: [128] })),
      frames: bytesToHex(encodeRoundQuery(DOMAIN, { type: 'frames', bucket, shards: [[0, frame], [128, frame]] })), framesAnswer: bytesToHex(encodeFramesAnswer([[0, frame], [128, frame]])),
      fetch: bytesToHex(encodePageQuery(DOMAIN, { type: 'fetch', ids })), push: bytesToHex(encodePageQuery(DOMAIN, { type: 'push', records: [Uint8Array.of(1)] })),
      fetched: bytesToHex(encodeFetched([Uint8Array.of(1)]))
    }
  }
}
