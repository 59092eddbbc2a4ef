import { keccak256 } from 'viem'
import { z } from 'zod'
import { encodeCbor } from './cbor.ts'
import { addressShape, hashShape, peerIdShape, signatureShape, uintShape, type Hash } from './shapes.ts'
import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain } from './typed-data.ts'

/** protocol/fleet.md, Roster: which nodes belong to an account's fleet, and the document key sealed to each. */
export const MAX_FLEET_MEMBERS = 64
export const MAX_ROSTER_BYTES = 32_768
/** Bound of every price, in 1/10,000 of the reference prices: a hundred times of them. */
export const MAX_ASK_BP = 1_000_000

/** How a member is called on the command line. */
export const memberNameShape = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/)

export const fleetMemberShape = z.strictObject({
  name: memberNameShape,
  operator: addressShape,
  peerId: peerIdShape,
  /** X25519 public key. */
  sealKey: hashShape,
  /** The document key, 32 bytes and a tag of 16, for this member alone. */
  sealed: z.string().regex(/^0x[0-9a-f]{96}$/).transform((text) => text as `0x${string}`)
})
export type FleetMember = z.output<typeof fleetMemberShape>

export const fleetRosterShape = z.strictObject({
  account: addressShape,
  version: uintShape.min(1),
  minAskBp: uintShape.min(1).max(MAX_ASK_BP),
  maxAskBp: uintShape.min(1).max(MAX_ASK_BP),
  ephemeralKey: hashShape,
  members: z.array(fleetMemberShape).max(MAX_FLEET_MEMBERS),
  signature: signatureShape
})
export type FleetRoster = z.output<typeof fleetRosterShape>

const ROSTER_TYPE = [
  ['account', 'address'], ['version', 'uint64'], ['minAskBp', 'uint32'], ['maxAskBp', 'uint32'], ['ephemeralKey', 'bytes32'], ['membersHash', 'bytes32']
] as const
const ROSTER_TYPE_HASH = typeHashOf(encodeType('FleetRoster', ROSTER_TYPE))

/** The digest that the account signs. */
export function fleetRosterDigest (domain: Domain, roster: Omit<FleetRoster, 'signature'>): Hash {
  return typedDigest(domain, hashStruct(ROSTER_TYPE_HASH, ROSTER_TYPE, { ...roster, membersHash: keccak256(encodeCbor(roster.members)) }))
}
