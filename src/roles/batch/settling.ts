import { expireCall } from '../../chain/batch/calls.ts'
import type { Chain, ChainEvent, ContractCall } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { DEADLINE_SKEW_SECONDS } from '../../deal/timeouts.ts'
import type { OwnBatch } from './own-batch.ts'
import { isOver, type OwnBatches } from './own-batches.ts'

/** Ends batches: pays what creators said, and gives back what nobody resolved until the expiry. */
export interface Settling {
  /** When every live leaf has a statement, or one has waited for half of `settleSeconds`. */
  settleIfDue: (batch: OwnBatch) => void
  tick: () => Promise<void>
}

/** After openBy a commit serves nobody; one that was sent before is waited for so long. */
const LANDING_SECONDS = 120

export function createSettling (
  components: { chain: Pick<Chain, 'send' | 'blockTime'>, own: OwnBatches, clock: Clock, logger: Logger, onEvent: (event: ChainEvent) => Promise<void> },
  options: { settleSeconds: number, signal: AbortSignal }
): Settling {
  const { chain, own, clock, logger } = components
  const busy = new Set<number>()

  /** One transaction of a batch at a time; what fails is tried again at the next tick. */
  const send = (batch: OwnBatch, name: string, call: () => ContractCall): void => {
    if (busy.has(batch.slot)) return
    busy.add(batch.slot)
    chain.send(call(), { name, signal: options.signal })
      .then(async (receipt) => {
        logger.debug('batch.sent', { name, slot: batch.slot, gas: receipt.gas })
        for (const event of receipt.events) await components.onEvent(event)
        busy.delete(batch.slot)
        // What came meanwhile may be due as well.
        if (own.has(batch.slot)) settleIfDue(batch)
      })
      .catch((error: unknown) => {
        busy.delete(batch.slot)
        if (!options.signal.aborted) logger.warn(`batch.${name}`, { slot: batch.slot, error: errorMessage(error) })
      })
  }
  const settleIfDue = (batch: OwnBatch): void => {
    const payable = batch.payable()
    if (payable.length === 0 || options.signal.aborted) return
    const covered = payable.reduce((bits, { leaves }) => bits | BigInt(leaves), 0n)
    const oldest = Math.min(...payable.map(({ atMs }) => atMs))
    if ((batch.live & ~covered) === 0n || clock.now() >= oldest + options.settleSeconds * 500) send(batch, 'settle', batch.settleCall)
  }
  return {
    settleIfDue,
    tick: async () => {
      if (own.all().length === 0) return
      const blockTime = await chain.blockTime()
      await own.sweep(blockTime)
      for (const batch of own.all()) {
        if (batch.place === undefined) {
          if (isOver(batch, blockTime - LANDING_SECONDS)) await own.forget(batch)
          continue
        }
        if (batch.live === 0n) continue
        if (blockTime > batch.expiry + DEADLINE_SKEW_SECONDS) send(batch, 'expire', () => expireCall(batch.chainForm(), batch.live))
        else settleIfDue(batch)
      }
    }
  }
}
