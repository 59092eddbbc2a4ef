import type { Chain } from '../../chain/chain.ts'
import { settleAuditedCall, settleCall, submitCall } from '../../chain/calls.ts'
import { settleDisputedCall } from '../../chain/dispute-calls.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { Deal } from '../../deal/deal.ts'
import { DealError } from '../../deal/errors.ts'
import { submitDueAt } from '../../deal/timeouts.ts'
import { isTerminal } from '../../deal/states.ts'
import { acceptanceDigest } from '../../wire/deal-messages.ts'
import type { DealRequestOf } from '../../wire/deal-room.ts'
import { recoverSigner } from '../../wire/signature.ts'
import type { DealBook } from '../deal-book.ts'
import { recordTransaction } from '../transactions.ts'

export interface SettleComponents { deals: DealBook, chain: Pick<Chain, 'domain' | 'send' | 'deployment'>, logger: Logger }

/** The provider's way to its money: by the creator's acceptance, else by putting the result on chain in time. */
export function createSettlement (components: SettleComponents, options: { signal: AbortSignal }): {
  accepted: (message: DealRequestOf<'accept'>) => Promise<Deal>
  settle: (deal: Deal) => Promise<void>
  submitIfDue: (deal: Deal, blockTime: number) => Promise<void>
} {
  const { deals, chain, logger } = components
  const busy = new Set<string>()

  /** One transaction per deal at a time; a failure is logged and tried again at the next tick. */
  const once = async (deal: Deal, name: string, send: () => Promise<void>): Promise<void> => {
    if (busy.has(deal.dealId)) return
    busy.add(deal.dealId)
    try {
      await send()
    } catch (error) {
      if (!options.signal.aborted) logger.warn(`deal.${name}`, { dealId: deal.dealId, error: errorMessage(error) })
    } finally {
      busy.delete(deal.dealId)
    }
  }

  return {
    accepted: async (message) => {
      const deal = deals.get(message.dealId)
      if (deal?.result === undefined) throw new DealError('DEAL_UNKNOWN', 'no such deal with a result here', { data: { dealId: message.dealId } })
      if (message.manifest !== deal.result.manifest) throw new DealError('DEAL_WRONG_MANIFEST', 'the acceptance is for another result', { data: { dealId: message.dealId } })
      const signer = recoverSigner(acceptanceDigest(chain.domain, { dealId: deal.dealId, manifest: message.manifest }), message.signature)
      if (signer !== deal.terms.core.creator) throw new DealError('DEAL_BAD_SIGNATURE', 'the acceptance is not signed by the creator', { data: { dealId: message.dealId } })
      await deals.update(deal, (changed) => {
        changed.acceptance = message.signature
        if (message.verdict !== undefined) changed.verdict = message.verdict
      })
      return deal
    },
    settle: async (deal) => {
      const { acceptance, result, verdict } = deal
      if (acceptance === undefined || result === undefined || isTerminal(deal.state)) return
      await once(deal, 'settle', async () => {
        const call = deal.state === 'ResultsChallenged'
          ? settleDisputedCall(chain, deal, result.manifest, acceptance)
          : verdict === undefined
          ? settleCall(chain, deal.terms, result.manifest, acceptance)
          : settleAuditedCall(chain, deal, { manifest: result.manifest, acceptance, verdict })
        const receipt = await chain.send(call, { name: 'settle', signal: options.signal })
        await deals.apply(deal, 'settled', recordTransaction(receipt))
      })
    },
    submitIfDue: async (deal, blockTime) => {
      const { result, start } = deal
      if (result === undefined || start?.creatorSignature === undefined || deal.acceptance !== undefined || deal.submittedAt !== undefined || isTerminal(deal.state) || deal.state === 'ResultsChallenged') return
      if (blockTime < submitDueAt(deal.terms.rest, start.startedAt)) return
      await once(deal, 'submit', async () => {
        const receipt = await chain.send(submitCall(chain, deal), { name: 'submit', signal: options.signal })
        await deals.apply(deal, 'submitted', (changed) => {
          recordTransaction(receipt)(changed)
          changed.submittedAt = receipt.blockTime
        })
      })
    }
  }
}
