import { hexToBytes, keccak256 } from 'viem'
import { z } from 'zod'
import { addressShape, type Hash, peerIdShape, signatureShape, uintShape } from './shapes.ts'
import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain, type StructValue } from './typed-data.ts'

/** protocol/identity.md. An account lets an operator key sign records for it until `expiry`. */
export const delegationShape = z.strictObject({
  account: addressShape,
  operator: addressShape,
  peerId: peerIdShape,
  /** What the operator may do for the account: a sum of `ROLE_BITS`. */
  roles: uintShape.max(0xffff),
  /** Unix seconds. */
  notBefore: uintShape,
  /** Unix seconds. */
  expiry: uintShape,
  nonce: uintShape,
  signature: signatureShape
})
export type Delegation = z.output<typeof delegationShape>

/** Roles as bits of a delegation. */
export const ROLE_BITS = { creator: 1, provider: 2, solver: 4, mediator: 8, moduleProvider: 16, gateway: 32 } as const
export const ALL_ROLES = Object.values(ROLE_BITS).reduce((sum, bit) => sum | bit, 0)

const DELEGATION_TYPE = [
  ['account', 'address'], ['operator', 'address'], ['peerIdHash', 'bytes32'], ['roles', 'uint16'], ['notBefore', 'uint64'], ['expiry', 'uint64'], ['nonce', 'uint64']
] as const
const DELEGATION_TYPE_HASH = typeHashOf(encodeType('Delegation', DELEGATION_TYPE))

/** The digest that the account signs. */
export function delegationDigest (domain: Domain, delegation: Omit<Delegation, 'signature'>): Hash {
  const peerIdHash = keccak256(hexToBytes(`0x${Buffer.from(delegation.peerId, 'utf8').toString('hex')}`))
  return typedDigest(domain, hashStruct(DELEGATION_TYPE_HASH, DELEGATION_TYPE, { ...delegation, peerIdHash }))
}

const REVOKE_TYPE = [['account', 'address'], ['operator', 'address'], ['nonce', 'uint64']] as const
const REVOKE_TYPE_HASH = typeHashOf(encodeType('RevokeDelegation', REVOKE_TYPE))

/** The digest by which the account revokes, in the Directory, every delegation to `operator` with this nonce or a lower one. */
export function revokeDelegationDigest (domain: Domain, revocation: StructValue<typeof REVOKE_TYPE>): Hash {
  return typedDigest(domain, hashStruct(REVOKE_TYPE_HASH, REVOKE_TYPE, revocation))
}
