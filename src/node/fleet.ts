import { readFile } from 'node:fs/promises'
import { errorMessage } from '../core/errors.ts'
import { FleetError } from '../fleet/errors.ts'
import type { FleetPolicy } from '../fleet/fleet.ts'
import type { FleetFacts } from '../fleet/inventory.ts'
import { tickFor } from '../match/ticks.ts'
import type { Ask } from '../wire/resource-offer.ts'
import { fleetRosterShape, MAX_ASK_BP, type FleetRoster } from '../wire/fleet-roster.ts'
import { parseShape } from '../wire/shapes.ts'
import type { CapacityLedger } from '../roles/provider/capacity.ts'
import type { DealBook } from '../roles/deal-book.ts'
import type { OfferPolicy } from '../roles/provider/offers.ts'
import type { NodeOptions } from './options.ts'
import { VERSION } from './version.ts'

const BP = 10_000
/** What a provider asks that was told nothing, as a multiple of the reference prices. */
const DEFAULT_ASK_FACTOR = 0.9

/** Reads a roster file; its signature is checked where it is used. Throws FleetError FLEET_ROSTER. */
export async function readRoster (path: string): Promise<FleetRoster> {
  try {
    return parseShape(fleetRosterShape, JSON.parse(await readFile(path, 'utf8')), 'roster')
  } catch (error) {
    throw new FleetError('FLEET_ROSTER', `${path} is no roster: ${errorMessage(error)}`, { data: { path }, cause: error, hint: 'Make one with "lilynode fleet init" where the account\'s key is.' })
  }
}

/** What a node without a provider says of itself. */
export function plainFacts (options: Pick<NodeOptions, 'roles'>): FleetFacts {
  return { version: VERSION, roles: [...options.roles], units: [], openDeals: 0, askBp: 0 }
}

/** A provider under its fleet's word: the fleet's price, or else its own, and deals only while the fleet lets it. */
export function providerPolicy (fleet: FleetPolicy, options: { reference: Ask, askFactor: number | undefined }): OfferPolicy & { askBp: () => number } {
  const factor = (): number => {
    const bp = fleet.askBp()
    return bp === undefined ? options.askFactor ?? DEFAULT_ASK_FACTOR : bp / BP
  }
  return { isOpen: fleet.isOpen, ask: () => scaleAsk(options.reference, factor()), askBp: () => Math.min(MAX_ASK_BP, Math.round(factor() * BP)) }
}

/** What a provider says of itself. */
export function providerFacts (options: Pick<NodeOptions, 'roles'>, components: { ledger: CapacityLedger, deals: DealBook, policy: { askBp: () => number } }): FleetFacts {
  const { ledger, deals, policy } = components
  return { ...plainFacts(options), units: [...ledger.units].map(([name, total]) => ({ name, total, free: ledger.free(name) })), openDeals: deals.open().length, askBp: policy.askBp() }
}

/** Rounded up to ticks: other prices are not matched (protocol/matching.md, Ticks). */
function scaleAsk (reference: Ask, factor: number): Ask {
  const scale = (price: number): number => tickFor(Math.round(price * factor))
  return { base: scale(reference.base), cpuMilliSecond: scale(reference.cpuMilliSecond), memoryMiBSecond: scale(reference.memoryMiBSecond), diskMiBSecond: scale(reference.diskMiBSecond) }
}
