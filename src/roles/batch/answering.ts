import { answerDisownCall } from '../../chain/batch/calls.ts'
import { openingOf } from '../../chain/batch/layout.ts'
import type { Chain, ChainEvent } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { Hash } from '../../wire/shapes.ts'
import { disownKey } from '../../wire/statement.ts'
import type { OwnBatch } from './own-batch.ts'
import type { OwnBatches } from './own-batches.ts'

/** Chain away, or no money for gas: there are hours for an answer. */
const RETRY_MS = 5_000

/** Answers an owner that says it knows of no terms for a lock of ours: unanswered it costs bond, and the other side its deal. Resolves when it is answered, or need not be. */
export function createAnswering (components: { chain: Pick<Chain, 'address' | 'send'>, own: OwnBatches, clock: Clock, logger: Logger }, options: { signal: AbortSignal }): (event: ChainEvent) => Promise<void> {
  const { chain, own, clock, logger } = components
  return async (event) => {
    if (event.name !== 'Accused' || event.args.solver !== chain.address) return
    const found = disowned(own.all(), event.args.key)
    const deal = found?.batch.deals[found.leaf]
    const place = found === undefined || deal === undefined ? undefined : found.batch.leafOf(found.batch.dealIds[found.leaf] as Hash)
    if (found === undefined || deal === undefined || place === undefined) {
      logger.error('batch.accused', { key: event.args.key, answerBy: event.args.answerBy })
      return
    }
    const { terms, creatorSignature, providerSignature } = deal
    const call = answerDisownCall(openingOf(found.batch.chainForm(), place.leaf, place.proof), terms, creatorSignature, providerSignature)
    while (!options.signal.aborted) {
      try {
        const { hash } = await chain.send(call, { name: 'answer-disown', signal: options.signal })
        logger.info('batch.answered', { batch: place.batch, leaf: place.leaf, hash })
        return
      } catch (error) {
        logger.warn('batch.answer', { key: event.args.key, error: errorMessage(error) })
        // Somebody else answered it, or its time is over.
        if (errorCode(error) === 'CHAIN_REVERTED') return
        await clock.wait(RETRY_MS, options.signal).catch(() => undefined)
      }
    }
  }
}

function disowned (batches: readonly OwnBatch[], key: Hash): { batch: OwnBatch, leaf: number } | undefined {
  for (const batch of batches) {
    const { place } = batch
    const leaf = place === undefined ? -1 : batch.deals.findIndex((_, index) => disownKey(place.id, index) === key)
    if (leaf >= 0) return { batch, leaf }
  }
  return undefined
}
