import type { Chain, ChainEvent } from '../chain/chain.ts'
import { finalizeCall, refundCall, timeoutSubmitCall } from '../chain/calls.ts'
import { disputeAfter } from '../chain/dispute.ts'
import { concludeCall, timeoutRevealCall, timeoutVerdictCall } from '../chain/dispute-calls.ts'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Deal } from '../deal/deal.ts'
import { dueAction, type DueAction } from '../deal/timeouts.ts'
import { isTerminal } from '../deal/states.ts'
import { takeBack } from '../deal/take-back.ts'
import type { DealEvent } from '../deal/transitions.ts'
import { expireCall } from '../chain/batch/calls.ts'
import { isLeaf } from '../deal/batched.ts'
import type { Leaves } from './batch/leaves.ts'
import type { DealBook } from './deal-book.ts'
import { recordTransaction } from './transactions.ts'

export interface DealWatchComponents { deals: DealBook, leaves: Leaves, chain: Pick<Chain, 'onEvent' | 'onLost' | 'stateOf' | 'blockTime' | 'send' | 'isNullified' | 'domain' | 'deployment' | 'hurry'>, clock: Clock, logger: Logger }

/** Between two looks at the deadlines. Half a second against devnet deadlines of ten. */
const TICK_MS = 500

/**
 * Keeps one role's deals in step with the chain, and calls what a passed deadline allows: whoever notices first pays the
 * gas, nobody has to wait for the other side. `onTick` gives the role a turn with the block's time.
 */
export function createDealWatch (components: DealWatchComponents, options: { onTick: (blockTime: number) => Promise<void> }): Startable {
  const { deals, leaves, chain, clock, logger } = components
  const stopping = new AbortController()
  const acting = new Set<string>()
  const stops: Array<() => void> = []
  let relax: (() => void) | undefined
  let loop: Promise<void> = Promise.resolve()

  /** A consent that should open, an acceptance or a verdict that should pay: the chain will move within moments. */
  const expectsBlock = (deal: Deal): boolean => (deal.state === 'DealNegotiating' && deal.creatorSignature !== undefined) || (deal.acceptance !== undefined && !isTerminal(deal.state) && !isLeaf(deal))
  const adjustPace = (): void => {
    const expecting = deals.open().some(expectsBlock)
    if (expecting && relax === undefined) relax = chain.hurry()
    if (!expecting) {
      relax?.()
      relax = undefined
    }
  }

  const onEvent = async (event: ChainEvent): Promise<void> => {
    await leaves.onEvent(event)
    if (event.name === 'JobNullified') await onNullified(event.args.creator, event.args.jobNumber)
    const deal = event.dealId === undefined ? undefined : deals.get(event.dealId)
    if (deal === undefined) return
    const dealEvent = eventOf(event)
    const dispute = disputeAfter(deal.dispute, event)
    if (dealEvent === undefined) {
      if (dispute !== deal.dispute && dispute !== undefined) await deals.update(deal, (changed) => { changed.dispute = dispute })
      return
    }
    await deals.apply(deal, dealEvent, (changed) => {
      recordTransaction({ name: dealEvent, hash: event.transactionHash, gas: event.gas ?? 0, from: event.from ?? deal.terms.core.creator })(changed)
      if (dealEvent === 'opened') changed.openedAt ??= event.blockTime
      if (dealEvent === 'submitted') changed.submittedAt ??= event.blockTime
      if (dealEvent === 'challenged') changed.challengedAt ??= event.blockTime
      // A silent mediator's seat is drawn again: its time counts anew.
      if (dealEvent === 'revealed') changed.revealedAt = Math.max(event.blockTime, changed.revealedAt ?? 0)
      if (dispute !== undefined) changed.dispute = dispute
      // A salt that was refused off chain is public now: with it the creator can ask the drawn mediator.
      if (event.name === 'MediatorDrawn' && changed.role === 'creator') changed.otherSalt ??= event.args.saltProvider
    })
  }

  /** The chain took back what the journal was told: the deal stands again where the chain says, and deadlines and the role act from there. */
  const onLost = async (event: ChainEvent): Promise<void> => {
    await leaves.onLost(event)
    const deal = event.dealId === undefined ? undefined : deals.get(event.dealId)
    if (deal === undefined) return
    const { creator, jobNumber, attempt } = deal.terms.core
    const [state, wasOpened] = await Promise.all([chain.stateOf(deal.terms), chain.isNullified(creator, jobNumber, attempt)])
    // The lane of a deal that is over may hold another one.
    if (state === 'None' && wasOpened) return
    logger.warn('deal.taken-back', { dealId: deal.dealId, event: event.name, state })
    await deals.update(deal, (changed) => { takeBack(changed, state) })
  }

  /** The creator took a job back on chain: what is not open yet can never be. */
  const onNullified = async (creator: string, jobNumber: number): Promise<void> => {
    for (const deal of deals.open()) {
      if (deal.state === 'DealNegotiating' && deal.batch === undefined && deal.terms.core.creator === creator && deal.terms.core.jobNumber === jobNumber) await deals.apply(deal, 'nullified')
    }
  }

  const act = async (deal: Deal, action: DueAction): Promise<void> => {
    if (action === 'submit' || acting.has(deal.dealId)) return
    acting.add(deal.dealId)
    try {
      if (action === 'give-up-open') {
        const { creator, jobNumber, attempt } = deal.terms.core
        if (!await chain.isNullified(creator, jobNumber, attempt)) await deals.apply(deal, 'notOpened')
        return
      }
      if (action === 'expire' && await leaves.isGone(deal)) {
        await deals.apply(deal, 'refunded')
        return
      }
      const call = action === 'claim'
        ? await leaves.claimCall(deal)
        : action === 'answer'
        ? await leaves.answerCall(deal)
        : action === 'expire'
        ? expireCall(await leaves.batchOf(deal), 1n << BigInt(deal.batch?.leaf ?? 0))
        : { refund: refundCall, 'timeout-submit': timeoutSubmitCall, finalize: finalizeCall, 'timeout-reveal': timeoutRevealCall, 'timeout-verdict': timeoutVerdictCall, conclude: concludeCall }[action](chain, deal)
      const receipt = await chain.send(call, { name: action, signal: stopping.signal })
      if (isLeaf(deal)) await leaves.takeReceipt(receipt)
      else await deals.update(deal, recordTransaction(receipt))
    } catch (error) {
      // The other side was faster, or the chain is away: the event or the next tick settles it.
      logger.debug('deal.deadline', { dealId: deal.dealId, action, error: errorMessage(error) })
    } finally {
      acting.delete(deal.dealId)
    }
  }

  const tick = async (): Promise<void> => {
    const open = deals.open()
    const blockTime = await chain.blockTime()
    await leaves.tick()
    await options.onTick(blockTime)
    await Promise.all(open.map(async (deal) => {
      const { rest, core } = deal.terms
      const startedAt = deal.start?.creatorSignature === undefined ? undefined : deal.start.startedAt
      const action = dueAction({ state: deal.state, openBy: core.openBy, rest, startedAt, submittedAt: deal.submittedAt, challengedAt: deal.challengedAt, revealedAt: deal.revealedAt, ruledUntil: deal.dispute?.ruling?.until, unbondSeconds: chain.deployment.parameters.unbondSeconds, batch: deal.batch, isAccepted: deal.acceptance !== undefined, role: deal.role }, blockTime)
      if (action !== undefined) await act(deal, action)
    }))
  }

  return {
    start: async () => {
      // The chain's cursor moves on when this has settled: a crash before that brings the event again.
      stops.push(deals.onUpdate(adjustPace), chain.onEvent(async (event) => {
        await onEvent(event).catch(async (error: unknown) => {
          // Its block does not count as done: the event comes again when the node does.
          if (stopping.signal.aborted) await new Promise<never>(() => undefined)
          logger.error('deal.event', { error: errorMessage(error) })
        })
      }))
      stops.push(chain.onLost(async (event) => {
        await onLost(event).catch((error: unknown) => { logger.error('deal.lost', { error: errorMessage(error) }) })
      }))
      adjustPace()
      loop = (async () => {
        while (!stopping.signal.aborted) {
          await tick().catch((error: unknown) => { logger.debug('deal.tick', { error: errorMessage(error) }) })
          await clock.wait(TICK_MS, stopping.signal).catch(() => undefined)
        }
      })()
      await Promise.resolve()
    },
    stop: async () => {
      for (const stop of stops) stop()
      relax?.()
      stopping.abort(new Error('stopping'))
      leaves.stop()
      await loop
    }
  }
}

/** What a chain event means for the deal it names. */
function eventOf (event: ChainEvent): DealEvent | undefined {
  switch (event.name) {
    case 'DealOpened': return 'opened'
    case 'ResultSubmitted': return 'submitted'
    case 'DealSettled': return 'settled'
    case 'Challenged': return 'challenged'
    case 'MediatorDrawn': return 'revealed'
    case 'DealClosed': return CLOSED_AS[event.args.to]
    default: return undefined
  }
}

/** Solidity's terminal states by number (contracts/src/libraries/DealTypes.sol). */
const CLOSED_AS: Readonly<Record<number, DealEvent>> = { 5: 'settled', 6: 'refunded', 7: 'timedOut', 8: 'ruledCorrect', 9: 'ruledWrong' }
