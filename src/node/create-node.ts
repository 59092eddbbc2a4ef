import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { createApiServer } from '../api/server.ts'
import type { ServedNetwork } from '../api/served-network.ts'
import { loadNetworks } from '../config/network.ts'
import { dataPaths, dataRoot } from '../config/paths.ts'
import { createSystemClock } from '../core/clock.ts'
import { createLifecycle } from '../core/lifecycle.ts'
import { createLogger } from '../core/logger.ts'
import { createSystemRandom } from '../core/random.ts'
import { createDatastore } from '../store/datastore.ts'
import type { SharedParts } from './components.ts'
import { openKey, writeWhole } from './keys.ts'
import { openMachine } from './machine.ts'
import { startOnNetwork } from './network-node.ts'
import type { NodeOptions } from './options.ts'
import { assertOperatorRoles } from './roles.ts'

/** A running node: its API's address, and how to stop it. */
export interface LilyNode { api: { url: string, token: string, pid: number }, stop: () => Promise<void> }

/** The whole node: what it has once, a set of parts for each of its networks (network-node.ts), and the API in front. Stops all in reverse. */
export async function createNode (options: NodeOptions): Promise<LilyNode> {
  const root = dataRoot(options.root)
  const paths = dataPaths(root)
  await mkdir(root, { recursive: true })
  const clock = createSystemClock()
  const logger = createLogger({ level: options.logLevel ?? 'info', write: (line) => { process.stderr.write(line) }, now: clock.now })
  if (options.networks.some(({ delegationPath }) => delegationPath !== undefined)) assertOperatorRoles(options.roles)
  const networks = await loadNetworks(options.networks.map(({ path }) => path ?? paths.network))
  const names = networks.map(({ name }) => name)
  const lifecycle = createLifecycle()

  const identity = await lifecycle.add(createDatastore({ logger }, { path: paths.datastore }))
  try {
    const signer = await openKey(root)
    const machine = await openMachine({ clock, logger }, { ...options, root }, lifecycle)
    const shared: SharedParts = { options: { ...options, root }, names, clock, random: createSystemRandom(), signer, identity, machine }
    const served = new Map<string, ServedNetwork>()
    for (const [index, network] of networks.entries()) {
      const own = options.networks[index] ?? {}
      served.set(network.name, await startOnNetwork({ ...shared, logger: networks.length > 1 ? logger.child(network.name) : logger }, network, own, lifecycle))
    }
    const token = randomBytes(24).toString('hex')
    const server = await lifecycle.add(createApiServer({ networks: served, logger: logger.child('api') }, { port: options.apiPort ?? 0, token }))
    const api = { url: server.url(), token, pid: process.pid }
    await writeWhole(paths.api, api)
    logger.info('ready', { account: signer.address, roles: options.roles, networks: names, api: api.url })
    return {
      api,
      stop: async () => {
        await rm(paths.api, { force: true })
        await lifecycle.stop()
      }
    }
  } catch (error) {
    await Promise.allSettled([lifecycle.stop()])
    throw error
  }
}
