import { ALL_ROLES, delegationDigest, ROLE_BITS } from '../wire/delegation.ts'
import type { RecordKind, SignedRecord } from '../wire/record.ts'
import type { SignatureCheck } from '../wire/signature.ts'
import type { Domain } from '../wire/typed-data.ts'
import { RATE_LIMITS } from './options.ts'

/** What an operator must be allowed to sign a record of this kind. Taking back, and testifying, is open to each. */
const ROLE_OF_KIND: Record<RecordKind, number> = {
  job: ROLE_BITS.creator, offer: ROLE_BITS.provider, module: ROLE_BITS.moduleProvider, cancel: ALL_ROLES, equivocation: ALL_ROLES
}

/** What is still to be verified of a delegation, and whom to tell when it was. */
export interface OpenDelegation { claim: SignatureCheck, remember: () => void }

/**
 * protocol/identity.md. Whether an operator may sign for an account, from the record alone: an account signs for itself and
 * carries nothing; another key carries a delegation of that account to it whose roles allow the kind and whose time covers
 * `seq`. Time is the record's own, never the clock's, so every replica answers alike. Verified delegations are remembered.
 * False: it may not; true: it may; else it may when the account's signature holds.
 */
export function createDelegationCheck (components: { domain: Domain }): (record: SignedRecord) => boolean | OpenDelegation {
  const verified = new Set<string>()
  return ({ kind, account, operator, seq, delegation }) => {
    if (operator === account) return delegation === undefined
    if (delegation === undefined || delegation.account !== account || delegation.operator !== operator) return false
    if ((delegation.roles & ROLE_OF_KIND[kind]) === 0) return false
    const seconds = Math.floor(seq / 1000)
    if (seconds < delegation.notBefore || seconds >= delegation.expiry) return false
    const key = JSON.stringify(delegation)
    if (verified.has(key)) return true
    return {
      claim: { digest: delegationDigest(components.domain, delegation), signature: delegation.signature, signer: account },
      remember: () => {
        verified.add(key)
        if (verified.size > RATE_LIMITS.maxDelegations) verified.delete(verified.values().next().value as string)
      }
    }
  }
}
