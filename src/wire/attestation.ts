import type { Hash } from './shapes.ts'
import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain, type StructType, type StructValue } from './typed-data.ts'

/** protocol/identity.md, "Directory". An issuer says something about a subject; `topic` is `attestationTopic` of a name, times are unix seconds. */
const ATTESTATION = [
  ['issuer', 'address'], ['subject', 'address'], ['topic', 'bytes32'], ['value', 'bytes32'], ['notBefore', 'uint64'], ['expiry', 'uint64'], ['nonce', 'uint64']
] as const satisfies StructType
export type Attestation = StructValue<typeof ATTESTATION>

const REVOKE = [['issuer', 'address'], ['nonce', 'uint64']] as const satisfies StructType

const ATTESTATION_TYPE_HASH = typeHashOf(encodeType('Attestation', ATTESTATION))
const REVOKE_TYPE_HASH = typeHashOf(encodeType('RevokeAttestation', REVOKE))

/** keccak256 of a topic's name. */
export const attestationTopic = (name: string): Hash => typeHashOf(name)

/** The digest that the issuer signs. */
export function attestationDigest (domain: Domain, attestation: Attestation): Hash {
  return typedDigest(domain, hashStruct(ATTESTATION_TYPE_HASH, ATTESTATION, attestation))
}

/** The digest by which the issuer takes its attestation with this nonce back. */
export function revokeAttestationDigest (domain: Domain, revocation: StructValue<typeof REVOKE>): Hash {
  return typedDigest(domain, hashStruct(REVOKE_TYPE_HASH, REVOKE, revocation))
}
