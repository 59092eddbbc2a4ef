import type { Datastore, DatastoreOp } from '../store/datastore.ts'
import { decodeCbor, encodeCbor } from '../wire/cbor.ts'
import { encodePart, type FleetPart } from '../wire/fleet.ts'
import { fleetRosterShape, MAX_ROSTER_BYTES, type FleetRoster } from '../wire/fleet-roster.ts'
import { parseShape, type Address } from '../wire/shapes.ts'

const ROSTER_KEY = '/fleet/roster'
const PART_PREFIX = '/fleet/part/'

/** The roster and every part held, as they came; the document key is opened anew from the roster. */
export interface FleetStore {
  /** What an earlier run left, if it was in a fleet. */
  load: () => Promise<{ roster: FleetRoster, parts: Uint8Array[] } | undefined>
  /** All or nothing. `sync`: returns when it would survive a power cut. */
  save: (change: { roster?: FleetRoster, parts: readonly FleetPart[], gone: readonly Address[] }, options: { sync: boolean }) => Promise<void>
  /** Forgets the fleet. */
  clear: () => Promise<void>
}

export function createFleetStore (components: { datastore: Pick<Datastore, 'get' | 'batch' | 'entries'> }): FleetStore {
  const { datastore } = components
  const partsOnDisk = async (): Promise<Array<[string, Uint8Array]>> => {
    const found: Array<[string, Uint8Array]> = []
    for await (const entry of datastore.entries(PART_PREFIX)) found.push(entry)
    return found
  }
  return {
    load: async () => {
      const bytes = await datastore.get(ROSTER_KEY)
      if (bytes === undefined) return undefined
      return { roster: parseShape(fleetRosterShape, decodeCbor(bytes, MAX_ROSTER_BYTES), 'fleet roster'), parts: (await partsOnDisk()).map(([, part]) => part) }
    },
    save: async ({ roster, parts, gone }, options) => {
      const ops: DatastoreOp[] = [
        ...(roster === undefined ? [] : [{ put: [ROSTER_KEY, encodeCbor(roster)] } satisfies DatastoreOp]),
        ...parts.map((part): DatastoreOp => ({ put: [PART_PREFIX + part.operator, encodePart(part)] })),
        ...gone.map((operator): DatastoreOp => ({ delete: PART_PREFIX + operator }))
      ]
      if (ops.length > 0) await datastore.batch(ops, options)
    },
    clear: async () => {
      await datastore.batch([{ delete: ROSTER_KEY }, ...(await partsOnDisk()).map(([key]): DatastoreOp => ({ delete: key }))], { sync: true })
    }
  }
}
