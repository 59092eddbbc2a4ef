import type { MediatorList } from '../wire/deal-messages.ts'
import type { DealTerms } from '../wire/deal-terms.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { fromAmount } from './amounts.ts'

/** The wire's deal structs as the contracts' ABI takes them: uint64 as bigint, all else as it is. */

export interface AbiDealCore {
  creator: Address, provider: Address, feeTo: Address, price: bigint, fee: bigint, collateral: bigint, reserve: bigint
  jobNumber: bigint, attempt: number, lane: number, openBy: bigint
}

/** DealCore of `terms`. Throws ChainError CHAIN_AMOUNT_RANGE. */
export function coreOf ({ core }: DealTerms): AbiDealCore {
  return {
    ...core,
    price: fromAmount(core.price),
    fee: fromAmount(core.fee),
    collateral: fromAmount(core.collateral),
    reserve: fromAmount(core.reserve),
    jobNumber: fromAmount(core.jobNumber),
    openBy: fromAmount(core.openBy)
  }
}

export interface AbiDealRest {
  jobOfferId: Hash, resourceOfferId: Hash, solutionId: Hash, verification: number, auditBp: number, mediatorRoot: Hash
  creatorSaltHash: Hash, providerSaltHash: Hash, startBy: bigint, submitSeconds: number, judgeSeconds: number, challengeSeconds: number
  claimFee: bigint, auditFee: bigint, parameters: Hash, linesRoot: Hash, certificateSet: Hash, creatorKey: Hash, providerKey: Hash
  watcher: Address, replicas: number, quorum: number, tolerancePpm: number, tier: number, verdicts: number, hardwareClass: Hash, appealSeconds: number
}

/** DealRest of `terms`. Throws ChainError CHAIN_AMOUNT_RANGE. */
export function restOf ({ rest }: DealTerms): AbiDealRest {
  return { ...rest, startBy: fromAmount(rest.startBy), claimFee: fromAmount(rest.claimFee), auditFee: fromAmount(rest.auditFee) }
}

/** The preimage of the terms' mediatorRoot. */
export function listOf (list: MediatorList): { mediators: readonly Address[], weights: readonly bigint[] } {
  return { mediators: list.mediators, weights: list.weights.map(fromAmount) }
}
