import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { deploymentShape } from '../chain/deployment.ts'
import { chainSettingsShape } from '../chain/options.ts'
import { errorMessage } from '../core/errors.ts'
import { dealParametersShape } from '../deal/options.ts'
import { hashParameters } from '../deal/terms.ts'
import { auctionRulesShape, matchRulesShape } from '../match/options.ts'
import { addressShape, type Hash } from '../wire/shapes.ts'
import { ConfigError } from './errors.ts'

/** protocol/network.md. Everything that the nodes of one network share: one JSON file. */
export const networkShape = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,32}$/),
  /** True on a chain that the operator resets at will: allows fault flags, polls fast. */
  devnet: z.boolean(),
  /** JSON-RPC URLs of the chain, first one preferred. */
  rpcUrls: z.array(z.url()).min(1),
  /** How its nodes talk to the chain. */
  chain: chainSettingsShape.optional(),
  deployment: deploymentShape,
  /** Multiaddrs with peer id. */
  bootstrap: z.array(z.string().regex(/^\/(?:ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d{1,5}(?:\/wss?)?\/p2p\/[1-9A-HJ-NP-Za-km-z]{32,64}$/, 'not a multiaddr like /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW...')),
  /** True for a network on the internet: its nodes neither announce nor dial private addresses. */
  public: z.boolean().optional(),
  /** Pre-shared key: only nodes that have it connect. Makes the file a secret. */
  psk: z.string().regex(/^[0-9a-f]{64}$/, 'not 64 hex digits in lower case').optional(),
  /** Names of markets beside the default one; its nodes follow all of them unless told otherwise. */
  markets: z.array(z.string().regex(/^(?!default$)[a-z0-9][a-z0-9-]{0,31}$/, 'not a name like render, of a-z, 0-9 and -')).max(64).refine((names) => new Set(names).size === names.length, 'a market is named twice').optional(),
  /** Accounts whose module records plain names resolve to, in order of preference. */
  modulePublishers: z.array(addressShape),
  match: matchRulesShape,
  auction: auctionRulesShape,
  deal: dealParametersShape
})
export type Network = z.output<typeof networkShape>

/** Reads a network file. Throws ConfigError CONFIG_NETWORK_MISSING or CONFIG_NETWORK_INVALID naming the field. */
export async function loadNetwork (path: string): Promise<Network> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new ConfigError('CONFIG_NETWORK_MISSING', `cannot read the network file ${path}: ${errorMessage(error)}`, { data: { path }, cause: error, hint: 'Pass --network FILE, or start a local one with "lilynode devnet".' })
  }
  try {
    return networkShape.parse(JSON.parse(text))
  } catch (error) {
    const detail = error instanceof z.ZodError ? error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ') : errorMessage(error)
    throw new ConfigError('CONFIG_NETWORK_INVALID', `network file ${path}: ${detail}`, { data: { path }, cause: error, hint: 'The fields are described in protocol/network.md.' })
  }
}

/** Reads the network files of one node, the first being what it answers for unasked. Throws like loadNetwork, or ConfigError CONFIG_NETWORK_TWICE. */
export async function loadNetworks (paths: readonly string[]): Promise<Network[]> {
  const networks: Network[] = []
  for (const path of paths) {
    const network = await loadNetwork(path)
    const twin = networks.find((other) => other.name === network.name || other.deployment.chainId === network.deployment.chainId)
    if (twin !== undefined) {
      const same = twin.name === network.name ? `the name ${network.name}` : `chain ${network.deployment.chainId}`
      throw new ConfigError('CONFIG_NETWORK_TWICE', `${path}: another network of this node has ${same} too`, { data: { path, name: network.name, other: twin.name, chainId: network.deployment.chainId }, hint: 'Name each network file once. For two deployments on one chain run two nodes, each with a key of its own.' })
    }
    networks.push(network)
  }
  return networks
}

/** What terms of a deal bind of the network: prices, auction and deadlines. */
export function networkParametersHash (network: Network): Hash {
  return hashParameters({ match: network.match, auction: network.auction, deal: network.deal })
}
