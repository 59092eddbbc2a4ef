import { slashRevealsCall } from '../chain/batch/fault-calls.ts'
import type { Chain } from '../chain/chain.ts'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { Fault } from '../match/fault.ts'
import { FALLBACK_SALT } from '../wire/auction.ts'
import type { AuctionView } from './auction.ts'

/** All solvers see the fault at once; whoever draws the shortest wait pays for the transaction. */
const SPREAD_MS = 30_000

/** Takes the bond of a solver that revealed twice in one epoch, with both of its signatures (protocol/batches.md, Solver's faults). Another solver's node does it: it has the gas, and a rival less. */
export function createRevealSlasher (components: { auction: Pick<AuctionView, 'onFault'>, chain: Pick<Chain, 'send' | 'account'>, clock: Clock, random: Random, logger: Logger }): Startable {
  const { auction, chain, clock, random, logger } = components
  const stopping = new AbortController()
  const { signal } = stopping
  const running = new Set<Promise<void>>()
  let leave = (): void => undefined

  const slash = async ({ solver, epoch, messages }: Fault & { kind: 'reveal-twice' }): Promise<void> => {
    // A posting of the fall-back phase is no reveal.
    if (messages.some(({ salt }) => salt === FALLBACK_SALT)) return
    await clock.wait(random.below(SPREAD_MS), signal)
    const { bond, unbonding } = await chain.account(solver)
    if (bond + unbonding === 0) return
    const { hash } = await chain.send(slashRevealsCall(solver, epoch, messages), { name: 'slash-reveals', signal })
    logger.warn('auction.slashed', { solver, epoch, hash })
  }
  return {
    start: async () => {
      leave = auction.onFault((fault) => {
        if (fault.kind !== 'reveal-twice') return
        const mine = slash(fault).catch((error: unknown) => { if (!signal.aborted) logger.warn('auction.slash', { solver: fault.solver, epoch: fault.epoch, error: errorMessage(error) }) })
        running.add(mine)
        void mine.then(() => running.delete(mine))
      })
      await Promise.resolve()
    },
    stop: async () => {
      leave()
      stopping.abort(new Error('the node is stopping'))
      await Promise.all(running)
    }
  }
}
