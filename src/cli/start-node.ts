import { createNode } from '../node/create-node.ts'
import type { NodeOptions } from '../node/options.ts'
import { createNodeClient, type NodeClient } from './node-client.ts'

/** A node in this process, with a client of its own API: commands see one kind of node wherever it runs. `on`: the client for one of its networks. */
export async function startNode (options: NodeOptions): Promise<{ client: NodeClient, on: (network: string) => NodeClient, stop: () => Promise<void> }> {
  const node = await createNode(options)
  return { client: createNodeClient(node.api), on: (network) => createNodeClient(node.api, network), stop: node.stop }
}
