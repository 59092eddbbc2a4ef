import type { Chain } from '../../chain/chain.ts'
import { creatorLock, isBatched, leastExpiry, NODE_SESSION } from '../../deal/batched.ts'
import type { Deal } from '../../deal/deal.ts'
import type { DealTerms } from '../../wire/deal-terms.ts'
import type { Address } from '../../wire/shapes.ts'

/** Whether a deal can go the way of batches (protocol/batches.md, Which path). */
export interface BatchPath {
  /** nLILY that the account's session lets batches lock at `until` (unix seconds), less what its deals here will lock. */
  spendable: (account: Address, until: number) => Promise<number>
  /** Whether both sessions cover these terms, and a batch may live as long as they need. */
  covers: (terms: DealTerms) => Promise<boolean>
}

/** Between the consent and the commit, and what a solver adds to a batch's expiry. */
const SLACK_SECONDS = 120

/** `deals`: those of this node; what they promised and what is not locked yet is spent already. */
export function createBatchPath (components: { chain: Pick<Chain, 'session' | 'deployment'>, deals: { open: () => Deal[] } }): BatchPath {
  const { chain, deals } = components
  const promised = (account: Address): number => deals.open()
    .filter(({ state, batch, terms }) => state === 'DealNegotiating' && batch === undefined && isBatched(terms))
    .reduce((sum, { terms }) => sum + (terms.core.creator === account ? creatorLock(terms) : terms.core.provider === account ? terms.core.collateral : 0), 0)
  const spendable = async (account: Address, until: number): Promise<number> => {
    const { funds, allowed, expiry } = await chain.session(account, NODE_SESSION)
    return expiry <= until ? 0 : Math.max(0, Math.min(funds, allowed) - promised(account))
  }
  return {
    spendable,
    covers: async (terms) => {
      const { creator, provider, collateral, openBy } = terms.core
      if (leastExpiry(terms) + SLACK_SECONDS > openBy + chain.deployment.parameters.unbondSeconds / 2) return false
      const [fromCreator, fromProvider] = await Promise.all([spendable(creator, openBy), spendable(provider, openBy)])
      return fromCreator >= creatorLock(terms) && fromProvider >= collateral
    }
  }
}
