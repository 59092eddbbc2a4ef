import { encodePart, fleetPartDigest, type FleetPart, type PartMark } from '../wire/fleet.ts'
import type { Address } from '../wire/shapes.ts'
import { recoverSigner } from '../wire/signature.ts'
import type { Domain } from '../wire/typed-data.ts'
import { FleetError } from './errors.ts'
import type { PartCodec, PartContent } from './part.ts'

/** A part with its id, not checked yet. */
export type MarkedPart = FleetPart & PartMark
/** A part that was checked, with its values. */
export interface HeldPart extends FleetPart, PartMark { readonly content: PartContent }
export type HeldParts = ReadonlyMap<Address, HeldPart>

export function markPart (domain: Domain, account: Address, part: FleetPart): MarkedPart {
  return { ...part, id: fleetPartDigest(domain, account, part) }
}

/** Whether a part takes the place of another of the same operator: the same answer everywhere, also for two of one seq. */
function isNewer (a: PartMark, b: PartMark): boolean {
  return a.seq !== b.seq ? a.seq > b.seq : a.id > b.id
}

/** Of several parts of one operator the one that counts. */
export function latestOfEach (parts: readonly MarkedPart[]): MarkedPart[] {
  const latest = new Map<Address, MarkedPart>()
  for (const part of parts) {
    const other = latest.get(part.operator)
    if (other === undefined || isNewer(part, other)) latest.set(part.operator, part)
  }
  return [...latest.values()]
}

/** Checks a foreign part in the order of cost (protocol/fleet.md, Part); undefined when it is no news, nobody's, or later than `latestMs`. Throws FleetError FLEET_PART. */
export function checkPart (components: { codec: PartCodec }, part: MarkedPart, held: HeldPart | undefined, latestMs: number): HeldPart | undefined {
  if (part.seq > latestMs || (held !== undefined && !isNewer(part, held))) return undefined
  if (recoverSigner(part.id, part.signature) !== part.operator) throw new FleetError('FLEET_PART', 'a part is not signed by its operator', { data: { operator: part.operator } })
  const content = components.codec.decode(part.operator, part.update)
  const times = [...content.entries.values(), ...(content.inventory === undefined ? [] : [content.inventory])].map(({ at }) => at)
  // Not its sender's fault: a member whose clock is ahead may have taken over what is too early for us.
  return times.some((at) => at > latestMs) ? undefined : { ...part, content }
}

/** Parts that count against those in `have`, encoded, up to `maxBytes` together. */
export function lackedParts (parts: HeldParts, have: readonly PartMark[], maxBytes: number): Uint8Array[] {
  const known = new Map(have.map((mark) => [mark.operator, mark]))
  const lacked: Uint8Array[] = []
  let size = 0
  for (const part of parts.values()) {
    const mark = known.get(part.operator)
    if (mark !== undefined && !isNewer(part, mark)) continue
    const bytes = encodePart(part)
    // The head of a byte string in CBOR has five bytes at most.
    size += bytes.length + 5
    if (size > maxBytes) break
    lacked.push(bytes)
  }
  return lacked
}
