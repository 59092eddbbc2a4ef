import { accusePromiseCall, concludePromiseCall } from '../../chain/batch/fault-calls.ts'
import type { Chain, ChainEvent } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { isBatched } from '../../deal/batched.ts'
import type { Deal } from '../../deal/deal.ts'
import { DEADLINE_SKEW_SECONDS } from '../../deal/timeouts.ts'
import { promiseKey } from '../../wire/broken-promise.ts'
import type { Hash } from '../../wire/shapes.ts'
import type { DealBook } from '../deal-book.ts'
import { ACCUSER_STAKE, answerSeconds } from './stake.ts'

/** A creator whose solver promised to open a deal and did not, nor could say why (protocol/batches.md, Solver's faults). */
export interface Accusing {
  /** Follows what becomes of its accusations. */
  onEvent: (event: ChainEvent) => Promise<void>
  onLost: (event: ChainEvent) => Promise<void>
  /** Accuses, once for each promise, and ends what nobody answered. */
  tick: (blockTime: number) => Promise<void>
}

/** After openBy: by then a re-org brings no commit that was in time, and this node has read those that were. */
const ACCUSE_AFTER_SECONDS = 60
/** Without the stake, or with the chain away, it looks again after this. */
const RETRY_MS = 30_000

export function createAccusing (components: { deals: DealBook, chain: Pick<Chain, 'domain' | 'deployment' | 'address' | 'send' | 'account' | 'isNullified' | 'caughtUp'>, clock: Clock, logger: Logger }, options: { signal: AbortSignal }): Accusing {
  const { deals, chain, clock, logger } = components
  const { domain } = chain
  const { unbondSeconds } = chain.deployment.parameters
  const busy = new Set<Hash>()
  const restUntilMs = new Map<Hash, number>()
  /** Promises of this run that are no case, or none that is worth it: looked at once. */
  const dropped = new Set<Hash>()

  const isBroken = ({ state, role, promise, voidIn, terms }: Deal): boolean => state === 'Cancelled' && role === 'creator' && promise !== undefined && voidIn === undefined && isBatched(terms)
  /** What the accuser gets of the slash must be worth what an on-chain step costs a party here. */
  const isWorthIt = ({ terms: { core, rest } }: Deal): boolean => Math.min(core.price + core.fee, ACCUSER_STAKE) >= rest.claimFee

  const accuse = async (deal: Deal, promise: Hash): Promise<void> => {
    const { terms, creatorSignature, providerSignature } = deal
    const { creator, feeTo, jobNumber, attempt } = terms.core
    if (creatorSignature === undefined || providerSignature === undefined || !isWorthIt(deal) || await chain.isNullified(creator, jobNumber, attempt)) {
      dropped.add(deal.dealId)
      return
    }
    // A batch that explains it may be known to the chain and not to this node so far.
    await chain.caughtUp()
    const [own, solver] = await Promise.all([chain.account(creator), chain.account(feeTo)])
    if (!isBroken(deal) || own.free < ACCUSER_STAKE || solver.bond + solver.unbonding === 0) return
    const receipt = await chain.send(accusePromiseCall({ terms, creatorSignature, providerSignature }, promise), { name: 'accuse-promise', signal: options.signal })
    for (const event of receipt.events) await onEvent(event)
    logger.warn('batch.promise-broken', { dealId: deal.dealId, solver: feeTo, hash: receipt.hash })
  }
  const conclude = async (deal: Deal): Promise<void> => {
    const receipt = await chain.send(concludePromiseCall(deal.terms), { name: 'conclude-promise', signal: options.signal })
    for (const event of receipt.events) await onEvent(event)
  }
  const once = async (deal: Deal, step: () => Promise<void>): Promise<void> => {
    if (busy.has(deal.dealId) || clock.now() < (restUntilMs.get(deal.dealId) ?? 0)) return
    restUntilMs.set(deal.dealId, clock.now() + RETRY_MS)
    busy.add(deal.dealId)
    try {
      await step()
    } catch (error) {
      if (!options.signal.aborted) logger.warn('batch.accuse', { dealId: deal.dealId, error: errorMessage(error) })
    } finally {
      busy.delete(deal.dealId)
    }
  }
  const dealOf = (key: Hash): Deal | undefined => deals.all().find(({ promise, terms }) => promise !== undefined && isBatched(terms) && promiseKey(domain, terms) === key)
  const onEvent = async (event: ChainEvent): Promise<void> => {
    if (event.name !== 'Accused' && event.name !== 'Answered' && event.name !== 'Concluded') return
    const deal = dealOf(event.args.key)
    if (deal === undefined) return
    restUntilMs.delete(deal.dealId)
    await deals.update(deal, (changed) => {
      if (event.name === 'Accused') changed.accusation ??= { answerBy: event.args.answerBy }
      else changed.accusation = { answerBy: changed.accusation?.answerBy ?? event.blockTime, end: event.name === 'Answered' ? 'answered' : 'slashed' }
    })
  }
  return {
    onEvent,
    onLost: async (event) => {
      if (event.name !== 'Accused' && event.name !== 'Answered' && event.name !== 'Concluded') return
      const deal = dealOf(event.args.key)
      if (deal?.accusation === undefined) return
      await deals.update(deal, (changed) => {
        if (event.name === 'Accused') delete changed.accusation
        else delete changed.accusation?.end
      })
    },
    tick: async (blockTime) => {
      await Promise.all(deals.all().filter((deal) => isBroken(deal) && !dropped.has(deal.dealId)).map(async (deal) => {
        const { accusation, promise, terms: { core: { openBy } } } = deal
        if (accusation?.end !== undefined || blockTime > openBy + unbondSeconds / 4 + 2 * answerSeconds(unbondSeconds)) dropped.add(deal.dealId)
        else if (accusation !== undefined) {
          if (blockTime > accusation.answerBy + DEADLINE_SKEW_SECONDS) await once(deal, async () => { await conclude(deal) })
        } else if (promise !== undefined && blockTime > openBy + Math.min(ACCUSE_AFTER_SECONDS, unbondSeconds / 16) && blockTime < openBy + unbondSeconds / 4 - DEADLINE_SKEW_SECONDS) {
          await once(deal, async () => { await accuse(deal, promise) })
        }
      }))
    }
  }
}
