import { keccak256 } from 'viem'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import type { Chain } from '../../chain/chain.ts'
import { openCall } from '../../chain/calls.ts'
import { isBatched } from '../../deal/batched.ts'
import type { Deal } from '../../deal/deal.ts'
import { DealError } from '../../deal/errors.ts'
import { isTerminal } from '../../deal/states.ts'
import type { Executor } from '../../exec/executor.ts'
import type { Signer } from '../../identity/signer.ts'
import type { Mesh } from '../../mesh/mesh.ts'
import type { Blocks } from '../../store/blocks.ts'
import { resultReceiptDigest } from '../../wire/deal-messages.ts'
import { jobOfferShape } from '../../wire/job-offer.ts'
import { decodeBody, decodeRecord } from '../../wire/record.ts'
import { recoverSigner } from '../../wire/signature.ts'
import type { Leaves } from '../batch/leaves.ts'
import type { Contacts } from '../contacts.ts'
import { createCourt } from '../court.ts'
import type { DealBook } from '../deal-book.ts'
import { resultMessage, type DealAnswers, type DealRoom } from '../deal-room.ts'
import { createDealWatch } from '../deal-watch.ts'
import { recordTransaction } from '../transactions.ts'
import { createVerdicts } from '../verdicts.ts'
import { sharesOf, type CapacityLedger } from './capacity.ts'
import { createProviderConsent, type ConsentComponents, type ConsentOptions } from './consent.ts'
import type { OfferPublisher } from './offers.ts'
import { createSettlement } from './settle.ts'
import { createWorker, type Fault } from './work.ts'

export interface ProviderComponents extends ConsentComponents {
  deals: DealBook
  ledger: CapacityLedger
  offers: OfferPublisher
  room: DealRoom
  blocks: Blocks
  executor: Executor
  leaves: Leaves
  mesh: Pick<Mesh, 'roles'>
  contacts: Pick<Contacts, 'peerOf'>
  chain: Pick<Chain, 'account' | 'mediators' | 'domain' | 'send' | 'onEvent' | 'onLost' | 'stateOf' | 'blockTime' | 'isNullified' | 'deployment' | 'hurry' | 'moduleVersion'>
  signer: Signer
  clock: Clock
  logger: Logger
}
export interface ProviderOptions extends ConsentOptions { fault?: Fault }

/** If the solver has not opened a consented deal after this long, the provider opens it itself: it is the one who wants to be paid. */
const OPEN_FALLBACK_MS = 2_500

/** The resource-provider role: offers, consents, works, settles. */
export function createProvider (components: ProviderComponents, options: ProviderOptions): Startable & { answers: DealAnswers } {
  const { deals, leaves, ledger, offers, clock, logger, chain } = components
  const stopping = new AbortController()
  let unfollow = (): void => undefined
  const consent = createProviderConsent(components, options)
  const worker = createWorker(components, { signal: stopping.signal, ...(options.fault === undefined ? {} : { fault: options.fault }) })
  const settlement = createSettlement({ deals, leaves, chain, clock, logger }, { signal: stopping.signal, settleSeconds: options.parameters.settleSeconds })
  const verdicts = createVerdicts(components, { domain: chain.domain, signal: stopping.signal })
  const court = createCourt({ deals, verdicts, chain, clock, logger }, { signal: stopping.signal })
  /** A creator that challenges and then says nothing must not win by that: its provider draws, and brings verdicts. The creator, who paid for the challenge, has the first third of each step. */
  const defend = (deal: Deal, blockTime: number): void => {
    const since = deal.revealedAt ?? deal.challengedAt
    if (deal.state !== 'ResultsChallenged' || since === undefined || blockTime < since + deal.terms.rest.challengeSeconds / 3) return
    court.pursue(deal).catch((error: unknown) => { if (!stopping.signal.aborted) logger.warn('deal.defend', { dealId: deal.dealId, error: errorMessage(error) }) })
  }
  const watch = createDealWatch({ deals, leaves, chain, clock, logger }, {
    onTick: async (blockTime) => {
      offers.refresh()
      for (const deal of deals.open()) {
        await settlement.settle(deal)
        await settlement.submitIfDue(deal, blockTime)
        defend(deal, blockTime)
      }
    }
  })

  const openSoon = (deal: Deal): void => {
    if (isBatched(deal.terms)) return
    clock.after(OPEN_FALLBACK_MS, () => {
      if (deal.state !== 'DealNegotiating' || deal.creatorSignature === undefined || deal.providerSignature === undefined || stopping.signal.aborted) return
      const call = openCall(chain, { terms: deal.terms, creatorSignature: deal.creatorSignature, providerSignature: deal.providerSignature })
      chain.send(call, { name: 'open', signal: stopping.signal }).then(
        async (receipt) => { await deals.apply(deal, 'opened', recordTransaction(receipt)) },
        (error: unknown) => { logger.debug('deal.open.fallback', { dealId: deal.dealId, error: errorMessage(error) }) }
      )
    })
  }

  const advance = (deal: Deal): void => {
    if (isTerminal(deal.state)) {
      ledger.release(deal.dealId)
    } else if (deal.state === 'DealAgreed' || deal.state === 'Running' || (deal.state === 'ResultsSubmitted' && deal.acceptance === undefined)) {
      worker.work(deal)
    }
  }

  const ownDeal = (dealId: Deal['dealId']): Deal => {
    const deal = deals.get(dealId)
    if (deal === undefined) throw new DealError('DEAL_UNKNOWN', 'no such deal here', { data: { dealId } })
    return deal
  }

  const answers: DealAnswers = {
    propose: (message, peer) => consent.propose(message, peer),
    agree: async (message) => {
      const deal = await consent.agree(message)
      worker.stage(deal)
      openSoon(deal)
      return {}
    },
    leaf: async (message) => {
      const deal = deals.get(message.dealId)
      if (deal === undefined) return undefined
      await leaves.told(deal, message)
      return {}
    },
    opened: async (message) => deals.get(message.dealId) === undefined ? undefined : {},
    accept: async (message) => {
      const deal = await settlement.accepted(message)
      void settlement.settle(deal)
      return {}
    },
    salt: async (message) => {
      const deal = ownDeal(message.dealId)
      if (deal.result === undefined || deal.result.manifest !== message.manifest) throw new DealError('DEAL_WRONG_MANIFEST', 'salts are shown only for the result that was delivered', { data: { dealId: deal.dealId } })
      if (recoverSigner(resultReceiptDigest(chain.domain, { dealId: deal.dealId, manifest: message.manifest }), message.signature) !== deal.terms.core.creator) throw new DealError('DEAL_BAD_SIGNATURE', 'the receipt of the result is not signed by the creator', { data: { dealId: deal.dealId } })
      if (keccak256(message.creatorSalt) !== deal.terms.rest.creatorSaltHash) throw new DealError('DEAL_BAD_SALT', 'the creator salt is not the committed one', { data: { dealId: deal.dealId } })
      await deals.update(deal, (changed) => { changed.otherSalt = message.creatorSalt })
      return { providerSalt: deal.ownSalt }
    },
    status: async (message) => {
      const deal = deals.get(message.dealId)
      if (deal === undefined) return undefined
      return { state: deal.state, ...(deal.result === undefined ? {} : { result: resultMessage(deal) }) }
    },
    withdraw: async (message, peer) => {
      const deal = deals.get(message.dealId)
      if (deal === undefined || deal.peer !== peer) return undefined
      if (deal.state !== 'DealNegotiating' || deal.creatorSignature !== undefined) throw new DealError('DEAL_BOUND', `the deal is in ${deal.state} and cannot be withdrawn`, { data: { dealId: deal.dealId, state: deal.state } })
      await deals.apply(deal, 'withdrawn')
      return {}
    }
  }

  return {
    answers,
    start: async () => {
      unfollow = ledger.onChange(() => { offers.refresh() })
      deals.onUpdate(advance)
      for (const deal of deals.open()) {
        const job = decodeBody(jobOfferShape, decodeRecord(chain.domain, deal.jobRecord))
        const shares = sharesOf(job, deal.devices)
        const unit = offers.unitOf(deal.terms.rest.resourceOfferId) ?? [...ledger.units.keys()].find((name) => ledger.reserve(deal.dealId, name, job.resources, shares))
        if (unit !== undefined) ledger.reserve(deal.dealId, unit, job.resources, shares)
        if (deal.state === 'DealNegotiating') openSoon(deal)
        advance(deal)
      }
      await watch.start()
      await offers.withdrawStale()
      offers.refresh()
    },
    stop: async () => {
      stopping.abort(new Error('the node is stopping'))
      unfollow()
      await watch.stop()
      await worker.idle()
      await offers.settled()
    }
  }
}
