import type { MediatorList } from '../wire/deal-messages.ts'
import { dealIdOf, dealRestHash, type Consent, type DealTerms } from '../wire/deal-terms.ts'
import type { Address, Hash, Signature } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import { fromAmount } from './amounts.ts'
import type { ContractCall } from './contract-call.ts'
import type { Dispute } from './dispute.ts'
import { coreOf, listOf, restOf } from './deal-structs.ts'
import { encodeCall } from './encode-call.ts'
import { ChainError } from './errors.ts'
import { toContractSignature } from './signing.ts'

/** Every transaction of a deal as a ContractCall. Anyone may send them: what counts is the signatures inside. */

/** The part of a deal's journal that its transactions carry. */
export interface DealEvidence {
  role: 'creator' | 'provider'
  terms: DealTerms
  mediators: MediatorList
  ownSalt: Hash
  otherSalt?: Hash
  start?: { inputRoot: Hash, sealedRoot: Hash, startedAt: number, creatorSignature?: Signature, providerSignature: Signature }
  result?: { manifest: Hash, outputRoot: Hash, signature: Signature }
  /** What stands on chain of its dispute. */
  dispute?: Dispute
}
/** A mediator's signed word. */
export interface VerdictEvidence { outcome: number, evidence: Hash, signature: Signature }
export type Bound = { readonly domain: Domain }

/** Locks both sides' money. */
export function openCall (_chain: Bound, consent: Consent): ContractCall {
  const { terms, creatorSignature, providerSignature } = consent
  return encodeCall('market', 'open', [coreOf(terms), dealRestHash(terms.rest), toContractSignature(creatorSignature), toContractSignature(providerSignature)])
}

/** Pays the provider by the creator's acceptance of `manifest`. */
export function settleCall (_chain: Bound, terms: DealTerms, manifest: Hash, acceptance: Signature): ContractCall {
  return encodeCall('market', 'settle', [coreOf(terms), dealRestHash(terms.rest), manifest, toContractSignature(acceptance)])
}

/** Puts the result on chain before its deadline. */
export function submitCall (chain: Bound, deal: DealEvidence): ContractCall {
  const { result } = deal
  if (result === undefined) throw incomplete('result')
  const commit = { dealId: dealIdIn(chain, deal.terms), manifest: result.manifest, outputRoot: result.outputRoot }
  return encodeCall('market', 'submit', [coreOf(deal.terms), restOf(deal.terms), ...startOf(chain, deal), commit, toContractSignature(result.signature)])
}

/** Pays the provider of a submission that nobody challenged in time. */
export function finalizeCall (_chain: Bound, { terms }: Pick<DealEvidence, 'terms'>): ContractCall {
  return encodeCall('market', 'finalize', [coreOf(terms), restOf(terms)])
}

/** Gives both sides their money back when nothing came of an open deal. */
export function refundCall (_chain: Bound, { terms }: Pick<DealEvidence, 'terms'>): ContractCall {
  return encodeCall('market', 'refund', [coreOf(terms), restOf(terms)])
}

/** Slashes a provider that started and did not submit in time. */
export function timeoutSubmitCall (chain: Bound, deal: DealEvidence): ContractCall {
  return encodeCall('market', 'timeoutSubmit', [coreOf(deal.terms), restOf(deal.terms), ...startOf(chain, deal)])
}

/** Keeps every attempt of a job that is not open yet from being opened. `signature`: the creator's over Nullify(jobNumber). */
export function nullifyCall (_chain: Bound, options: { creator: Address, jobNumber: number, signature: Signature }): ContractCall {
  return encodeCall('market', 'nullify', [options.creator, fromAmount(options.jobNumber), toContractSignature(options.signature)])
}

/** Pays provider and mediator by acceptance and the audit's verdict, without a dispute. */
export function settleAuditedCall (chain: Bound, deal: DealEvidence, audit: { manifest: Hash, acceptance: Signature, verdict: VerdictEvidence }): ContractCall {
  const { terms } = deal
  const salts = saltsOf(deal)
  if (salts.provider === undefined) throw incomplete('the provider\'s salt')
  return encodeCall('court', 'settleAudited', [
    coreOf(terms), restOf(terms), listOf(deal.mediators), salts.creator, salts.provider,
    verdictOf(chain, terms, audit.manifest, audit.verdict), toContractSignature(audit.verdict.signature), toContractSignature(audit.acceptance)
  ])
}

function dealIdIn ({ domain }: Bound, { core }: DealTerms): Hash {
  return dealIdOf(domain, core.creator, core.jobNumber, core.attempt)
}

function verdictOf (chain: Bound, terms: DealTerms, manifest: Hash, verdict: VerdictEvidence): { dealId: Hash, manifest: Hash, outcome: number, evidence: Hash } {
  return { dealId: dealIdIn(chain, terms), manifest, outcome: verdict.outcome, evidence: verdict.evidence }
}

export function saltsOf ({ role, ownSalt, otherSalt }: DealEvidence): { creator: Hash, provider: Hash | undefined } {
  if (role === 'creator') return { creator: ownSalt, provider: otherSalt }
  if (otherSalt === undefined) throw incomplete('the creator\'s salt')
  return { creator: otherSalt, provider: ownSalt }
}

/** Start receipt and both signatures under it. */
function startOf (chain: Bound, { terms, start }: DealEvidence): readonly [{ dealId: Hash, inputRoot: Hash, sealedRoot: Hash, startedAt: bigint }, { r: Hash, vs: Hash }, { r: Hash, vs: Hash }] {
  if (start?.creatorSignature === undefined) throw incomplete('the start receipt with both signatures')
  const receipt = { dealId: dealIdIn(chain, terms), inputRoot: start.inputRoot, sealedRoot: start.sealedRoot, startedAt: fromAmount(start.startedAt) }
  return [receipt, toContractSignature(start.creatorSignature), toContractSignature(start.providerSignature)]
}

export function incomplete (what: string): ChainError {
  return new ChainError('CHAIN_CALL_INCOMPLETE', `the transaction needs ${what}, which this deal does not have yet`, { data: { what } })
}
