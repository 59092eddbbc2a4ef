import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { creatorLock, leastExpiry } from '../../deal/batched.ts'
import { DealError } from '../../deal/errors.ts'
import type { DealTerms } from '../../wire/deal-terms.ts'

/** A solver's batches lock at most this many times its bond (protocol/batches.md, Limits). */
const LEVERAGE = 20
/** The account is read again after this. */
const MAX_AGE_MS = 1_000

/** Beyond the least that its parties ask for: consent, gathering and commit take their time. */
const SLACK_SECONDS = 120

/** Whether this solver can take one more deal into a batch: one that the chain refuses would take the others of its batch with it. */
export interface BondRoom {
  /** Throws DealError DEAL_NO_BATCHES without a bond, DEAL_BAD_BATCH for a deal that no batch takes, DEAL_SOLVER_FULL. */
  assertRoom: (deal: { terms: DealTerms }) => Promise<void>
}

/** `waiting`: deals that are promised and that the chain does not count yet; `leastOpenSeconds`: what gathering and inclusion may take. */
export function createBondRoom (components: { chain: Pick<Chain, 'account' | 'address' | 'blockTime' | 'deployment'>, clock: Clock }, { waiting, leastOpenSeconds }: { waiting: () => ReadonlyArray<{ terms: DealTerms }>, leastOpenSeconds: number }): BondRoom {
  const { chain, clock } = components
  let known: { bond: number, locked: number, atMs: number } | undefined
  const lockOf = ({ terms }: { terms: DealTerms }): number => creatorLock(terms) + terms.core.collateral
  return {
    assertRoom: async (deal) => {
      if (known === undefined || clock.now() - known.atMs > MAX_AGE_MS) known = { ...await chain.account(chain.address), atMs: clock.now() }
      const { bond, locked } = known
      const { core } = deal.terms
      const now = await chain.blockTime()
      const latest = now + chain.deployment.parameters.unbondSeconds / 2 - SLACK_SECONDS
      if (creatorLock(deal.terms) === 0 || leastExpiry(deal.terms) > latest || core.openBy > latest) throw new DealError('DEAL_BAD_BATCH', 'the deal locks nothing of its creator, or lasts longer than a batch may', { data: { expiry: leastExpiry(deal.terms), latest } })
      // A promise of such a deal could be neither kept nor answered for: with its bond this solver would pay who made the terms.
      const soonest = Math.max(now, clock.now() / 1000) + leastOpenSeconds
      if (core.creator === core.provider || core.collateral * 2 < core.price * 5 || core.openBy < soonest) throw new DealError('DEAL_BAD_BATCH', 'the deal is with oneself, has too little collateral for its price, or ends before a batch can hold it', { data: { price: core.price, collateral: core.collateral, openBy: core.openBy, soonest } })
      if (bond === 0) throw new DealError('DEAL_NO_BATCHES', 'this node has no bond to commit batches with')
      const need = locked + lockOf(deal) + waiting().reduce((sum, each) => sum + lockOf(each), 0)
      if (need > LEVERAGE * bond) throw new DealError('DEAL_SOLVER_FULL', `with this deal ${need} nLILY would be locked, and the bond allows ${LEVERAGE * bond}`, { data: { need, most: LEVERAGE * bond } })
    }
  }
}
