import { equals } from 'uint8arrays/equals'
import { errorCode } from '../core/errors.ts'
import { packClaims, verifyClaims, type SignatureCheck } from '../wire/signature.ts'
import type { Validation } from '../mesh/topics.ts'
import type { DecodedRecord } from '../wire/decoded-record.ts'
import { decodeRecord, type SignedRecord } from '../wire/record.ts'
import type { Hash } from '../wire/shapes.ts'
import { recordShard, slotPlace } from '../wire/shard.ts'
import type { Domain } from '../wire/typed-data.ts'
import { assertBody } from './body.ts'
import type { Book } from './book.ts'
import { createDelegationCheck, type OpenDelegation } from './delegations.ts'
import { claimsOfProof } from './equivocation.ts'
import { bucketOf, expiryBucket, isKindOfSlot, slotClass } from './lifetime.ts'
import { BOOK_DEFAULTS, RATE_LIMITS, SKEW_MS, type BookOptions } from './options.ts'
import { authorKey } from './register.ts'
import { createTokenBuckets } from './token-bucket.ts'

/** How a record came: relayed by gossip, asked for in reconciliation, pushed to us in reconciliation, or signed here. */
export type Path = 'gossip' | 'fetch' | 'push' | 'own'
/** `shard` is that of the topic a gossiped record came on. */
export interface AdmissionContext { from: string, path: Path, nowMs: number, shard?: number | undefined }
/**
 * `record` is present when the verdict is accept, `code` when it is not, `id` whenever the bytes were a record at all.
 * `isVerified`: ignored, but nobody can REJECT these bytes: their signatures were checked, now or when they came before.
 */
export interface Admission { verdict: Validation, code?: string, record?: SignedRecord, id?: Hash, isVerified?: boolean }

/** A record that stands but for its signatures. `delegation` is the last claim where it is to be remembered. */
export interface Candidate { readonly record: DecodedRecord, readonly claims: readonly SignatureCheck[], readonly delegation: OpenDelegation | undefined, readonly context: AdmissionContext }

/**
 * protocol/record.md, "Admission": the checks in the order of their cost. REJECT is for what no honest peer relays;
 * IGNORE for what may be honest on another clock, book or chain view. Never throws on foreign bytes.
 */
export interface Admissions {
  /** All that costs no signature. */
  screen: (bytes: Uint8Array, context: AdmissionContext) => Admission | Candidate
  /** What becomes of it: one byte per claim, as `verifyClaims` gives them, its own from `from` on. */
  conclude: (candidate: Candidate, verdicts: Uint8Array, from?: number) => Admission
  /** The whole of it at once, on this thread. */
  admit: (bytes: Uint8Array, context: AdmissionContext) => Admission
}

export function createAdmission (components: { book: Pick<Book, 'get' | 'head' | 'shards'>, domain: Domain }, options: Pick<BookOptions, 'quota'> = BOOK_DEFAULTS): Admissions {
  const { book, domain } = components
  const { maxKeys } = RATE_LIMITS
  const followed = new Set(book.shards)
  const authors = createTokenBuckets({ ...RATE_LIMITS.author, maxKeys })
  const peers = { gossip: createTokenBuckets({ ...RATE_LIMITS.gossipPeer, maxKeys }), push: createTokenBuckets({ ...RATE_LIMITS.pushPeer, maxKeys }) }
  const checkDelegation = createDelegationCheck({ domain })

  /** What costs next to nothing. */
  const place = (record: SignedRecord, bytes: Uint8Array, { nowMs, path, from, shard }: AdmissionContext): Admission | undefined => {
    // A record MUST stand in a slot of its kind's class.
    if (!isKindOfSlot(record.kind, record.slot)) return reject('BOOK_SLOT')
    // A record MUST be sent on the topic of its own shard.
    if (shard !== undefined && recordShard(record) !== shard) return reject('BOOK_TOPIC')
    if (!followed.has(recordShard(record))) return ignore('BOOK_SHARD')
    // A record MUST NOT be signed by a delegate of nobody.
    if ((record.operator === record.account) !== (record.delegation === undefined)) return reject('BOOK_DELEGATION')
    if (bucketOf(nowMs) >= expiryBucket(record)) return ignore('BOOK_EXPIRED')
    if (record.seq > nowMs + SKEW_MS) return ignore('BOOK_FUTURE')
    const held = record.kind === 'equivocation' ? book.get(record.id) : book.head(record)
    if (held?.record.id === record.id) return { ...ignore('BOOK_DUPLICATE'), isVerified: equals(held.bytes, bytes) }
    // Equal seq goes on: with another id it is an equivocation.
    if (held !== undefined && held.record.seq > record.seq) return ignore('BOOK_SUPERSEDED')
    if (slotPlace(record.slot) >= options.quota(record.account)[slotClass(record.slot)]) return ignore('BOOK_QUOTA')
    if ((path === 'gossip' || path === 'push') && !peers[path].take(from, nowMs)) return ignore('BOOK_RATE')
    // Looked at here and taken after the signature: a stranger cannot use up an author's tokens.
    if (path === 'gossip' && !authors.has(authorKey(record), nowMs)) return ignore('BOOK_RATE')
    return undefined
  }

  /** The body, and what must be signed; a delegation comes last. Throws WireError, BookError BOOK_SLOT. */
  const claimsOf = (record: DecodedRecord, context: AdmissionContext): Candidate | Admission => {
    assertBody(record)
    const own = record.kind === 'equivocation' ? claimsOfProof(domain, record) : [{ digest: record.id, signature: record.signatureBytes, signer: record.operator }]
    if (own === undefined) return reject('BOOK_PROOF')
    const delegation = checkDelegation(record)
    if (delegation === false) return reject('BOOK_DELEGATION')
    return delegation === true ? { record, claims: own, delegation: undefined, context } : { record, claims: [...own, delegation.claim], delegation, context }
  }

  const screen = (bytes: Uint8Array, context: AdmissionContext): Admission | Candidate => {
    let record: DecodedRecord
    try {
      record = decodeRecord(domain, bytes)
    } catch (error) {
      return reject(errorCode(error))
    }
    const { id } = record
    const refused = place(record, bytes, context)
    if (refused !== undefined) return { ...refused, id }
    try {
      const open = claimsOf(record, context)
      return 'verdict' in open ? { ...open, id } : open
    } catch (error) {
      return { ...reject(errorCode(error)), id }
    }
  }
  const conclude = ({ record, claims, delegation, context }: Candidate, verdicts: Uint8Array, from = 0): Admission => {
    const { id } = record
    for (let claim = 0; claim < claims.length; claim++) {
      // A claim without a verdict does not hold.
      if (verdicts[from + claim] === 1) continue
      const isDelegation = delegation !== undefined && claim === claims.length - 1
      return { ...reject(isDelegation ? 'BOOK_DELEGATION' : record.kind === 'equivocation' ? 'BOOK_PROOF' : 'BOOK_SIGNATURE'), id }
    }
    delegation?.remember()
    if (context.path === 'gossip') authors.take(authorKey(record), context.nowMs)
    return { verdict: 'accept', record, id }
  }

  return {
    screen,
    conclude,
    admit: (bytes, context) => {
      const screened = screen(bytes, context)
      return 'claims' in screened ? conclude(screened, verifyClaims(packClaims(screened.claims))) : screened
    }
  }
}

function reject (code: string): Admission {
  return { verdict: 'reject', code }
}

function ignore (code: string): Admission {
  return { verdict: 'ignore', code }
}
