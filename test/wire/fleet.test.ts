import { readFileSync } from 'node:fs'
import t from 'tap'
import { bytesToHex, hexToBytes, type Hex } from 'viem'
import { openContent } from '../../src/fleet/envelope.ts'
import { openRoster } from '../../src/fleet/roster.ts'
import { sealKeyOf } from '../../src/fleet/seal-key.ts'
import { decodeCbor, encodeCbor } from '../../src/wire/cbor.ts'
import {
  decodeContent, decodeFleetMessage, decodePart, encodeContent, encodeFleetMessage, encodePart, fleetAnswerShape, fleetPartDigest, fleetRequestShape, MAX_FLEET_MESSAGE_BYTES, MAX_UPDATE_BYTES, type FleetAnswer, type FleetRequest
} from '../../src/wire/fleet.ts'
import { fleetRosterDigest, fleetRosterShape, type FleetRoster } from '../../src/wire/fleet-roster.ts'
import { parseShape, type Address, type Hash, type Signature } from '../../src/wire/shapes.ts'
import { recoverSigner } from '../../src/wire/signature.ts'
import type { Domain } from '../../src/wire/typed-data.ts'
import { codec, memberSigner, owner } from '../support/fleets.ts'

interface Vectors {
  domain: Domain
  roster: { document: FleetRoster, digest: Hash, cbor: Hex, documentKey: Hex }
  part: { operator: Address, seq: number, map: Record<string, unknown>, update: Hex, id: Hash, signature: Signature, cbor: Hex }
  exchange: { direction: 'ask' | 'answer', asker: string, answerer: string, content: Hex, sealed: Hex }
}
const { domain, roster, part, exchange } = JSON.parse(readFileSync(new URL('../../protocol/vectors/fleet.json', import.meta.url), 'utf8')) as Vectors

t.test('a roster is what its account signed, and opens for each member', async (t) => {
  t.equal(fleetRosterDigest(domain, roster.document), roster.digest)
  t.equal(recoverSigner(roster.digest, roster.document.signature), owner.address)
  t.same(parseShape(fleetRosterShape, decodeCbor(hexToBytes(roster.cbor), 32_768), 'roster'), roster.document)
  for (const n of [1, 2]) t.equal(bytesToHex(openRoster(roster.document, memberSigner(n).address, sealKeyOf(memberSigner(n)))), roster.documentKey)
})

t.test('a part is its member\'s map, signed', async (t) => {
  const decoded = decodePart(hexToBytes(part.cbor))
  t.same([decoded.operator, decoded.seq, bytesToHex(decoded.update), decoded.signature], [part.operator, part.seq, part.update, part.signature])
  t.equal(fleetPartDigest(domain, roster.document.account, decoded), part.id)
  t.equal(recoverSigner(part.id, part.signature), part.operator)
  t.equal(bytesToHex(encodePart(decoded)), part.cbor)
  const { entries, inventory } = codec.decode(part.operator, decoded.update)
  t.same({ inventory, ...Object.fromEntries(entries) }, part.map)
})

t.test('a sealed message opens for whom it is', async (t) => {
  const { direction, asker, answerer } = exchange
  const head = { direction, asker, answerer, roster: roster.document }
  const open = (change: object = {}): unknown => openContent(hexToBytes(roster.documentKey), { ...head, ...change }, hexToBytes(exchange.sealed))
  t.same(open(), { have: [{ operator: part.operator, seq: part.seq, id: part.id }], parts: [hexToBytes(part.cbor)] })
  t.equal(bytesToHex(encodeContent(open() as Parameters<typeof encodeContent>[0])), exchange.content)
  for (const change of [{ direction: 'answer' }, { asker: answerer }, { answerer: asker }, { roster: { ...roster.document, version: 2 } }]) t.throws(() => open(change), { code: 'FLEET_SEAL' }, Object.keys(change).join())
})

t.test('messages go to bytes and back; other shapes are refused', async (t) => {
  const requests: FleetRequest[] = [{ type: 'roster', roster: roster.document }, { type: 'exchange', account: owner.address, version: 1, sealed: new Uint8Array(3) }]
  for (const request of requests) t.same(decodeFleetMessage(fleetRequestShape, encodeFleetMessage(request)), request)
  const answers: FleetAnswer[] = [{ type: 'ok' }, { type: 'exchange', sealed: new Uint8Array(3) }, { type: 'roster', roster: roster.document }]
  for (const answer of answers) t.same(decodeFleetMessage(fleetAnswerShape, encodeFleetMessage(answer)), answer)
  const refuse = (value: unknown): void => { t.throws(() => decodeFleetMessage(fleetRequestShape, encodeCbor(value)), { code: 'WIRE_INVALID' }) }
  for (const value of [null, [], { type: 'ok' }, { type: 'exchange', account: owner.address, version: 1 }, { type: 'roster', roster: { ...roster.document, extra: 1 } }, { type: 'roster', roster: { ...roster.document, version: 0 } }]) refuse(value)
  t.throws(() => decodeFleetMessage(fleetRequestShape, new Uint8Array(MAX_FLEET_MESSAGE_BYTES + 1)), { code: 'WIRE_TOO_LARGE' })
  const bytes = (length: number): Uint8Array => new Uint8Array(length)
  for (const value of [[1, bytes(20), 1, bytes(MAX_UPDATE_BYTES + 1), bytes(64)], [2, bytes(20), 1, bytes(1), bytes(64)], [1, bytes(19), 1, bytes(1), bytes(64)], [1, bytes(20), -1, bytes(1), bytes(64)], [1, bytes(20), 1, bytes(1), bytes(63)]]) t.throws(() => decodePart(encodeCbor(value)), { code: 'WIRE_INVALID' })
  t.throws(() => decodeContent(encodeCbor({ have: Array.from({ length: 65 }, () => [bytes(20), 1, bytes(32)]), parts: [] })), { code: 'WIRE_INVALID' })
})
