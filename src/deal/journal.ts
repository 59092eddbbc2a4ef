import { decode } from 'cborg'
import type { Hash } from '../wire/shapes.ts'
import { encodeCbor } from '../wire/cbor.ts'
import type { Datastore } from '../store/datastore.ts'
import type { Deal } from './deal.ts'

const PREFIX = '/deal/'

/** Deals on disk, one entry each, replaced whole and synced: a step is on disk before it is announced. */
export interface Journal {
  /** Reads what an earlier run left. */
  load: () => Promise<Deal[]>
  /** Resolves when the deal as it is now is on disk. */
  save: (deal: Deal) => Promise<void>
}

/** A journal in the node's datastore, one per role so that a node may be both parties of different deals. */
export function createJournal (components: { datastore: Pick<Datastore, 'put' | 'entries'> }, options: { role: Deal['role'] }): Journal {
  const prefix = `${PREFIX}${options.role}/`
  const keyOf = (dealId: Hash): string => `${prefix}${dealId.slice(2)}`
  return {
    load: async () => {
      const deals: Deal[] = []
      for await (const [, value] of components.datastore.entries(prefix)) deals.push(decode(value) as Deal)
      return deals.sort((a, b) => a.updatedAtMs - b.updatedAtMs)
    },
    save: async (deal) => {
      const plain = Object.fromEntries(Object.entries(deal).filter(([, value]) => value !== undefined))
      await components.datastore.put(keyOf(deal.dealId), encodeCbor(plain), { sync: true })
    }
  }
}
