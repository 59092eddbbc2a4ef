import { openCall } from '../chain/calls.ts'
import type { Chain } from '../chain/chain.ts'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { DealError } from '../deal/errors.ts'
import type { Signer } from '../identity/signer.ts'
import { BP } from '../match/integers.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { promiseDigest } from '../wire/broken-promise.ts'
import { decodeMessage, encodeMessage, MAX_OPEN_BYTES, OPEN_PROTOCOL, openRequestShape, type OpenRequestOf } from '../wire/deal-room.ts'
import { dealRestHash, dealTermsDigest, type Consent } from '../wire/deal-terms.ts'
import type { Hash } from '../wire/shapes.ts'
import { recoverSigner } from '../wire/signature.ts'
import { isBatched } from '../deal/batched.ts'
import type { AuctionView } from './auction.ts'
import type { Batcher } from './batch/batcher.ts'
import type { Contacts } from './contacts.ts'

export interface OpeningComponents { mesh: Pick<Mesh, 'requests'>, batcher: Batcher, auction: Pick<AuctionView, 'feeOf'>, chain: Pick<Chain, 'domain' | 'send'>, contacts: Pick<Contacts, 'peerOf'>, signer: Signer, clock: Clock, logger: Logger }

/** What records near a limit, and those that only one side holds, may make of a fee; more only where somebody cheats (protocol/auction.md, Reward). */
const FEE_TOLERANCE_BP = 1000

/** Promises to open deals and opens them on chain, by themselves or in batches, for whoever's match it was: a solver, or a node that posted the floor. */
export function serveOpen (components: OpeningComponents, signal: AbortSignal): () => void {
  const { auction, batcher, chain, contacts, signer, clock, logger } = components
  const { domain } = chain
  const opening = new Set<Hash>()
  // Every job of a large epoch may ask at once, twice.
  const limits = { maxBytes: MAX_OPEN_BYTES, perPeerPerSecond: 200, concurrency: 256, timeoutMs: 10_000 }

  const assertFits = (request: OpenRequestOf<'ready' | 'open'>): void => {
    const { core, rest } = request.terms
    if (core.feeTo !== signer.address) throw new DealError('DEAL_NOT_OURS', `the fee of this deal goes to ${core.feeTo}, not to us`, { data: { feeTo: core.feeTo } })
    if (core.openBy * 1000 <= clock.now()) throw new DealError('DEAL_NOT_OPEN', `the deal could be opened until ${core.openBy}`, { data: { openBy: core.openBy } })
    const due = auction.feeOf(rest.solutionId, core.price)
    if (core.fee < due - Math.ceil(due * FEE_TOLERANCE_BP / BP)) throw new DealError('DEAL_FEE_SHORT', `the fee of ${core.fee} nLILY is short of ${due}`, { data: { fee: core.fee, due, price: core.price } })
    const digest = dealTermsDigest(domain, request.terms)
    if (recoverSigner(digest, request.providerSignature) !== core.provider) throw new DealError('DEAL_BAD_SIGNATURE', 'the terms are not signed by the provider')
    if (request.type === 'open' && recoverSigner(digest, request.creatorSignature) !== core.creator) throw new DealError('DEAL_BAD_SIGNATURE', 'the terms are not signed by the creator')
  }
  const open = ({ terms, creatorSignature, providerSignature }: Consent): void => {
    const id = dealTermsDigest(domain, terms)
    if (opening.has(id)) return
    opening.add(id)
    chain.send(openCall(chain, { terms, creatorSignature, providerSignature }), { name: 'open', signal })
      .then(({ hash, gas }) => { logger.info('deal.opened', { hash, gas }) }, (error: unknown) => { logger.warn('deal.open', { error: errorMessage(error) }) })
      .finally(() => { opening.delete(id) })
  }

  /** With both signatures anyone can claim the leaf, which costs its owners gas: they are for those alone. */
  const consentFor = (dealId: Hash, peer: string): Consent => {
    const { creatorPeer, providerPeer, terms, creatorSignature, providerSignature } = batcher.consentOf(dealId)
    const owners = [creatorPeer, providerPeer, contacts.peerOf(terms.core.creator), contacts.peerOf(terms.core.provider)]
    if (!owners.includes(peer)) throw new DealError('DEAL_NOT_OURS', 'the deal is none of this peer\'s', { data: { dealId } })
    return { terms, creatorSignature, providerSignature }
  }

  return components.mesh.requests.serve(OPEN_PROTOCOL, limits, async (payload, { peer }) => {
    const request = decodeMessage(openRequestShape, payload, 'open request')
    if (request.type === 'leaf') return encodeMessage(batcher.leafOf(request.dealId))
    if (request.type === 'consent') return encodeMessage(consentFor(request.dealId, peer))
    if (request.type === 'statement') {
      await batcher.statement(request)
      return encodeMessage({})
    }
    assertFits(request)
    const { core, rest } = request.terms
    if (request.type === 'ready') {
      if (isBatched(request.terms)) await batcher.assertRoom(request)
      return encodeMessage({})
    }
    const { terms, creatorSignature, providerSignature, providerPeer } = request
    if (isBatched(terms)) await batcher.take({ terms, creatorSignature, providerSignature, creatorPeer: peer, providerPeer })
    else open({ terms, creatorSignature, providerSignature })
    return encodeMessage({ promise: signer.sign(promiseDigest(domain, core, dealRestHash(rest))) })
  })
}
