import { readFileSync } from 'node:fs'
import { hexToBytes } from 'viem'
import { createAdmission } from '../src/book/admission.ts'
import { createBook } from '../src/book/book.ts'
import { absorbFrame, answerFrame } from '../src/book/negentropy.ts'
import { createItemSet, type ItemSet } from '../src/book/negentropy-items.ts'
import { bytesToError, errorToBytes } from '../src/mesh/error-frame.ts'
import { RequestError } from '../src/mesh/errors.ts'
import { decodeAuctionMessage, decodeEvidence, decodeProof } from '../src/wire/auction.ts'
import { dealRequestShape, decodeMessage, encodeMessage, mediateRequestShape, openRequestShape } from '../src/wire/deal-room.ts'
import { decodeHello, encodeHello } from '../src/wire/hello.ts'
import { decodeBatch, encodeBatch } from '../src/wire/record-batch.ts'
import { decodeDigestAnswer, decodeFetched, decodeFramesAnswer, decodePageQuery, decodePushed, decodeRoundQuery, encodeFetched, encodePushed, MAX_FRAME_BYTES } from '../src/wire/reconcile.ts'
import { encodeRecord, type RecordKind } from '../src/wire/record.ts'
import { decodeSolution } from '../src/wire/solution.ts'
import { delegate, DOMAIN, signRecord, T0, testSigner } from '../test/support/records.ts'

/** One decoder as a stranger reaches it. `run` throws coded errors only; it may return how the bytes were judged. */
export interface Target { name: string, corpus: Uint8Array[], run: (bytes: Uint8Array) => string | void }

const ITEMS = 1_000
/** Rates are another matter: each record comes as if asked for. */
const CONTEXT = { from: 'hostile', path: 'fetch', nowMs: T0 } as const

interface Vectors { [name: string]: unknown }
const vectors = (name: string): Vectors => JSON.parse(readFileSync(new URL(`../protocol/vectors/${name}.json`, import.meta.url), 'utf8')) as Vectors
const hex = (value: unknown): Uint8Array => hexToBytes(value as `0x${string}`)

/** Every decoder of bytes from the network, with valid messages from the vectors and the tests' makers. */
export function createTargets (): Target[] {
  const signer = testSigner(1)
  const operator = testSigner(2)
  const records = (['job', 'offer', 'cancel', 'module'] as RecordKind[]).map((kind) => signRecord(signer, kind))
  records.push(signRecord(operator, 'job', { account: signer.address, delegation: delegate(signer, operator.address) }))
  const encoded = [...records.map(encodeRecord), ...(vectors('record')['records'] as Array<{ encoded: string }>).map((record) => hex(record.encoded))]

  const book = createBook({ domain: DOMAIN })
  const { admit } = createAdmission({ book, domain: DOMAIN })
  for (const record of records.slice(0, 2)) book.merge(record, T0)
  const judge = (bytes: Uint8Array): string | undefined => {
    const { verdict, code } = admit(bytes, CONTEXT)
    // Admission gives every error a verdict; one without a code of its own was not foreseen.
    if (code === 'INTERNAL') throw new Error('admission met an error without a code')
    return verdict === 'accept' ? undefined : code
  }
  /** Records that say nonsense under a good signature: what is checked last. */
  const judgeSigned = (body: Uint8Array): string | undefined => judge(encodeRecord(signRecord(signer, 'job', { slot: 7, body })))

  const set = createItemSet(Array.from({ length: ITEMS }, (_, index) => ({ timestamp: 1000 + index, id: signRecord(signer, 'cancel', { slot: index, seq: T0 + index }).id })))
  const frames = (vectors('reconcile')['sessions'] as Array<{ frames: Array<{ query: string, answer: string }> }>).flatMap((session) => session.frames.flatMap(({ query, answer }) => [hex(query), hex(answer)]))
  const messages = vectors('reconcile')['messages'] as Record<string, string>
  const auction = vectors('auction') as Record<string, { bytes: string }>
  const terms = vectors('deal')['terms']
  const hash = `0x${'11'.repeat(32)}`
  const signature = `0x${'22'.repeat(64)}`
  const delegation = delegate(signer, operator.address)

  return [
    { name: 'record', corpus: encoded, run: judge },
    { name: 'signed body', corpus: records.map(({ body }) => body).filter((body) => body.length > 0), run: judgeSigned },
    { name: 'batch', corpus: [encodeBatch(DOMAIN, encoded.slice(0, 4)), hex(vectors('record')['batch'])], run: (bytes) => { decodeBatch(DOMAIN, bytes).forEach(judge) } },
    { name: 'round query', corpus: [hex(messages['digests']), hex(messages['frames'])], run: (bytes) => { for (const [, frame] of decodeRoundQuery(DOMAIN, bytes).shards) answer(set, frame) } },
    { name: 'frame', corpus: frames, run: (bytes) => { answer(set, bytes) } },
    { name: 'answered frame', corpus: frames, run: (bytes) => { absorbFrame(set, bytes, MAX_FRAME_BYTES) } },
    { name: 'digest answer', corpus: [hex(messages['digestAnswer'])], run: (bytes) => { decodeDigestAnswer(bytes) } },
    { name: 'frames answer', corpus: [hex(messages['framesAnswer'])], run: (bytes) => { for (const [, frame] of decodeFramesAnswer(bytes)) absorbFrame(set, frame, MAX_FRAME_BYTES) } },
    { name: 'page query', corpus: [hex(messages['fetch']), hex(messages['push'])], run: (bytes) => { decodePageQuery(DOMAIN, bytes) } },
    { name: 'page', corpus: [encodeFetched(encoded)], run: (bytes) => { decodeFetched(bytes).forEach(judge) } },
    { name: 'push answer', corpus: [encodePushed(records.map(({ id }) => id))], run: (bytes) => { decodePushed(bytes) } },
    { name: 'auction message', corpus: ['commit', 'reveal', 'posting', 'certificate'].map((name) => hex(auction[name]?.bytes)), run: (bytes) => { decodeAuctionMessage(bytes) } },
    { name: 'solution', corpus: [hex(auction['solution']?.bytes)], run: (bytes) => { decodeSolution(bytes) } },
    { name: 'proof of a certificate', corpus: [hex(auction['proof'])], run: (bytes) => { decodeProof(bytes) } },
    { name: 'evidence', corpus: [hex(auction['evidence'])], run: (bytes) => { decodeEvidence(bytes) } },
    { name: 'hello', corpus: [encodeHello({ delegation, roles: ['creator'] })], run: (bytes) => { decodeHello(bytes) } },
    {
      name: 'deal request',
      corpus: [
        { type: 'propose', epoch: 1, evidence: hex(auction['evidence']), jobOfferId: hash, resourceOfferId: hash, creatorSaltHash: hash, fee: 1, certificates: [hash], proofs: [hex(auction['proof'])] }, { type: 'agree', dealId: hash, creatorSignature: signature },
        { type: 'salt', dealId: hash, manifest: hash, signature, creatorSalt: hash }, { type: 'status', dealId: hash }
      ].map(encodeMessage),
      run: (bytes) => { decodeMessage(dealRequestShape, bytes, 'deal request') }
    },
    { name: 'open request', corpus: [encodeMessage({ terms, creatorSignature: signature, providerSignature: signature })], run: (bytes) => { decodeMessage(openRequestShape, bytes, 'open request') } },
    {
      name: 'mediation request',
      corpus: [encodeMessage({
        terms, creatorSignature: signature, providerSignature: signature, mediators: { mediators: [signer.address], weights: [1] }, jobRecord: encoded[0], creatorSalt: hash, providerSalt: hash, manifest: new Uint8Array(10), outputRoot: hash, resultSignature: signature
      })],
      run: (bytes) => { decodeMessage(mediateRequestShape, bytes, 'mediation request') }
    },
    { name: 'error frame', corpus: [errorToBytes(new RequestError('MESH_BUSY', 'busy'))], run: (bytes) => { bytesToError(bytes) } }
  ]
}

function answer (set: ItemSet, frame: Uint8Array): void {
  const { length } = answerFrame(set, frame, MAX_FRAME_BYTES)
  if (length > MAX_FRAME_BYTES) throw new Error(`an answer of ${length} bytes`)
}
