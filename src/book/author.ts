import type { Clock } from '../core/clock.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Signer } from '../identity/signer.ts'
import type { Datastore } from '../store/datastore.ts'
import type { Delegation } from '../wire/delegation.ts'
import { bodyHash, recordId, type SignedRecord } from '../wire/record.ts'
import type { Address } from '../wire/shapes.ts'
import { COMMON_SHARD, slotAt } from '../wire/shard.ts'
import type { Domain } from '../wire/typed-data.ts'
import { createAuthorStore, type OwnSlot } from './author-store.ts'
import { assertBody, writeBody, type BodyKind } from './body.ts'
import { BookError } from './errors.ts'
import { expiresAtMs, isKindOfSlot } from './lifetime.ts'
import { AUTHOR, BOOK_DEFAULTS, SKEW_MS, type BookOptions } from './options.ts'

/** Signs this node's own records. `start` reads the own slots from disk; the others wait for it. Publishing is the caller's. */
export interface Author extends Startable {
  readonly account: Address
  /** The key that signs: the account's own, or one it delegated to. */
  readonly operator: Address
  /** A record with this body in this slot: the newest there. Throws WireError on a body of another shape, BookError BOOK_SLOT, BOOK_CLOCK. */
  put: (kind: BodyKind, slot: number, body: unknown) => Promise<SignedRecord>
  /** Withdraws whatever stands in the slot. */
  cancel: (slot: number) => Promise<SignedRecord>
  /** The lowest slot of a shard that holds nothing living, reserved by this call; modules go into the common shard. BookError BOOK_SLOTS_FULL, BOOK_NOT_STARTED. */
  freeSlot: (shard: number) => number
  /** Gives a slot from `freeSlot` back that was not used after all. */
  releaseSlot: (slot: number) => void
  /** Own records that live, whatever this run of the node put. */
  living: (nowMs: number) => OwnSlot[]
  /** Own records that live and are due: the owner's role puts each anew, with a fresh body, into the same slot. */
  renewable: (nowMs: number) => OwnSlot[]
}

export function createAuthor (
  components: { signer: Signer, datastore: Datastore, clock: Clock },
  options: { domain: Domain, account?: Address, delegation?: Delegation, quota?: BookOptions['quota'] }
): Author {
  const { signer, datastore, clock } = components
  const account = options.account ?? signer.address
  const quota = (options.quota ?? BOOK_DEFAULTS.quota)(account)
  const store = createAuthorStore({ datastore }, { operator: signer.address, account })
  const reserved = new Set<number>()
  let queue: Promise<unknown> = Promise.resolve()

  /** One at a time: the seq of the second is above the first's, on disk too. */
  const sign = async (kind: BodyKind | 'cancel', slot: number, body: Uint8Array): Promise<SignedRecord> => {
    await store.load()
    const now = clock.now()
    const seq = Math.max(now, store.lastSeq() + 1)
    if (seq > now + SKEW_MS) {
      throw new BookError('BOOK_CLOCK', `the clock is ${Math.ceil((seq - now) / 1000)} s behind the last own record`, { data: { now, lastSeq: store.lastSeq() }, hint: 'Set the clock right; peers refuse records from the future.' })
    }
    const head = { kind, account, operator: signer.address, slot, seq, bodyHash: bodyHash(body) }
    const id = recordId(options.domain, head)
    const unsigned = { ...head, id, body, ...(account === signer.address || options.delegation === undefined ? {} : { delegation: options.delegation }) }
    if (!isKindOfSlot(kind, slot)) throw new BookError('BOOK_SLOT', `slot ${slot} is not for records of kind ${kind}`, { data: { kind, slot } })
    assertBody({ ...unsigned, signature: '0x' })
    // On disk first: after a crash in between, this seq is lost, never used twice.
    await store.save({ slot, kind, seq, body })
    return { ...unsigned, signature: signer.sign(id) }
  }
  const enqueue = async (work: () => Promise<SignedRecord>): Promise<SignedRecord> => {
    const result = queue.then(work)
    queue = result.catch(() => undefined)
    return await result
  }
  const isLiving = (own: OwnSlot | undefined, nowMs: number): boolean => own !== undefined && own.kind !== 'cancel' && nowMs < expiresAtMs(own)

  return {
    account,
    operator: signer.address,
    start: async () => { await store.load() },
    stop: async () => { await queue },
    put: async (kind, slot, body) => {
      const bytes = writeBody(kind, body)
      return await enqueue(async () => await sign(kind, slot, bytes))
    },
    cancel: async (slot) => await enqueue(async () => {
      const record = await sign('cancel', slot, new Uint8Array(0))
      reserved.delete(slot)
      return record
    }),
    freeSlot: (shard) => {
      const count = shard === COMMON_SHARD ? quota.module : quota.market
      for (let place = 0; place < count; place++) {
        const slot = slotAt(shard, place)
        if (reserved.has(slot) || isLiving(store.slot(slot), clock.now())) continue
        reserved.add(slot)
        return slot
      }
      throw new BookError('BOOK_SLOTS_FULL', `all ${count} slots of ${account} in shard ${shard} are in use`, { data: { count, shard }, hint: 'Cancel an offer, or wait until one ends.' })
    },
    releaseSlot: (slot) => { reserved.delete(slot) },
    living: (nowMs) => store.all().filter((own) => isLiving(own, nowMs)),
    renewable: (nowMs) => store.all().filter((own) => isLiving(own, nowMs) && expiresAtMs(own) - nowMs < AUTHOR.renewShare * (expiresAtMs(own) - own.seq))
  }
}
