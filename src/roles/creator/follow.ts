import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { Deal } from '../../deal/deal.ts'
import { MAX_ATTEMPTS } from '../../deal/options.ts'
import { isTerminal, type DealState } from '../../deal/states.ts'
import { isJobOver, type Job } from './job.ts'
import type { JobTable } from './job-table.ts'
import type { Listing } from './listing.ts'
import { REFUSED_MS } from './matched.ts'

/** A provider that did not finish a deal: long enough for the others to be tried, short enough for one that was restarted. */
const FAILED_MS = 300_000
const FAILED: readonly DealState[] = ['MediationRejected', 'Refunded', 'TimedOut', 'Cancelled']

/** A job follows its deals, and goes back into the book when one ended without a result. */
export interface Follower {
  onDeal: (deal: Deal) => void
  follow: (job: Job, deal: Deal) => Promise<void>
}

export function createFollower (components: { table: JobTable, listing: Listing, clock: Clock, logger: Logger }): Follower {
  const { table, listing, clock, logger } = components

  /** A provider that was found to cheat is not tried again for the job. */
  const avoidUntil = (state: DealState): number => state === 'MediationRejected' ? 0 : clock.now() + (state === 'Cancelled' ? REFUSED_MS : FAILED_MS)

  const rematch = async (job: Job, deal: Deal): Promise<void> => {
    const attempt = job.offer.attempt + 1
    logger.info('job.rematch', { job: job.id, dealId: deal.dealId, state: deal.state, attempt })
    await table.save(job, (changed) => {
      changed.avoid = [...changed.avoid, { provider: deal.terms.core.provider, untilMs: avoidUntil(deal.state) }]
      changed.offer = { ...changed.offer, attempt: Math.min(attempt, MAX_ATTEMPTS - 1) }
      changed.state = 'DealNegotiating'
      delete changed.result
    })
    if (attempt >= MAX_ATTEMPTS) await listing.giveUp(job, 'JOB_ATTEMPTS_USED', `all ${MAX_ATTEMPTS} attempts of the job failed`)
    else await listing.publish(job)
  }

  const follow = async (job: Job, deal: Deal): Promise<void> => {
    if (FAILED.includes(deal.state)) {
      if (job.offer.attempt !== deal.terms.core.attempt) return
      if (job.isNullified === true) await table.save(job, (changed) => { changed.state = 'Cancelled' })
      else await rematch(job, deal)
    } else if (job.state !== deal.state) {
      await table.save(job, (changed) => {
        changed.state = deal.state
        if (isTerminal(deal.state)) changed.settledAtMs = clock.now()
      })
    }
  }

  return {
    follow,
    onDeal: (deal) => {
      const job = table.jobOf(deal)
      if (job === undefined || isJobOver(job) || job.deals.at(-1) !== deal.dealId) return
      follow(job, deal).catch((error: unknown) => { logger.error('job.follow', { job: job.id, error: errorMessage(error) }) })
    }
  }
}
