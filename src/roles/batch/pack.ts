import { MAX_LEAVES } from '../../chain/batch/layout.ts'
import type { Address } from '../../wire/shapes.ts'
import type { GatheredDeal } from './own-batch.ts'

/** Owners of a batch at most: one byte each (protocol/batches.md, Limits). */
const MAX_OWNERS = 256

interface Group { deals: GatheredDeal[], wordOf: Map<Address, number>, owners: Set<Address> }

/** Deals in as few batches as the limits allow, each deal in the first that takes it, in their order. */
export function packBatches (deals: readonly GatheredDeal[]): GatheredDeal[][] {
  const groups: Group[] = []
  for (const deal of deals) {
    const { creator, provider, jobNumber } = deal.terms.core
    const word = Math.floor(jobNumber / 32)
    const takes = ({ deals: taken, wordOf, owners }: Group): boolean =>
      taken.length < MAX_LEAVES && (wordOf.get(creator) ?? word) === word && new Set([...owners, creator, provider]).size <= MAX_OWNERS
    let group = groups.find(takes)
    if (group === undefined) {
      group = { deals: [], wordOf: new Map(), owners: new Set() }
      groups.push(group)
    }
    group.deals.push(deal)
    group.wordOf.set(creator, word)
    group.owners.add(creator).add(provider)
  }
  return groups.map(({ deals: packed }) => packed)
}
