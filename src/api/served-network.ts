import { ApiError } from './errors.ts'
import type { NodeFacade } from './facade.ts'
import type { ViewEndpoint } from './view/endpoint.ts'

/** What the API shows of a node on one network. */
export interface ServedNetwork { facade: NodeFacade, view: ViewEndpoint }

/** The network that a request names (protocol/api.md), the first when it names none. Throws ApiError API_NO_NETWORK. */
export function namedNetwork (networks: ReadonlyMap<string, ServedNetwork>, query: URLSearchParams): ServedNetwork {
  const names = [...networks.keys()]
  const name = query.get('network') ?? names[0] ?? ''
  const found = networks.get(name)
  if (found === undefined) throw new ApiError('API_NO_NETWORK', `this node is not on a network "${name.slice(0, 100)}"`, { data: { network: name.slice(0, 100), networks: names }, hint: `It is on ${names.join(', ')}.` })
  return found
}
