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

/** Chain away, no money for gas, or a refusal: there are hours for an answer. */
const RETRY_MS = 5_000
/** A batch may come with the events of the same blocks; what is not here after a minute is no batch of this solver's. */
const MAX_LOOKS = 12

/**
 * Answers who accuses this solver: an owner that says it knows of no terms for a lock, whoever says that a promise was not kept. Unanswered
 * each costs bond, so a refusal is no end as long as the chain has the accusation: the endpoint may lag, or a re-org be about to bring the
 * batch back. Resolves when it is answered, or need not be; not when the node stops before, so that the event comes again.
 */
export function createAnswering (components: { chain: Pick<Chain, 'address' | 'domain' | 'send' | 'accusation' | 'blockTime'>, own: Pick<OwnBatches, 'all'>, clock: Clock, logger: Logger }, options: { signal: AbortSignal }): (event: ChainEvent) => Promise<void> {
  const { chain, own, clock, logger } = components
  const { signal } = options
  const answerOf = (key: Hash): ContractCall | undefined => own.all().map((batch) => disownAnswer(batch, key) ?? promiseAnswer(chain.domain, batch, key)).find((call) => call !== undefined)
  /** Somebody else answered it, a re-org took it back, or its time is over. */
  const isOver = async (key: Hash, answerBy: number): Promise<boolean> => await chain.accusation(key) === undefined || await chain.blockTime() > answerBy

  return async (event) => {
    if (event.name !== 'Accused' || event.args.solver !== chain.address) return
    const { key, answerBy } = event.args
    let looksLeft = MAX_LOOKS
    while (!signal.aborted) {
      try {
        const answer = answerOf(key)
        if (answer !== undefined) {
          const { hash } = await chain.send(answer, { name: 'answer-accusation', signal })
          logger.info('batch.answered', { key, hash })
          return
        }
        if (--looksLeft === 0) {
          logger.error('batch.accused', { key, answerBy })
          return
        }
      } catch (error) {
        logger.warn('batch.answer', { key, error: errorMessage(error) })
        if (errorCode(error) === 'CHAIN_REVERTED' && await isOver(key, answerBy).catch(() => false)) return
      }
      await clock.wait(RETRY_MS, signal).catch(() => undefined)
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
