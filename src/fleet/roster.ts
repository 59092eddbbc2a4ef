import { bytesToHex, hexToBytes } from 'viem'
import type { Random } from '../core/random.ts'
import type { Signer } from '../identity/signer.ts'
import { encodeCbor } from '../wire/cbor.ts'
import { fleetRosterDigest, MAX_FLEET_MEMBERS, type FleetMember, type FleetRoster } from '../wire/fleet-roster.ts'
import type { Address } from '../wire/shapes.ts'
import { recoverSigner } from '../wire/signature.ts'
import type { Domain } from '../wire/typed-data.ts'
import { clientIdOf } from './client-id.ts'
import { FleetError } from './errors.ts'
import { createSealKey, pairSalt, type SealKey } from './seal-key.ts'
import { openSeal, seal } from './seal.ts'

/** protocol/fleet.md, Roster. */

/** What the owner says of a member; the seal is the roster's. */
export type MemberCard = Omit<FleetMember, 'sealed'>
export interface RosterTerms { version: number, minAskBp: number, maxAskBp: number, members: readonly MemberCard[] }

const INFO = 'lily/fleet/key/1'
/** Every wrapping key is used for one seal, so the nonce need not differ. */
const NONCE = new Uint8Array(12)

/** A new roster with a new document key, signed by the account. Throws FleetError FLEET_MEMBER on members that cannot stand in one roster. */
export function issueRoster (components: { signer: Signer, random: Pick<Random, 'bytes'> }, domain: Domain, terms: RosterTerms): FleetRoster {
  const { signer, random } = components
  const account = signer.address
  assertDistinct(terms.members)
  const ephemeral = createSealKey(random.bytes(32))
  const key = random.bytes(32)
  const members = terms.members.map((card): FleetMember => ({ ...card, sealed: wrapKey(key, ephemeral, card, dataOf(account, terms.version, card.operator)) }))
  const statement = { account, version: terms.version, minAskBp: terms.minAskBp, maxAskBp: terms.maxAskBp, ephemeralKey: ephemeral.publicKey, members }
  return { ...statement, signature: signer.sign(fleetRosterDigest(domain, statement)) }
}

/** Checks what the shape cannot: the account's signature, bounds in order, members distinct. Throws FleetError FLEET_ROSTER, FLEET_MEMBER. */
export function assertRoster (domain: Domain, roster: FleetRoster): void {
  const refuse = (message: string): FleetError => new FleetError('FLEET_ROSTER', message, { data: { account: roster.account, version: roster.version }, hint: 'Take the file that "lilynode fleet add" or "lilynode fleet remove" wrote last, for this network.' })
  if (recoverSigner(fleetRosterDigest(domain, roster), roster.signature) !== roster.account) throw refuse('the roster is not signed by its account for this deployment')
  if (roster.minAskBp > roster.maxAskBp) throw refuse('the roster\'s lower bound of prices is above the upper one')
  assertDistinct(roster.members)
}

/** Whether `a` takes the place of `b`: an order that every member agrees on, also when an account signed one version twice. */
export function isNewerRoster (domain: Domain, a: FleetRoster, b: FleetRoster): boolean {
  if (a.version !== b.version) return a.version > b.version
  return fleetRosterDigest(domain, a) > fleetRosterDigest(domain, b)
}

/** The document key, as sealed for this member. Throws FleetError FLEET_NOT_MEMBER, FLEET_ROSTER. */
export function openRoster (roster: FleetRoster, operator: Address, sealKey: SealKey): Uint8Array {
  const member = roster.members.find((each) => each.operator === operator)
  if (member === undefined) throw new FleetError('FLEET_NOT_MEMBER', `the roster of ${roster.account} does not name this node (${operator})`, { data: { account: roster.account, version: roster.version, operator }, hint: 'Have it added with "lilynode fleet add" where the account\'s key is; "lilynode keys --json" prints the card.' })
  try {
    const wrapping = sealKey.agree(roster.ephemeralKey, pairSalt(roster.ephemeralKey, sealKey.publicKey), INFO)
    return openSeal(wrapping, new Uint8Array(Buffer.concat([NONCE, hexToBytes(member.sealed)])), dataOf(roster.account, roster.version, operator))
  } catch (error) {
    throw new FleetError('FLEET_ROSTER', `the document key for ${member.name} does not open: it was sealed for another seal key`, { data: { account: roster.account, member: member.name }, cause: error, hint: 'Add the node again with the card that "lilynode keys --json" prints in its data folder.' })
  }
}

function wrapKey (key: Uint8Array, ephemeral: SealKey, card: MemberCard, data: Uint8Array): `0x${string}` {
  try {
    const wrapping = ephemeral.agree(card.sealKey, pairSalt(ephemeral.publicKey, card.sealKey), INFO)
    return bytesToHex(seal(wrapping, key, { nonce: NONCE, data }).subarray(NONCE.length))
  } catch (error) {
    throw memberError(`the seal key of ${card.name} is none`, { member: card.name, sealKey: card.sealKey }, error)
  }
}

function dataOf (account: Address, version: number, operator: Address): Uint8Array {
  return encodeCbor([account, version, operator])
}

function assertDistinct (members: readonly MemberCard[]): void {
  if (members.length > MAX_FLEET_MEMBERS) throw memberError(`${members.length} members; a fleet has at most ${MAX_FLEET_MEMBERS}`, { members: members.length })
  const fields: ReadonlyArray<[what: string, of: (member: MemberCard) => unknown]> = [
    ['name', ({ name }) => name], ['operator', ({ operator }) => operator], ['peer id', ({ peerId }) => peerId], ['seal key', ({ sealKey }) => sealKey], ['client id', ({ operator }) => clientIdOf(operator)]
  ]
  for (const [what, of] of fields) {
    const twice = members.find((member, at) => members.findIndex((other) => of(other) === of(member)) !== at)
    if (twice !== undefined) throw memberError(`two members have the ${what} ${String(of(twice))}`, { member: twice.name })
  }
}

function memberError (message: string, data: Record<string, unknown>, cause?: unknown): FleetError {
  return new FleetError('FLEET_MEMBER', message, { data, ...(cause === undefined ? {} : { cause }), hint: 'Every node has a name and keys of its own; "lilynode keys --json" prints its card.' })
}
