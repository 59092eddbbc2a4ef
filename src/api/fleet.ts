import { z } from 'zod'
import type { FleetView } from '../fleet/view.ts'
import { fleetPriceShape, WANTED_STATES, type WantedState } from '../wire/fleet.ts'
import { fleetRosterShape, type FleetRoster } from '../wire/fleet-roster.ts'
import { errorMessage } from '../core/errors.ts'
import { parseShape } from '../wire/shapes.ts'
import { ApiError } from './errors.ts'
import type { Route } from './routes.ts'

/** What a member of a fleet lets its owner see and do. Prices are in 1/10,000 of the reference prices. */
export interface FleetFacade {
  view: () => FleetView
  use: (roster: FleetRoster) => Promise<void>
  setState: (node: string, state: WantedState) => Promise<void>
  setPrice: (node: string | undefined, priceBp: number | null) => Promise<void>
  encodeState: () => Uint8Array
}

const nodeShape = z.string().min(1).max(64)
const stateShape = z.strictObject({ node: nodeShape, state: z.enum(WANTED_STATES) })
const priceShape = z.strictObject({ node: nodeShape.optional(), priceBp: fleetPriceShape })
const rosterShape = z.strictObject({ roster: fleetRosterShape })

/** Throws ApiError API_BAD_REQUEST. */
function bodyOf<S extends z.ZodType> (shape: S, body: unknown): z.output<S> {
  try {
    return parseShape(shape, body, 'body')
  } catch (error) {
    throw new ApiError('API_BAD_REQUEST', errorMessage(error), { cause: error, hint: 'protocol/api.md has its fields.' })
  }
}

/** Each change is answered with the fleet as it is then. */
export const FLEET_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/fleet', answer: ({ fleet }) => fleet.view() },
  { method: 'GET', path: '/v1/fleet/document', answer: ({ fleet }) => ({ update: Buffer.from(fleet.encodeState()).toString('base64') }) },
  {
    method: 'POST',
    path: '/v1/fleet/roster',
    answer: async ({ fleet }, _params, body) => {
      await fleet.use(bodyOf(rosterShape, body).roster)
      return fleet.view()
    }
  },
  {
    method: 'POST',
    path: '/v1/fleet/state',
    answer: async ({ fleet }, _params, body) => {
      const { node, state } = bodyOf(stateShape, body)
      await fleet.setState(node, state)
      return fleet.view()
    }
  },
  {
    method: 'POST',
    path: '/v1/fleet/price',
    answer: async ({ fleet }, _params, body) => {
      const { node, priceBp } = bodyOf(priceShape, body)
      await fleet.setPrice(node, priceBp)
      return fleet.view()
    }
  }
]
