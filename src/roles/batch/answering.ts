import { answerDisownCall, answerPromiseCall } from '../../chain/batch/fault-calls.ts'
import type { Chain, ChainEvent, ContractCall } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { promiseKey } from '../../wire/broken-promise.ts'
import type { Hash } from '../../wire/shapes.ts'
import { disownKey } from '../../wire/statement.ts'
import type { Domain } from '../../wire/typed-data.ts'
import type { OwnBatch } from './own-batch.ts'
import type { OwnBatches } from './own-batches.ts'

/** Chain away, or no money for gas: there are hours for an answer. */
const RETRY_MS = 5_000

/**
 * Answers who accuses this solver: an owner that says it knows of no terms for a lock, whoever says that a promise was not kept. Unanswered
 * each costs bond. Resolves when it is answered, or need not be; not when the node stops before, so that the event comes again.
 */
export function createAnswering (components: { chain: Pick<Chain, 'address' | 'domain' | 'send'>, own: OwnBatches, clock: Clock, logger: Logger }, options: { signal: AbortSignal }): (event: ChainEvent) => Promise<void> {
  const { chain, own, clock, logger } = components
  return async (event) => {
    if (event.name !== 'Accused' || event.args.solver !== chain.address) return
    const { key, answerBy } = event.args
    const answer = own.all().map((batch) => disownAnswer(batch, key) ?? promiseAnswer(chain.domain, batch, key)).find((call) => call !== undefined)
    if (answer === undefined) {
      logger.error('batch.accused', { key, answerBy })
      return
    }
    while (!options.signal.aborted) {
      try {
        const { hash } = await chain.send(answer, { name: 'answer-accusation', signal: options.signal })
        logger.info('batch.answered', { key, hash })
        return
      } catch (error) {
        logger.warn('batch.answer', { key, error: errorMessage(error) })
        // Somebody else answered it, or its time is over.
        if (errorCode(error) === 'CHAIN_REVERTED') return
        await clock.wait(RETRY_MS, options.signal).catch(() => undefined)
      }
    }
    await new Promise<never>(() => undefined)
  }
}

/** Both consents to a leaf that one of its owners disowned. */
function disownAnswer (batch: OwnBatch, key: Hash): ContractCall | undefined {
  const { place, deals } = batch
  const leaf = place === undefined ? -1 : deals.findIndex((_, index) => disownKey(place.id, index) === key)
  const deal = deals[leaf]
  return deal === undefined ? undefined : answerDisownCall(batch.openingOf(leaf), deal.terms, deal.creatorSignature, deal.providerSignature)
}

/** The leaf of a promised deal that was committed in time, and whose owners could not cover it. */
function promiseAnswer (domain: Domain, batch: OwnBatch, key: Hash): ContractCall | undefined {
  const found = batch.voidDeals().find(({ deal: { terms } }) => promiseKey(domain, terms) === key)
  return found === undefined ? undefined : answerPromiseCall(batch.openingOf(found.leaf), found.deal.terms)
}
