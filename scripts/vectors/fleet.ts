import { bytesToHex } from 'viem'
import { cardOf, codec, INVENTORY, memberSigner, owner, partOf, rosterOf } from '../../test/support/fleets.ts'
import { DOMAIN, T0 } from '../../test/support/records.ts'
import { encodeCbor } from '../../src/wire/cbor.ts'
import { clientIdOf } from '../../src/fleet/client-id.ts'
import { priceKey, stateKey, type Entry } from '../../src/fleet/entries.ts'
import { sealContent } from '../../src/fleet/envelope.ts'
import { openRoster } from '../../src/fleet/roster.ts'
import { sealKeyOf } from '../../src/fleet/seal-key.ts'
import { decodePart, encodeContent, fleetPartDigest } from '../../src/wire/fleet.ts'
import { fleetRosterDigest } from '../../src/wire/fleet-roster.ts'

/** protocol/vectors/fleet.json: a roster of two members, a member's part, and a sealed message. */
export function fleetVectors (): Record<string, unknown> {
  const roster = rosterOf([cardOf(1), cardOf(2)])
  const [one, two] = [memberSigner(1), memberSigner(2)]
  const documentKey = openRoster(roster, one.address, sealKeyOf(one))
  const entries = new Map<string, Entry>([['price', { at: T0, value: 8000 }], [priceKey(two.address), { at: T0 + 1, value: null }], [stateKey(two.address), { at: T0 + 2, value: 'drain' }]])
  const inventory = { at: T0 + 3, value: INVENTORY }
  const cbor = partOf(one, { entries, inventory }, { seq: T0 + 4 })
  const { signature, ...part } = decodePart(cbor)
  const id = fleetPartDigest(DOMAIN, owner.address, part)
  const content = { have: [{ operator: one.address, seq: part.seq, id }], parts: [cbor] }
  const nonce = new Uint8Array(12).fill(7)
  const head = { direction: 'ask' as const, roster, asker: cardOf(1).peerId, answerer: cardOf(2).peerId }
  const sealed = sealContent({ random: { bytes: () => nonce } }, documentKey, head, content)
  return {
    'fleet.json': {
      about: 'A roster with its EIP-712 digest and the document key that each member opens, a part with the values in its one Yjs update, and what a member seals for another (protocol/fleet.md).',
      domain: DOMAIN,
      roster: { document: roster, digest: fleetRosterDigest(DOMAIN, roster), cbor: bytesToHex(encodeCbor(roster)), documentKey: bytesToHex(documentKey) },
      part: { operator: part.operator, clientId: clientIdOf(part.operator), seq: part.seq, map: { inventory, ...Object.fromEntries(entries) }, update: bytesToHex(codec.encode(part.operator, { entries, inventory })), id, signature, cbor: bytesToHex(cbor) },
      exchange: { direction: head.direction, asker: head.asker, answerer: head.answerer, content: bytesToHex(encodeContent(content)), nonce: bytesToHex(nonce), sealed: bytesToHex(sealed) }
    }
  }
}
