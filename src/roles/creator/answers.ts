import { zeroHash } from 'viem'
import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import type { Deal } from '../../deal/deal.ts'
import { DealError } from '../../deal/errors.ts'
import { DEADLINE_SKEW_SECONDS } from '../../deal/timeouts.ts'
import type { Signer } from '../../identity/signer.ts'
import { startReceiptDigest } from '../../wire/deal-messages.ts'
import { recoverSigner } from '../../wire/signature.ts'
import type { Leaves } from '../batch/leaves.ts'
import type { DealBook } from '../deal-book.ts'
import type { DealAnswers } from '../deal-room.ts'
import { cidDigest } from '../run-job.ts'
import { checkResultMessage, jobOfDeal } from './receive.ts'
import { noteResult } from './receiver.ts'

/** How long a start receipt waits for this node to see the deal on chain; the provider saw it before it asked. */
const SEE_OPEN_MS = 3_000

/** What the creator answers in the deal room: the start receipt and the result. */
export function createCreatorAnswers (components: {
  deals: DealBook, leaves: Pick<Leaves, 'told'>, chain: Pick<Chain, 'domain'>, signer: Signer, clock: Clock, receive: (deal: Deal) => void
}): DealAnswers {
  const { deals, leaves, chain, signer, clock } = components

  const seenOpen = async (deal: Deal): Promise<void> => {
    if (deal.state !== 'DealNegotiating') return
    await new Promise<void>((resolve, reject) => {
      const stop = deals.onUpdate((changed) => {
        if (changed.dealId !== deal.dealId || changed.state === 'DealNegotiating') return
        cancel()
        stop()
        resolve()
      })
      const cancel = clock.after(SEE_OPEN_MS, () => {
        stop()
        reject(new DealError('DEAL_NOT_OPEN', 'the deal is not on chain yet', { data: { dealId: deal.dealId } }))
      })
    })
  }

  return {
    start: async (message) => {
      const deal = deals.get(message.dealId)
      if (deal === undefined) return undefined
      if (deal.start?.creatorSignature !== undefined && deal.start.startedAt === message.startedAt) return { creatorSignature: deal.start.creatorSignature }
      const job = jobOfDeal(chain.domain, deal)
      const nowSeconds = Math.floor(clock.now() / 1000)
      if (message.inputRoot !== cidDigest(job.inputs) || message.sealedRoot !== zeroHash) throw new DealError('DEAL_WRONG_INPUTS', 'the receipt names other inputs', { data: { dealId: deal.dealId } })
      if (message.startedAt > deal.terms.rest.startBy || Math.abs(message.startedAt - nowSeconds) > DEADLINE_SKEW_SECONDS * 5) {
        throw new DealError('DEAL_BAD_START', `startedAt ${message.startedAt} is not now, or after startBy`, { data: { dealId: deal.dealId, startedAt: message.startedAt } })
      }
      const receipt = { dealId: deal.dealId, inputRoot: message.inputRoot, sealedRoot: message.sealedRoot, startedAt: message.startedAt }
      const digest = startReceiptDigest(chain.domain, receipt)
      if (recoverSigner(digest, message.providerSignature) !== deal.terms.core.provider) throw new DealError('DEAL_BAD_SIGNATURE', 'the receipt is not signed by the provider', { data: { dealId: deal.dealId } })
      await seenOpen(deal)
      const creatorSignature = signer.sign(digest)
      await deals.apply(deal, 'started', (changed) => {
        changed.start = { inputRoot: receipt.inputRoot, sealedRoot: receipt.sealedRoot, startedAt: receipt.startedAt, providerSignature: message.providerSignature, creatorSignature }
      })
      return { creatorSignature }
    },
    result: async (message) => {
      const deal = deals.get(message.dealId)
      if (deal === undefined) return undefined
      if (deal.result === undefined) {
        await noteResult(deals, deal, checkResultMessage(chain.domain, deal, message))
      }
      components.receive(deal)
      return {}
    },
    leaf: async (message) => {
      const deal = deals.get(message.dealId)
      if (deal === undefined) return undefined
      await leaves.told(deal, message)
      return {}
    },
    opened: async (message) => deals.get(message.dealId) === undefined ? undefined : {},
    status: async (message) => {
      const deal = deals.get(message.dealId)
      return deal === undefined ? undefined : { state: deal.state }
    }
  }
}
