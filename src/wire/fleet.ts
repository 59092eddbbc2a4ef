import { bytesToHex, hexToBytes, keccak256 } from 'viem'
import { z } from 'zod'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { fleetRosterShape, MAX_ASK_BP, MAX_FLEET_MEMBERS } from './fleet-roster.ts'
import { resourcesShape } from './job-offer.ts'
import { addressShape, millisShape, parseShape, uintShape, type Address, type Hash, type Signature } from './shapes.ts'
import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain } from './typed-data.ts'

/** protocol/fleet.md. What the nodes of one account say to each other; no stranger reads it. */
export const FLEET_PROTOCOL = '/lily/fleet/1.0.0'
/** Three of the largest parts, or the parts of 64 ordinary members. */
export const MAX_FLEET_MESSAGE_BYTES = 131_072
/** The inventory of 64 units with long names takes 14 KB, entries for every one of 64 nodes 12 KB; an ordinary part 1 KB. */
export const MAX_UPDATE_BYTES = 32_768

/** Whether a node takes new deals; `drain` is `cordon` until its deals are over. */
export const WANTED_STATES = ['open', 'cordon', 'drain'] as const
export type WantedState = typeof WANTED_STATES[number]
/** A price in 1/10,000 of the reference prices; null: what the node itself was told. */
export const fleetPriceShape = uintShape.min(1).max(MAX_ASK_BP).nullable()

export const inventoryShape = z.strictObject({
  version: z.string().max(32),
  roles: z.array(z.string().max(32)).max(16),
  units: z.array(z.strictObject({ name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), total: resourcesShape, free: resourcesShape })).max(64),
  openDeals: uintShape,
  /** What its offers ask now. */
  askBp: uintShape.max(MAX_ASK_BP),
  state: z.enum(['open', 'cordoned', 'draining', 'drained'])
})
export type Inventory = z.output<typeof inventoryShape>

/** Values of a member's map. `at`: unix ms; of two entries for one key the later counts. */
export const inventoryEntryShape = z.strictObject({ at: millisShape, value: inventoryShape })
export const priceEntryShape = z.strictObject({ at: millisShape, value: fleetPriceShape })
export const stateEntryShape = z.strictObject({ at: millisShape, value: z.enum(WANTED_STATES) })

/** A member's whole map, signed: `update` is one Yjs update. `seq` is unix ms, rising. */
export interface FleetPart { readonly operator: Address, readonly seq: number, readonly update: Uint8Array, readonly signature: Signature }
/** Which part of a member is held. */
export interface PartMark { readonly operator: Address, readonly seq: number, readonly id: Hash }
/** What is inside a seal: what the sender holds, and what the other lacks of it. */
export interface FleetContent { readonly have: readonly PartMark[], readonly parts: readonly Uint8Array[] }

const PART_TYPE = [['account', 'address'], ['operator', 'address'], ['seq', 'uint64'], ['updateHash', 'bytes32']] as const
const PART_TYPE_HASH = typeHashOf(encodeType('FleetPart', PART_TYPE))

/** The digest that the operator signs; the part's id. */
export function fleetPartDigest (domain: Domain, account: Address, part: Pick<FleetPart, 'operator' | 'seq' | 'update'>): Hash {
  return typedDigest(domain, hashStruct(PART_TYPE_HASH, PART_TYPE, { account, operator: part.operator, seq: part.seq, updateHash: keccak256(part.update) }))
}

const bytesShape: z.ZodType<Uint8Array> = z.instanceof(Uint8Array)
const bytesOf = (length: number): z.ZodType<Uint8Array> => bytesShape.refine((bytes) => bytes.length === length, `expected ${length} bytes`)
const partShape = z.tuple([z.literal(1), bytesOf(20), uintShape, bytesShape.refine((bytes) => bytes.length <= MAX_UPDATE_BYTES, `more than ${MAX_UPDATE_BYTES} bytes`), bytesOf(64)])

/** CBOR array [1, operator, seq, update, signature]. */
export function encodePart (part: FleetPart): Uint8Array {
  return encodeCbor([1, hexToBytes(part.operator), part.seq, part.update, hexToBytes(part.signature)])
}

/** Checks structure only. Throws WireError. */
export function decodePart (bytes: Uint8Array): FleetPart {
  const [, operator, seq, update, signature] = parseShape(partShape, decodeCbor(bytes, MAX_UPDATE_BYTES + 256), 'fleet part')
  return { operator: bytesToHex(operator), seq, update: Uint8Array.from(update), signature: bytesToHex(signature) }
}

const contentShape = z.strictObject({
  have: z.array(z.tuple([bytesOf(20), uintShape, bytesOf(32)])).max(MAX_FLEET_MEMBERS),
  parts: z.array(bytesShape).max(MAX_FLEET_MEMBERS)
})

/** Canonical bytes of what is to be sealed. */
export function encodeContent ({ have, parts }: FleetContent): Uint8Array {
  return encodeCbor({ have: have.map(({ operator, seq, id }) => [hexToBytes(operator), seq, hexToBytes(id)]), parts })
}

/** Throws WireError. */
export function decodeContent (bytes: Uint8Array): FleetContent {
  const { have, parts } = parseShape(contentShape, decodeCbor(bytes, MAX_FLEET_MESSAGE_BYTES), 'fleet content')
  return { have: have.map(([operator, seq, id]) => ({ operator: bytesToHex(operator), seq, id: bytesToHex(id) })), parts }
}

const rosterMessageShape = z.strictObject({ type: z.literal('roster'), roster: fleetRosterShape })
export const fleetRequestShape = z.discriminatedUnion('type', [z.strictObject({ type: z.literal('exchange'), account: addressShape, version: uintShape, sealed: bytesShape }), rosterMessageShape])
export type FleetRequest = z.output<typeof fleetRequestShape>
export const fleetAnswerShape = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('exchange'), sealed: bytesShape }), rosterMessageShape, z.strictObject({ type: z.literal('ok') })
])
export type FleetAnswer = z.output<typeof fleetAnswerShape>

/** Canonical bytes of a request or an answer. */
export function encodeFleetMessage (message: FleetRequest | FleetAnswer): Uint8Array {
  return encodeCbor(message)
}

/** Checks foreign bytes against one of the two shapes above. Throws WireError. */
export function decodeFleetMessage<S extends z.ZodType> (shape: S, bytes: Uint8Array): z.output<S> {
  return parseShape(shape, decodeCbor(bytes, MAX_FLEET_MESSAGE_BYTES), 'fleet message')
}
