import { MAX_LEAVES } from '../../chain/batch/layout.ts'
import { leastExpiry } from '../../deal/batched.ts'
import type { Address } from '../../wire/shapes.ts'
import type { GatheredDeal } from './own-batch.ts'

/** Owners of a batch at most: one byte each (protocol/batches.md, Limits). */
const MAX_OWNERS = 256
/** All leaves of a batch expire together: nobody's money shall stay locked much longer for somebody else's long job. */
const SPREAD_SECONDS = 3600

interface Group { expiry: number, deals: GatheredDeal[], wordOf: Map<Address, number>, owners: Set<Address> }

/** Deals in as few batches as the limits allow, each deal in the first that takes it, in their order. */
export function packBatches (deals: readonly GatheredDeal[]): GatheredDeal[][] {
  const groups: Group[] = []
  for (const deal of deals) {
    const { creator, provider, jobNumber } = deal.terms.core
    const word = Math.floor(jobNumber / 32)
    const expiry = leastExpiry(deal.terms)
    const takes = (group: Group): boolean =>
      group.deals.length < MAX_LEAVES && Math.abs(expiry - group.expiry) <= SPREAD_SECONDS && (group.wordOf.get(creator) ?? word) === word && new Set([...group.owners, creator, provider]).size <= MAX_OWNERS
    let group = groups.find(takes)
    if (group === undefined) {
      group = { expiry, deals: [], wordOf: new Map(), owners: new Set() }
      groups.push(group)
    }
    group.deals.push(deal)
    group.wordOf.set(creator, word)
    group.owners.add(creator).add(provider)
  }
  return groups.map(({ deals: packed }) => packed)
}
