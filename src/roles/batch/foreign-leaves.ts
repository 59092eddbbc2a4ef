import { decode } from 'cborg'
import { leafOf, type Batch } from '../../chain/batch/layout.ts'
import { DealError } from '../../deal/errors.ts'
import type { Datastore } from '../../store/datastore.ts'
import { encodeCbor } from '../../wire/cbor.ts'
import type { DealTerms } from '../../wire/deal-terms.ts'
import type { Hash } from '../../wire/shapes.ts'
import { disownKey } from '../../wire/statement.ts'
import type { KnownBatches } from './known-batches.ts'

/** A lock of this account's money that this node knows no terms for. `sum`: all that it locks, nLILY; `answerBy`: it is disowned, unix seconds, 0: it is not; `isShown`: there are terms. */
export interface ForeignLeaf { readonly key: Hash, readonly id: Hash, readonly leaf: number, readonly dealId: Hash, readonly sum: number, readonly answerBy: number, readonly isShown: boolean }

/** Whether these terms are what the leaf locks money for, in time: a later lock is none that its solver could answer for. */
export function isLeafOf (batch: Batch, leaf: number, { core }: DealTerms): boolean {
  return core.feeTo === batch.solver && leafOf(batch, core) === leaf && Number(batch.committedAt) <= core.openBy
}

/** Such locks on disk, with their batches, until they are over. */
export interface ForeignLeaves {
  load: () => Promise<void>
  all: () => ForeignLeaf[]
  /** One that is held already stays as it is. */
  add: (leaf: Pick<ForeignLeaf, 'id' | 'leaf' | 'dealId' | 'sum'>, batch: Batch) => Promise<void>
  /** By the key of its accusation; none of ours: nothing happens. */
  change: (key: Hash, change: Partial<Pick<ForeignLeaf, 'answerBy' | 'isShown'>>) => Promise<void>
  /** Throws DealError DEAL_NO_BATCH. */
  batchOf: (leaf: ForeignLeaf) => Promise<Batch>
  forget: (leaf: ForeignLeaf) => Promise<void>
}

const PREFIX = 'batch/foreign/'
const sync = { sync: true }

export function createForeignLeaves (components: { datastore: Pick<Datastore, 'put' | 'delete' | 'entries'>, known: KnownBatches }): ForeignLeaves {
  const { datastore, known } = components
  const held = new Map<Hash, ForeignLeaf>()
  const save = async (leaf: ForeignLeaf): Promise<void> => {
    held.set(leaf.key, leaf)
    await datastore.put(PREFIX + leaf.key, encodeCbor(leaf), sync)
  }
  return {
    load: async () => { for await (const [key, value] of datastore.entries(PREFIX)) held.set(key.slice(PREFIX.length) as Hash, decode(value) as ForeignLeaf) },
    all: () => [...held.values()],
    add: async (leaf, batch) => {
      const key = disownKey(leaf.id, leaf.leaf)
      if (held.has(key)) return
      await known.add(leaf.id, batch)
      await save({ key, ...leaf, answerBy: 0, isShown: false })
    },
    change: async (key, change) => {
      const leaf = held.get(key)
      if (leaf !== undefined) await save({ ...leaf, ...change })
    },
    batchOf: async ({ id }) => {
      const batch = await known.get(id)
      if (batch === undefined) throw new DealError('DEAL_NO_BATCH', 'the batch of a lock that nobody here signed is gone from this disk', { data: { batch: id } })
      return batch
    },
    forget: async ({ key }) => {
      held.delete(key)
      await datastore.delete(PREFIX + key)
      await known.keepOnly([...held.values()].map(({ id, leaf }) => ({ batch: { id, leaf, committedAt: 0, expiry: 0 } })))
    }
  }
}
