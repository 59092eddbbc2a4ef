import type { BookReplica } from '../../book/replica.ts'
import type { Clock } from '../../core/clock.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { MAX_ATTEMPTS } from '../../deal/options.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import type { AuctionDecision, Pairing } from '../decision.ts'
import { isJobOver, type Job } from './job.ts'
import type { JobTable } from './job-table.ts'
import type { Listing } from './listing.ts'
import type { Negotiation } from './negotiate.ts'

/** A provider that refused or kept silent is left alone this long. */
export const REFUSED_MS = 20_000
/** Answers of a node whose consent phase is over, or not yet open: the pair was late, its provider refused nothing. */
const OUT_OF_TIME: readonly string[] = ['AUCTION_LATE', 'AUCTION_EARLY', 'AUCTION_EPOCH']
/** What speaks against the pair in this epoch and not against the provider. */
const NOT_ITS_FAULT: readonly string[] = ['AUCTION_PRICE_SET', 'AUCTION_WORSE']
/** The provider signed terms that nobody opens: it signs no others for this attempt. */
const SPENT = 'DEAL_SOLVER_AWAY'

/** What happens to jobs that an auction matched: the pairs of the best solutions are tried until one makes a deal. */
export interface Matched {
  onDecided: (decision: AuctionDecision) => void
  /** True while the job waits for a match: no deal of it is open or being negotiated. */
  isWaiting: (job: Job) => boolean
}

export function createMatched (components: { table: JobTable, listing: Listing, negotiation: Negotiation, replica: Pick<BookReplica, 'book'>, clock: Clock, logger: Logger }): Matched {
  const { table, listing, negotiation, replica, clock, logger } = components
  const negotiating = new Set<Hash>()

  /** Within this epoch's consent phase. */
  const consent = async (job: Job, pairings: readonly Pairing[]): Promise<void> => {
    const entry = replica.book.get(job.offerId)
    if (entry === undefined) return
    await table.save(job, (changed) => { changed.matchedAtMs = clock.now() })
    const record = entry.bytes
    const tried = new Set<Address>()
    const refused: Address[] = []
    const spent: Address[] = []
    for (const pairing of pairings) {
      if (isJobOver(job)) return
      // Once each: a provider takes the job by the best solution that names it, and by no worse one.
      if (tried.has(pairing.offer.account)) continue
      tried.add(pairing.offer.account)
      try {
        const deal = await negotiation.negotiate(pairing, record, () => !isJobOver(job))
        table.bind(deal, job)
        await table.save(job, (changed) => {
          changed.deals = [...changed.deals, deal.dealId]
          delete changed.problem
        })
        // The offer has found its deal: it leaves the book, the slot stays the job's.
        await listing.withdraw(job)
        return
      } catch (error) {
        if (isJobOver(job)) return
        logger.info('job.refused', { job: job.id, provider: pairing.offer.account, code: errorCode(error), error: errorMessage(error) })
        await table.save(job, (changed) => { changed.problem = { code: errorCode(error), message: errorMessage(error) } })
        // The offer stands in the book as it was and waits for the next epoch.
        if (OUT_OF_TIME.includes(errorCode(error))) return
        if (NOT_ITS_FAULT.includes(errorCode(error))) continue
        if (errorCode(error) === SPENT) spent.push(pairing.offer.account)
        else refused.push(pairing.offer.account)
      }
    }
    if (refused.length === 0 && spent.length === 0) return
    const attempt = job.offer.attempt + Math.min(1, spent.length)
    // Without attempts left the job waits for a provider that signed nothing for this one.
    if (attempt >= MAX_ATTEMPTS) refused.push(...spent)
    await table.save(job, (changed) => {
      if (attempt < MAX_ATTEMPTS) changed.offer = { ...changed.offer, attempt }
      changed.avoid = [...changed.avoid, ...refused.map((provider) => ({ provider, untilMs: clock.now() + REFUSED_MS }))]
    })
    await listing.publish(job)
  }

  const isWaiting = (job: Job): boolean => !isJobOver(job) && table.activeDeal(job) === undefined && !negotiating.has(job.id)
  return {
    isWaiting,
    onDecided: (decision) => {
      for (const job of table.all().filter(isWaiting)) {
        const pairings = decision.pairingsOf(job.offerId)
        if (pairings.length === 0) continue
        negotiating.add(job.id)
        consent(job, pairings)
          .catch((error: unknown) => { logger.error('job.consent', { job: job.id, error: errorMessage(error) }) })
          .finally(() => { negotiating.delete(job.id) })
      }
    }
  }
}
