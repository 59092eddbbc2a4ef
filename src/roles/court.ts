import type { Chain, TxReceipt } from '../chain/chain.ts'
import { disputeAfter, seated } from '../chain/dispute.ts'
import { revealCall, ruleCall, verdictCall } from '../chain/dispute-calls.ts'
import type { Clock } from '../core/clock.ts'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Deal, MediatorVerdict } from '../deal/deal.ts'
import { drawPanel, isDecided, neededVerdicts } from '../verify/panel.ts'
import { drawSeed, saltHash } from '../wire/deal-messages.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import type { DealBook } from './deal-book.ts'
import { recordTransaction } from './transactions.ts'
import type { Verdicts } from './verdicts.ts'

/** A challenged deal, as one of its parties brings it to its end (protocol/deal.md, Between nodes). */
export interface Court {
  /** What is due now: the draw, or verdicts that the Court lacks. Resolves when it was sent, or nothing was. */
  pursue: (deal: Deal) => Promise<void>
}

/** What a transaction's own events told of the dispute. */
export function takeEvents (deal: Deal, { events }: TxReceipt): void {
  const dispute = events.reduce(disputeAfter, deal.dispute)
  if (dispute !== undefined) deal.dispute = dispute
}

export function createCourt (
  components: { deals: DealBook, verdicts: Verdicts, chain: Pick<Chain, 'domain' | 'send' | 'deployment' | 'mediators' | 'blockTime'>, clock: Clock, logger: Logger }, options: { signal: AbortSignal }
): Court {
  const { deals, verdicts, chain, clock, logger } = components
  const { signal } = options
  const pursuing = new Set<Hash>()
  const asking = new Set<string>()

  const saltsOf = (deal: Deal): { creator: Hash, provider: Hash } | undefined => {
    const creator = deal.dispute?.creatorSalt
    const provider = deal.dispute?.providerSalt ?? (deal.role === 'provider' ? deal.ownSalt : deal.otherSalt)
    return creator === undefined || provider === undefined || saltHash(provider) !== deal.terms.rest.providerSaltHash ? undefined : { creator, provider }
  }
  const voteOf = (deal: Deal, mediator: Address): MediatorVerdict | undefined => [...deal.votes ?? [], ...deal.verdict === undefined ? [] : [deal.verdict]].find((vote) => vote.mediator === mediator)

  /** Asks those whose word is not here; what comes late is kept for the next time. Waits for a third of the step at most. */
  const gather = async (deal: Deal, mediators: readonly Address[], salts: { creator: Hash, provider: Hash }): Promise<void> => {
    const needed = neededVerdicts(deal.terms.rest)
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const isEnough = (): boolean => isDecided(mediators.flatMap((mediator) => voteOf(deal, mediator)?.outcome ?? []), { needed, seats: mediators.length })
    if (isEnough()) return
    const asked = mediators.filter((mediator) => voteOf(deal, mediator) === undefined && !asking.has(deal.dealId + mediator)).map(async (mediator) => {
      asking.add(deal.dealId + mediator)
      try {
        const vote = await verdicts.ask(deal, mediator, salts)
        logger.info('court.verdict', { dealId: deal.dealId, mediator, outcome: vote.outcome })
        await deals.update(deal, (changed) => { changed.votes = [...changed.votes ?? [], vote] })
        if (isEnough()) resolve(undefined)
      } catch (error) {
        logger.info('court.no-verdict', { dealId: deal.dealId, mediator, error: errorMessage(error) })
      } finally {
        asking.delete(deal.dealId + mediator)
      }
    })
    const cancel = clock.after(windowOf(deal) * 1000 / 3, () => { resolve(undefined) })
    await Promise.race([promise, Promise.all(asked)])
    cancel()
  }
  const windowOf = ({ terms: { rest } }: Deal): number => Math.min(rest.challengeSeconds, Math.floor(chain.deployment.parameters.unbondSeconds / 2))
  const take = async (deal: Deal, receipt: TxReceipt, drawn: boolean): Promise<void> => {
    await deals.update(deal, (changed) => {
      recordTransaction(receipt)(changed)
      if (drawn) changed.revealedAt = receipt.blockTime
      takeEvents(changed, receipt)
    })
  }

  /** One transaction for draw and verdicts where enough are here; else the draw alone. */
  const draw = async (deal: Deal, salts: { creator: Hash, provider: Hash }): Promise<void> => {
    const needed = neededVerdicts(deal.terms.rest)
    const live = new Set((await chain.mediators()).map(({ address }) => address))
    const panel = drawPanel(drawSeed(salts.creator, salts.provider, deal.dealId), deal.mediators, 2 * needed - 1, (mediator) => live.has(mediator))
    await gather(deal, panel, salts)
    const here = panel.flatMap((mediator, seat) => {
      const vote = voteOf(deal, mediator)
      return vote === undefined ? [] : [{ ...vote, seat }]
    })
    if (isDecided(here.map(({ outcome }) => outcome), { needed, seats: panel.length })) {
      try {
        await take(deal, await chain.send(ruleCall(chain, deal, salts.provider, here), { name: 'rule', signal }), true)
        return
      } catch (error) {
        // The chain drew others: one of them registered after the challenge.
        if (errorCode(error) !== 'CHAIN_REVERTED') throw error
        logger.info('court.rule', { dealId: deal.dealId, error: errorMessage(error) })
      }
    }
    await take(deal, await chain.send(revealCall(chain, deal, salts.provider), { name: 'reveal', signal }), true)
  }

  /** Brings verdicts of who sits: all that decide at once, what there is when the step is half over, so that nobody is slashed whose word is here. */
  const bring = async (deal: Deal, salts: { creator: Hash, provider: Hash }): Promise<void> => {
    const { dispute } = deal
    if (dispute === undefined || dispute.ruling !== undefined) return
    const panel = seated(dispute)
    await gather(deal, panel, salts)
    const isMissing = (mediator: Address): boolean => deal.dispute?.answered?.includes(mediator) !== true
    const here = panel.flatMap((mediator) => voteOf(deal, mediator) ?? [])
    const fresh = here.filter(({ mediator }) => isMissing(mediator))
    const decides = isDecided(here.map(({ outcome }) => outcome), { needed: neededVerdicts(deal.terms.rest), seats: panel.length })
    const isHalfOver = await chain.blockTime() > (deal.revealedAt ?? 0) + windowOf(deal) / 2
    if (fresh.length > 0 && (decides || isHalfOver)) await take(deal, await chain.send(verdictCall(chain, deal, fresh), { name: 'verdict', signal }), false)
  }

  return {
    pursue: async (deal) => {
      const salts = saltsOf(deal)
      if (deal.state !== 'ResultsChallenged' || deal.dispute === undefined || salts === undefined || pursuing.has(deal.dealId)) return
      pursuing.add(deal.dealId)
      try {
        if (deal.revealedAt === undefined) await draw(deal, salts)
        if (deal.revealedAt !== undefined && deal.dispute.providerSalt !== undefined) await bring(deal, salts)
      } finally {
        pursuing.delete(deal.dealId)
      }
    }
  }
}
