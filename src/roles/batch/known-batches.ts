import { decode } from 'cborg'
import type { Batch } from '../../chain/batch/layout.ts'
import type { ChainEvent } from '../../chain/chain.ts'
import type { Deal } from '../../deal/deal.ts'
import type { Datastore } from '../../store/datastore.ts'
import { encodeCbor } from '../../wire/cbor.ts'
import type { Address, Hash } from '../../wire/shapes.ts'

/** The event of a commit. */
export type Committed = ChainEvent & { name: 'BatchCommitted' }

/** Batches in which a role has deals, on disk until the last of them is over: claim, expiry and settlement need all of a batch. */
export interface KnownBatches {
  get: (id: Hash) => Promise<Batch | undefined>
  add: (id: Hash, batch: Batch) => Promise<void>
  /** Forgets those that no deal of these stands in. */
  keepOnly: (open: readonly Pick<Deal, 'batch'>[]) => Promise<void>
  /** Commits that were read while a deal lacked its creator's word, oldest first: it may stand in one of them. */
  passed: () => Promise<readonly Committed[]>
  /** Puts these in their place. */
  keepPassed: (commits: readonly Committed[]) => Promise<void>
}

interface Stored { solver: Address, slot: number, committedAt: number, expiry: number, root: Hash, voided: Hash, owners: Hash[], rows: Hash[] }

const word = (value: bigint): Hash => `0x${value.toString(16).padStart(64, '0')}`

export function createKnownBatches (components: { datastore: Pick<Datastore, 'get' | 'put' | 'delete' | 'entries'> }, { role }: { role: Deal['role'] | 'owner' }): KnownBatches {
  const { datastore } = components
  const prefix = `batch/known/${role}/`
  const passedKey = `batch/passed/${role}`
  const cache = new Map<Hash, Batch>()
  let passed: readonly Committed[] | undefined
  return {
    get: async (id) => {
      const held = cache.get(id)
      if (held !== undefined) return held
      const bytes = await datastore.get(prefix + id)
      if (bytes === undefined) return undefined
      const stored = decode(bytes) as Stored
      const batch: Batch = { ...stored, committedAt: BigInt(stored.committedAt), expiry: BigInt(stored.expiry), voided: BigInt(stored.voided), owners: stored.owners.map(BigInt), rows: stored.rows.map(BigInt) }
      cache.set(id, batch)
      return batch
    },
    add: async (id, batch) => {
      cache.set(id, batch)
      const stored: Stored = { ...batch, committedAt: Number(batch.committedAt), expiry: Number(batch.expiry), voided: word(batch.voided), owners: batch.owners.map(word), rows: batch.rows.map(word) }
      await datastore.put(prefix + id, encodeCbor(stored), { sync: true })
    },
    keepOnly: async (open) => {
      const wanted = new Set(open.map(({ batch }) => batch?.id))
      for await (const [key] of datastore.entries(prefix)) {
        const id = key.slice(prefix.length) as Hash
        if (wanted.has(id)) continue
        cache.delete(id)
        await datastore.delete(key)
      }
    },
    passed: async () => {
      if (passed !== undefined) return passed
      const bytes = await datastore.get(passedKey)
      const stored = bytes === undefined ? [] : decode(bytes) as Array<Omit<Committed, 'args'> & { args: Omit<Committed['args'], 'voided'> & { voided: Hash } }>
      passed = stored.map((event) => ({ ...event, args: { ...event.args, voided: BigInt(event.args.voided) } }))
      return passed
    },
    keepPassed: async (commits) => {
      await datastore.put(passedKey, encodeCbor(commits.map((event) => ({ ...event, args: { ...event.args, voided: word(event.args.voided) } }))), { sync: true })
      passed = commits
    }
  }
}
