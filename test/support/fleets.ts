import { createSeededRandom } from '../../src/core/random.ts'
import { createManualClock, type Clock } from '../../src/core/clock.ts'
import { createFleetDocument, type FleetDocument } from '../../src/fleet/document.ts'
import { loadPartCodec, type PartContent } from '../../src/fleet/part.ts'
import { issueRoster, type MemberCard, type RosterTerms } from '../../src/fleet/roster.ts'
import { sealKeyOf } from '../../src/fleet/seal-key.ts'
import { createFleetStore } from '../../src/fleet/store.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { encodePart, fleetPartDigest, type Inventory } from '../../src/wire/fleet.ts'
import type { FleetRoster } from '../../src/wire/fleet-roster.ts'
import type { Address } from '../../src/wire/shapes.ts'
import { createMemoryDatastore } from './memory-datastore.ts'
import { DOMAIN, T0, testSigner } from './records.ts'

/** The owner's key, which no member has. */
export const owner = testSigner(100)
/** The n-th member's key, from 1. */
export const memberSigner = (n: number): Signer => testSigner(100 + n)
export const codec = await loadPartCodec()

/** The n-th member's card; a peer id where it is a real one. */
export function cardOf (n: number, peerId = `12D3KooW${String(n).padStart(44, 'x').replaceAll('0', 'z')}`): MemberCard {
  const signer = memberSigner(n)
  return { name: `node-${n}`, operator: signer.address, peerId, sealKey: sealKeyOf(signer).publicKey }
}

export function rosterOf (members: readonly MemberCard[], change: Partial<RosterTerms> & { signer?: Signer, seed?: number } = {}): FleetRoster {
  const { signer = owner, seed = 1, ...terms } = change
  return issueRoster({ signer, random: createSeededRandom(seed) }, DOMAIN, { version: 1, minAskBp: 5_000, maxAskBp: 20_000, members, ...terms })
}

export type TestMember = FleetDocument & { data: Map<string, Uint8Array> }

/** The document of the n-th member; `data` is its disk. */
export async function openMember (n: number, roster: FleetRoster, options: { clock?: Clock, data?: Map<string, Uint8Array> } = {}): Promise<TestMember> {
  const signer = memberSigner(n)
  const datastore = createMemoryDatastore(options.data)
  const store = createFleetStore({ datastore })
  const left = await store.load()
  if (left === undefined) await store.save({ roster, parts: [], gone: [] }, { sync: true })
  const document = createFleetDocument({ signer, sealKey: sealKeyOf(signer), codec, store, clock: options.clock ?? createManualClock(T0) }, { domain: DOMAIN, roster: left?.roster ?? roster, parts: left?.parts ?? [] })
  // Its getters stay what they are.
  return Object.assign(Object.create(document) as FleetDocument, { data: datastore.data })
}

/** A signed part with this content, or with these very bytes as its update. */
export function partOf (signer: Signer, content: Partial<PartContent> | Uint8Array, options: { seq?: number, operator?: Address, account?: Address } = {}): Uint8Array {
  const operator = options.operator ?? signer.address
  const update = content instanceof Uint8Array ? content : codec.encode(operator, { entries: new Map(), ...content })
  const statement = { operator, seq: options.seq ?? T0, update }
  return encodePart({ ...statement, signature: signer.sign(fleetPartDigest(DOMAIN, options.account ?? owner.address, statement)) })
}

/** Both ways, once: what `from` has that `to` lacks. */
export async function tell (from: FleetDocument, to: FleetDocument): Promise<number> {
  return await to.take(from.lackedBy(to.marks(), Infinity))
}

/** Until nobody has anything for anybody, which does not take long. */
export async function meet (members: readonly FleetDocument[]): Promise<void> {
  for (let told = 1, round = 0; told > 0; round++) {
    if (round > 20) throw new Error('they find no end')
    told = 0
    for (const from of members) for (const to of members) if (from !== to) told += await tell(from, to)
  }
}

export const INVENTORY: Inventory = {
  version: '0.1.0', roles: ['resource-provider'], units: [{ name: 'gpu0', total: { cpuMilli: 4000, memoryMiB: 8192, diskMiB: 1024 }, free: { cpuMilli: 1000, memoryMiB: 4096, diskMiB: 1024 } }], openDeals: 1, askBp: 9000, state: 'open'
}
