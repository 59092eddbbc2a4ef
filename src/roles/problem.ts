import { errorCode, errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Deal } from '../deal/deal.ts'
import type { DealBook } from './deal-book.ts'

/** Journals the last thing that went wrong with a deal, for people. Never rejects: nobody waits for the note, and a disk that cannot take it is no reason to end the node. */
export async function noteProblem (components: { deals: DealBook, logger: Logger }, deal: Deal, problem: unknown): Promise<void> {
  try {
    await components.deals.update(deal, (changed) => { changed.problem = { code: errorCode(problem), message: errorMessage(problem) } })
  } catch (error) {
    components.logger.error('deal.problem', { dealId: deal.dealId, error: errorMessage(error) })
  }
}
