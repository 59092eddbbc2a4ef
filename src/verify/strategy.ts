import type { Hash } from '../wire/shapes.ts'
import { drawMediator, drawSeed, isAudited, saltHash, type MediatorList } from '../wire/deal-messages.ts'
import type { DealRest } from '../wire/deal-terms.ts'
import type { Address } from '../wire/shapes.ts'
import { VerifyError } from './errors.ts'

/** What a creator does with a delivered result. */
export type Decision =
  /** Pay; `none` does so before the outputs are here. */
  | { action: 'accept', beforeFetch: boolean }
  /** The provider's salt is needed for the draw. */
  | { action: 'ask-salt' }
  /** A mediator re-executes. */
  | { action: 'audit', mediator: Address }

/** The draw of an audited deal, once both salts are known. Throws VerifyError VERIFY_BAD_SALT when one is not the committed one. */
export function drawAudit (dealId: Hash, rest: Pick<DealRest, 'auditBp' | 'creatorSaltHash' | 'providerSaltHash'>, salts: { creator: Hash, provider: Hash }, mediators: MediatorList): { audited: boolean, mediator: Address | undefined } {
  if (saltHash(salts.creator) !== rest.creatorSaltHash || saltHash(salts.provider) !== rest.providerSaltHash) {
    throw new VerifyError('VERIFY_BAD_SALT', 'a salt is not the one the terms commit to', { data: { dealId } })
  }
  const seed = drawSeed(salts.creator, salts.provider, dealId)
  return { audited: isAudited(seed, rest.auditBp), mediator: drawMediator(seed, mediators) }
}

/** The next step for a result, from the terms and the salts known so far. Strategy numbers as in DealRest. */
export function decide (dealId: Hash, rest: DealRest, salts: { creator: Hash, provider: Hash | undefined }, mediators: MediatorList): Decision {
  if (rest.verification !== 2) return { action: 'accept', beforeFetch: rest.verification === 0 }
  if (salts.provider === undefined) return { action: 'ask-salt' }
  const { audited, mediator } = drawAudit(dealId, rest, { creator: salts.creator, provider: salts.provider }, mediators)
  return audited && mediator !== undefined ? { action: 'audit', mediator } : { action: 'accept', beforeFetch: false }
}
