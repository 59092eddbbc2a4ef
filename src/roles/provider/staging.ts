import type { Clock } from '../../core/clock.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { Deal } from '../../deal/deal.ts'
import { StoreError } from '../../store/errors.ts'
import type { Blocks } from '../../store/blocks.ts'
import type { JobOffer } from '../../wire/job-offer.ts'
import { stageJob, type StagedJob } from '../run-job.ts'

/** Fetches what deals' runs need, each once. */
export interface Staging {
  /** Resolves until the deal's `startBy`. Rejects as stageJob. */
  stage: (deal: Deal, job: JobOffer) => Promise<StagedJob>
  forget: (deal: Deal) => void
}

/** Between two tries, and the least that one may take. */
const RETRY_MS = 500
const LEAST_TRY_MS = 1000

/**
 * A question or its answer may be lost between two nodes, and would be waited for until the deal's money is locked for nothing: a try has
 * half of the time that is left, what it brought stays here, and the next asks anew.
 */
export function createStaging (components: { blocks: Blocks, clock: Clock, logger: Logger }, options: { signal: AbortSignal }): Staging {
  const { blocks, clock, logger } = components
  const staged = new Map<string, Promise<StagedJob>>()

  const tryFor = async (deal: Deal, job: JobOffer, limitMs: number): Promise<StagedJob> => {
    const limit = new AbortController()
    const cancel = clock.after(limitMs, () => { limit.abort(new StoreError('STORE_NOT_FOUND', `module or inputs did not come within ${limitMs} ms`)) })
    try {
      return await stageJob(blocks, job, { signal: AbortSignal.any([options.signal, limit.signal]), from: [deal.peer] })
    } finally {
      cancel()
    }
  }
  const fetch = async (deal: Deal, job: JobOffer): Promise<StagedJob> => {
    for (;;) {
      const leftMs = deal.terms.rest.startBy * 1000 - clock.now()
      const isLast = leftMs < 2 * LEAST_TRY_MS
      try {
        return await tryFor(deal, job, isLast ? LEAST_TRY_MS : Math.floor(leftMs / 2))
      } catch (error) {
        if (isLast || options.signal.aborted || errorCode(error) !== 'STORE_NOT_FOUND') throw error
        logger.debug('deal.stage.retry', { dealId: deal.dealId, error: errorMessage(error) })
      }
      await clock.wait(RETRY_MS, options.signal)
    }
  }
  return {
    stage: async (deal, job) => {
      const known = staged.get(deal.dealId)
      if (known !== undefined) return await known
      const staging = fetch(deal, job)
      staging.catch(() => { staged.delete(deal.dealId) })
      staged.set(deal.dealId, staging)
      return await staging
    },
    forget: (deal) => { staged.delete(deal.dealId) }
  }
}
