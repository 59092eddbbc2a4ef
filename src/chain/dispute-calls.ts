import type { Verdict } from '../wire/deal-messages.ts'
import { dealRestHash } from '../wire/deal-terms.ts'
import type { Address, Hash, Signature } from '../wire/shapes.ts'
import { fromAmount } from './amounts.ts'
import type { Opening } from './batch/layout.ts'
import { incomplete, saltsOf, type Bound, type DealEvidence, type VerdictEvidence } from './calls.ts'
import type { ContractCall } from './contract-call.ts'
import { coreOf, listOf, restOf } from './deal-structs.ts'
import type { Deployment } from './deployment.ts'
import type { Dispute } from './dispute.ts'
import { encodeCall } from './encode-call.ts'
import { toContractSignature } from './signing.ts'

/** Every transaction of a dispute. All but the first need what its events told (`DealEvidence.dispute`). */

type Deployed = Bound & { readonly deployment: Pick<Deployment, 'parameters'> }
type Disputed = Pick<DealEvidence, 'terms' | 'mediators' | 'dispute'>
interface AbiComplaint { manifest: Hash, outputRoot: Hash, providerSig: AbiSignature, kind: number, creatorSig: AbiSignature, saltCreator: Hash }
type AbiSignature = ReturnType<typeof toContractSignature>

/** Asks for mediators. `signature`: the creator's over Challenge(dealId, manifest, kind); publishes the creator's salt. */
export function challengeCall (_chain: Bound, deal: DealEvidence, signature: Signature, kind = 1): ContractCall {
  return encodeCall('court', 'challenge', [coreOf(deal.terms), restOf(deal.terms), complaintOf(deal, signature, kind)])
}

/** Claims a leaf of a batch and challenges it in one transaction. */
export function challengeLeafCall (_chain: Bound, opening: Opening, deal: DealEvidence & { creatorSignature: Signature, providerSignature: Signature }, signature: Signature, kind = 1): ContractCall {
  return encodeCall('court', 'challengeLeaf', [
    opening, coreOf(deal.terms), restOf(deal.terms), toContractSignature(deal.creatorSignature), toContractSignature(deal.providerSignature), complaintOf(deal, signature, kind)
  ])
}

/** Ends a dispute by acceptance while no mediator is drawn. */
export function settleDisputedCall (chain: Deployed, deal: Disputed, manifest: Hash, acceptance: Signature): ContractCall {
  return encodeCall('court', 'settle', [coreOf(deal.terms), docketOf(chain, deal), manifest, toContractSignature(acceptance)])
}

/** Draws the mediators with the provider's salt. */
export function revealCall (chain: Deployed, deal: Disputed, providerSalt: Hash): ContractCall {
  return encodeCall('court', 'reveal', [coreOf(deal.terms), docketOf(chain, deal), listOf(deal.mediators), providerSalt])
}

/** A drawn mediator's word, and which seat it has. */
export type SeatedVerdict = VerdictEvidence & { readonly seat: number }

/** Draws, and brings the verdicts of those that the parties drew off chain: one transaction where both salts are known. */
export function ruleCall (chain: Deployed, deal: Disputed, providerSalt: Hash, verdicts: readonly SeatedVerdict[]): ContractCall {
  return encodeCall('court', 'rule', [
    coreOf(deal.terms), docketOf(chain, deal), listOf(deal.mediators), providerSalt,
    verdicts.map(({ seat, outcome, evidence, signature }) => ({ seat, outcome, evidence, signature: toContractSignature(signature) }))
  ])
}

/** Brings drawn mediators' verdicts; ends the dispute when enough agree. */
export function verdictCall (chain: Deployed, deal: Disputed, verdicts: ReadonlyArray<VerdictEvidence & { mediator: Address }>): ContractCall {
  const panel = panelOf(deal)
  return encodeCall('court', 'verdict', [
    coreOf(deal.terms), docketOf(chain, deal), panel,
    verdicts.map(({ mediator, outcome, evidence, signature }) => ({ seat: Math.max(0, panel.mediators.indexOf(mediator)), outcome, evidence, signature: toContractSignature(signature) }))
  ])
}

/** Ends a dispute in which the provider kept its salt back. */
export function timeoutRevealCall (chain: Deployed, deal: Disputed): ContractCall {
  return encodeCall('court', 'timeoutReveal', [coreOf(deal.terms), docketOf(chain, deal)])
}

/** Replaces silent mediators, or ends the dispute. */
export function timeoutVerdictCall (chain: Deployed, deal: Disputed): ContractCall {
  return encodeCall('court', 'timeoutVerdict', [coreOf(deal.terms), docketOf(chain, deal), panelOf(deal), listOf(deal.mediators)])
}

/** Has a ruling judged again. `signature`: the appellant's over Appeal(dealId); stakes the minimum bond of its free money. */
export function appealCall (chain: Deployed, deal: Disputed, appellant: Address, signature: Signature): ContractCall {
  return encodeCall('court', 'appeal', [coreOf(deal.terms), docketOf(chain, deal), rulingOf(deal), appellant, toContractSignature(signature)])
}

/** The word of the judge on an appealed ruling. */
export function judgeCall (chain: Deployed, deal: Disputed, outcome: number): ContractCall {
  return encodeCall('court', 'judge', [coreOf(deal.terms), docketOf(chain, deal), rulingOf(deal), outcome])
}

/** Pays a ruling once the time for an appeal, or for its judge, is over. */
export function concludeCall (chain: Deployed, deal: Disputed): ContractCall {
  return encodeCall('court', 'conclude', [coreOf(deal.terms), docketOf(chain, deal), rulingOf(deal)])
}

/** Takes the bond of a mediator that signed two outcomes for one result. */
export function slashEquivocationCall (_chain: Bound, mediator: Address, one: Verdict & { signature: Signature }, other: Verdict & { signature: Signature }): ContractCall {
  const plain = ({ dealId, manifest, outcome, evidence }: Verdict): { dealId: Hash, manifest: Hash, outcome: number, evidence: Hash } => ({ dealId, manifest, outcome: Number(outcome), evidence })
  return encodeCall('court', 'slashEquivocation', [mediator, plain(one), toContractSignature(one.signature), plain(other), toContractSignature(other.signature)])
}

function complaintOf (deal: DealEvidence, signature: Signature, kind: number): AbiComplaint {
  const { result } = deal
  if (result === undefined) throw incomplete('result')
  return { manifest: result.manifest, outputRoot: result.outputRoot, providerSig: toContractSignature(result.signature), kind, creatorSig: toContractSignature(signature), saltCreator: saltsOf(deal).creator }
}

/** protocol/deal.md, "Disputes on chain". */
function docketOf ({ deployment }: Deployed, { terms, dispute }: Disputed): {
  restHash: Hash, mediatorRoot: Hash, providerSaltHash: Hash, manifest: Hash, saltCreator: Hash, claimFee: bigint, auditFee: bigint, window: number, appealSeconds: number, verdicts: number
} {
  const { manifest, creatorSalt } = present(dispute)
  const { mediatorRoot, providerSaltHash, claimFee, auditFee, challengeSeconds, appealSeconds, verdicts } = terms.rest
  return {
    restHash: dealRestHash(terms.rest), mediatorRoot, providerSaltHash, manifest, saltCreator: creatorSalt, claimFee: fromAmount(claimFee), auditFee: fromAmount(auditFee),
    window: Math.min(challengeSeconds, Math.floor(deployment.parameters.unbondSeconds / 2)), appealSeconds, verdicts
  }
}

function panelOf ({ dispute }: Pick<DealEvidence, 'dispute'>): { saltProvider: Hash, mediators: readonly Address[] } {
  const { providerSalt, mediators } = present(dispute)
  if (providerSalt === undefined) throw incomplete('the draw of its mediators')
  return { saltProvider: providerSalt, mediators }
}

function rulingOf ({ dispute }: Pick<DealEvidence, 'dispute'>): { outcome: number, each: bigint, paid: readonly Address[], appellant: Address } {
  const { ruling } = present(dispute)
  if (ruling === undefined) throw incomplete('a ruling')
  return { outcome: ruling.outcome, each: fromAmount(ruling.each), paid: ruling.paid, appellant: ruling.appellant ?? '0x0000000000000000000000000000000000000000' }
}

function present (dispute: Dispute | undefined): Dispute {
  if (dispute === undefined) throw incomplete('its challenge')
  return dispute
}
