import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain, type StructType, type StructValue } from './typed-data.ts'
import type { Address, Hash } from './shapes.ts'

/** protocol/identity.md. What an operator may spend for an account: every lock counts against it. Held by the Vault. */
const SESSION = [
  ['account', 'address'], ['operator', 'address'], ['cap', 'uint64'], ['windowSeconds', 'uint32'], ['solversRoot', 'bytes32'],
  ['notBefore', 'uint64'], ['expiry', 'uint64'], ['nonce', 'uint64']
] as const satisfies StructType
export type Session = StructValue<typeof SESSION>

const REVOKE_SESSION = [['account', 'address'], ['nonce', 'uint64']] as const satisfies StructType

const SESSION_TYPE_HASH = typeHashOf(encodeType('Session', SESSION))

/** The digest that the account signs. `cap`: nLILY locked in any `windowSeconds`; `solversRoot`: who may lock, zero: any bonded solver. */
export function sessionDigest (domain: Domain, session: Session): Hash {
  return typedDigest(domain, hashStruct(SESSION_TYPE_HASH, SESSION, session))
}

const REVOKE_SESSION_TYPE_HASH = typeHashOf(encodeType('RevokeSession', REVOKE_SESSION))

/** The digest by which the account ends the session with this nonce. */
export function revokeSessionDigest (domain: Domain, account: Address, nonce: number): Hash {
  return typedDigest(domain, hashStruct(REVOKE_SESSION_TYPE_HASH, REVOKE_SESSION, { account, nonce }))
}
