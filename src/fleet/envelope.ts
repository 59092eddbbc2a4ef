import type { Random } from '../core/random.ts'
import { encodeCbor } from '../wire/cbor.ts'
import { decodeContent, encodeContent, type FleetContent } from '../wire/fleet.ts'
import type { FleetRoster } from '../wire/fleet-roster.ts'
import { openSeal, seal } from './seal.ts'

/** Who says something to whom under which roster: bound to the seal, so that none can be passed off as another. */
export interface EnvelopeHead { direction: 'ask' | 'answer', roster: Pick<FleetRoster, 'account' | 'version'>, asker: string, answerer: string }

/** Seals what one member says to another. */
export function sealContent (components: { random: Pick<Random, 'bytes'> }, key: Uint8Array, head: EnvelopeHead, content: FleetContent): Uint8Array {
  // 96 random bits: with 2^32 messages under one document key the chance that a nonce comes twice is 2^-33.
  return seal(key, encodeContent(content), { nonce: components.random.bytes(12), data: dataOf(head) })
}

/** Throws FleetError FLEET_SEAL, WireError. */
export function openContent (key: Uint8Array, head: EnvelopeHead, sealed: Uint8Array): FleetContent {
  return decodeContent(openSeal(key, sealed, dataOf(head)))
}

function dataOf ({ direction, roster, asker, answerer }: EnvelopeHead): Uint8Array {
  return encodeCbor([direction, roster.account, roster.version, asker, answerer])
}
