import { encodeRecord, type RecordKind, type SignedRecord } from '../wire/record.ts'
import { COMMON_SHARD, recordShard, slotShard } from '../wire/shard.ts'
import type { Hash } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import { createAuthors, type Author } from './authors.ts'
import { proofOf } from './equivocation.ts'
import { createEviction } from './eviction.ts'
import { createExpiries } from './expiries.ts'
import { bucketOf, expiryBucket, thawBucket } from './lifetime.ts'
import { BOOK_DEFAULTS, SKEW_MS, type BookOptions } from './options.ts'
import { authorKey, authorOf, isAbove } from './register.ts'
import { createRegisters, type Registers } from './registers.ts'

/** One member of the book; `bytes` is the record's encoding. */
export interface Entry { readonly record: SignedRecord, readonly firstSeenMs: number, readonly bytes: Uint8Array }
/** What `merge` did: the first is a change, `equivocation` is one too (a proof became a member), the others left the book as it was. */
export type MergeResult = 'added' | 'equivocation' | 'duplicate' | 'superseded' | 'expired' | 'future' | 'quota' | 'unfollowed'
export type Change = { type: 'added' | 'removed', entry: Entry }

/**
 * protocol/book.md. The set of signed records with a last-writer-wins register per (account, operator, slot), and one proof per
 * frozen author. Holds the shards it was told to and is, within each, what any book with that shard is. Takes verified records
 * only (`admission.ts`); no network, no clock: time is passed in and never goes back.
 */
export interface Book {
  /** Shards that are held, ascending; the common one always is. */
  readonly shards: readonly number[]
  /** Joins one verified record. `bytes` is its encoding where that is at hand; `firstSeenMs` is given when it comes back from disk. */
  merge: (record: SignedRecord, nowMs: number, known?: { bytes?: Uint8Array, firstSeenMs?: number }) => MergeResult
  get: (id: Hash) => Entry | undefined
  /** The highest seq of the register that `record` writes. */
  head: (record: Pick<SignedRecord, 'account' | 'operator' | 'slot'>) => Entry | undefined
  /** Members of a kind whose author is not frozen. A register holds one record, so these are neither superseded nor cancelled. */
  live: (kind: RecordKind) => Entry[]
  /** Whether the author's records are suspended by a proof. */
  isFrozen: (record: Pick<SignedRecord, 'account' | 'operator'>) => boolean
  /** Ids of all members, in no order: what reconciliation compares. */
  ids: () => Hash[]
  /** All members, or those of one shard. */
  members: (shard?: number) => Iterable<Entry>
  /** Weights have changed: the free tier and who goes first are found anew. */
  reweigh: () => void
  /** Drops what ended by the bucket of `nowMs`, thaws authors; returns the ids that were dropped. */
  collect: (nowMs: number) => Hash[]
  readonly size: number
  /** Members of the shard that has most: how near the book is to its bounds. */
  readonly fullest: number
  /** Counts changes of a shard's membership; equal versions mean equal members. */
  versionOf: (shard: number) => number
  /** Changes of what `live` shows (cancels and proofs included). A frozen author's records are removed, and added again when it thaws. */
  onChange: (listener: (change: Change) => void) => () => void
  /** Changes of membership: what must be on disk. */
  onMember: (listener: (change: Change) => void) => () => void
}

export function createBook (components: { domain: Domain }, options: Partial<BookOptions> = {}): Book {
  const { maxProofs, weight, shards: followed, ...bounds } = { ...BOOK_DEFAULTS, ...options }
  const shards = [...new Set([...followed, COMMON_SHARD])].sort((a, b) => a - b)
  const registers = new Map<number, Registers>(shards.map((shard) => [shard, createRegisters(weight, bounds)]))
  const versions = new Map<number, number>()
  const byId = new Map<Hash, Entry>()
  const proofs = new Map<string, Entry>()
  const authors = createAuthors()
  const expiries = createExpiries(byId)
  const frozen = new Set<string>()
  const changeListeners = new Set<(change: Change) => void>()
  const memberListeners = new Set<(change: Change) => void>()
  const proofEviction = createEviction({ has: (author: string) => proofs.has(author), values: () => proofs.keys() }, { nameOf: (author) => author, weightOf: (author) => weight(authorOf(author).account) })
  let bucket = 0

  const countChange = (record: SignedRecord): void => {
    const shard = recordShard(record)
    versions.set(shard, (versions.get(shard) ?? 0) + 1)
  }
  const show = (type: Change['type'], entry: Entry): void => { for (const listener of changeListeners) listener({ type, entry }) }
  const isFrozen = (author: Author): boolean => frozen.size > 0 && frozen.has(authorKey(author))
  const isVisible = ({ record }: Entry): boolean => record.kind === 'equivocation' || !isFrozen(record)

  const insert = (entry: Entry): void => {
    const { record } = entry
    countChange(record)
    byId.set(record.id, entry)
    expiries.add(entry)
    if (record.kind === 'equivocation') {
      const author = authorKey(record)
      const isNew = !proofs.has(author)
      proofs.set(author, entry)
      if (isNew) proofEviction.add(author)
    } else {
      registers.get(slotShard(record.slot))?.add(entry)
      authors.set(entry)
    }
    for (const listener of memberListeners) listener({ type: 'added', entry })
    if (isVisible(entry)) show('added', entry)
  }

  const remove = (entry: Entry): void => {
    const { record } = entry
    countChange(record)
    byId.delete(record.id)
    expiries.leave()
    if (record.kind === 'equivocation') {
      proofs.delete(authorKey(record))
    } else {
      registers.get(slotShard(record.slot))?.delete(entry)
      authors.delete(record)
    }
    for (const listener of memberListeners) listener({ type: 'removed', entry })
    if (isVisible(entry)) show('removed', entry)
  }

  /** Holds the author's freeze against its proof; the records themselves stay members either way. */
  const refreeze = (author: string): void => {
    const proof = proofs.get(author)
    const isNow = proof !== undefined && bucket < thawBucket(proof.record)
    if (isNow === frozen.has(author)) return
    if (isNow) frozen.add(author)
    else frozen.delete(author)
    for (const entry of authors.of(authorOf(author))) show(isNow ? 'removed' : 'added', entry)
  }

  const mergeProof = (entry: Entry): MergeResult => {
    const author = authorKey(entry.record)
    const standing = proofs.get(author)
    if (standing !== undefined && !isAbove(entry.record, standing.record)) return 'superseded'
    if (standing === undefined && proofs.size >= maxProofs) {
      if (proofEviction.isNext(author)) return 'quota'
      const out = proofEviction.pop() as string
      remove(proofs.get(out) as Entry)
      refreeze(out)
    }
    if (standing !== undefined) remove(standing)
    insert(entry)
    refreeze(author)
    return 'added'
  }

  const mergeHead = (entry: Entry, shard: Registers): MergeResult => {
    const standing = authors.get(entry.record)
    const isConflict = standing !== undefined && standing.record.seq === entry.record.seq
    if (standing !== undefined && !isConflict && !isAbove(entry.record, standing.record)) return 'superseded'
    if (standing === undefined && !shard.makeRoom(entry, remove)) return 'quota'
    if (isConflict) {
      const proof = proofOf(components.domain, standing.record, entry.record)
      mergeProof({ record: proof, firstSeenMs: entry.firstSeenMs, bytes: encodeRecord(proof) })
    }
    if (standing === undefined || isAbove(entry.record, standing.record)) {
      if (standing !== undefined) remove(standing)
      insert(entry)
    }
    return isConflict ? 'equivocation' : 'added'
  }

  const collect = (nowMs: number): Hash[] => {
    bucket = Math.max(bucket, bucketOf(nowMs))
    const dropped = expiries.take(bucket).filter((entry) => byId.get(entry.record.id) === entry)
    for (const entry of dropped) remove(entry)
    for (const author of [...frozen]) refreeze(author)
    return dropped.map(({ record }) => record.id)
  }

  return {
    shards,
    merge: (record, nowMs, known = {}) => {
      const shard = registers.get(recordShard(record))
      if (shard === undefined) return 'unfollowed'
      if (bucketOf(nowMs) > bucket) collect(nowMs)
      if (bucket >= expiryBucket(record)) return 'expired'
      if (record.seq > nowMs + SKEW_MS) return 'future'
      if (byId.has(record.id)) return 'duplicate'
      const entry = { record, firstSeenMs: known.firstSeenMs ?? nowMs, bytes: known.bytes ?? encodeRecord(record) }
      return record.kind === 'equivocation' ? mergeProof(entry) : mergeHead(entry, shard)
    },
    get: (id) => byId.get(id),
    head: authors.get,
    live: (kind) => [...byId.values()].filter((entry) => entry.record.kind === kind && isVisible(entry)),
    isFrozen,
    ids: () => [...byId.keys()],
    members: (shard) => shard === undefined ? byId.values() : [...registers.get(shard)?.entries() ?? [], ...(shard === COMMON_SHARD ? proofs.values() : [])],
    reweigh: () => {
      proofEviction.reset()
      for (const shard of registers.values()) shard.reweigh(remove)
    },
    collect,
    get size () { return byId.size },
    get fullest () { return Math.max(...[...registers.values()].map((shard) => shard.size)) },
    versionOf: (shard) => versions.get(shard) ?? 0,
    onChange: (listener) => subscribe(changeListeners, listener),
    onMember: (listener) => subscribe(memberListeners, listener)
  }
}

function subscribe<T> (listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => { listeners.delete(listener) }
}
