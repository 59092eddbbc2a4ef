import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createFaucet, deployDevnet, type Faucet } from '../../node/devnet-chain.ts'
import { loadNetwork, type Network } from '../../config/network.ts'
import { errorCode } from '../../core/errors.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../deal/options.ts'
import { DEFAULT_MATCH_RULES, DEVNET_AUCTION_RULES } from '../../match/options.ts'
import type { Address } from '../../wire/shapes.ts'
import { createNodeClient, readApiFile, type NodeClient } from '../node-client.ts'
import { findProcess, runCommand, startProcess, stopProcesses, untilReady, type MeshProcess } from './processes.ts'

/** How large a devnet is, and what is special about it. */
export interface DevnetOptions {
  root: string
  providers: number
  solvers: number
  mediators: number
  creators: number
  unitsPerProvider: number
  epochMs: number
  chainPort: number
  /** Given to provider-1. */
  fault: string | undefined
  env: Readonly<Record<string, string>>
  signal: AbortSignal
  onProgress: (text: string) => void
}

/** A member of the mesh and its API. */
export interface DevnetNode { name: string, role: string, process: MeshProcess, client: NodeClient, account: string }
export interface Devnet { nodes: DevnetNode[], chain: { process: MeshProcess, rpcUrl: string }, network: Network, networkPath: string, stop: () => Promise<void> }

/** Nodes come up within this even on a loaded machine with two cores. */
const READY_MS = 60_000
const STOP_GRACE_MS = 10_000
const MODULES = fileURLToPath(new URL('../../../modules/', import.meta.url))
/** LILY (in nLILY) that the faucet gives to every account, and what of it goes into the vault or a bond. */
const GRANT = 1_000_000_000_000
const DEPOSIT_LILY = '500'
const STAKE_LILY = '100'

/** Brings the mesh of a folder up, or attaches to what still runs of it. Every member is its own process with its own key. */
export async function openDevnet (options: DevnetOptions): Promise<Devnet> {
  const { root, onProgress } = options
  const started: MeshProcess[] = []
  let faucet: Faucet | undefined
  await mkdir(root, { recursive: true })
  try {
    const [chain, keys] = await together([openChain(options, started), runCommand<{ address: string, peerId: string }>(['keys', '--data', join(root, 'bootstrap')], options.env)])
    onProgress(`chain       ${chain.rpcUrl}`)
    const bank = faucet = await createFaucet({ rpcUrl: chain.rpcUrl, keyPath: join(chain.process.root, 'deployer.key') })
    const networkPath = join(root, 'network.json')
    const base = await openNetwork(options, networkPath, chain.rpcUrl, bank)
    bank.deployment = base.deployment
    onProgress(`contracts   market ${base.deployment.contracts.market}`)

    // The modules belong to a cold account that never runs a node: the bootstrap node signs for it under a delegation.
    const delegation = await runCommand<{ account: Address }>(['delegate', keys.address, '--peer', keys.peerId, '--network', networkPath, '--data', join(root, 'publisher')], options.env)
    const delegationPath = join(root, 'bootstrap', 'delegation.json')
    await writeJson(delegationPath, delegation)
    const first = await openNode(options, started, bank, { name: 'bootstrap', role: 'bootstrap,module-provider', network: networkPath, flags: ['--delegation', delegationPath, '--module', join(MODULES, 'cowsay'), '--module', join(MODULES, 'noop')] })
    const { addresses } = await first.client.status()
    const network: Network = { ...base, bootstrap: addresses, modulePublishers: [delegation.account] }
    await writeJson(networkPath, network)
    onProgress(`join at     ${addresses[0] ?? ''}`)

    const units = Array.from({ length: options.unitsPerProvider }, (_, index) => ['--unit', `unit-${index + 1}=${unitShare(index, options.unitsPerProvider, options.providers)}`]).flat()
    const several = (count: number, role: string, flags: (index: number) => string[]): NodePlan[] =>
      Array.from({ length: count }, (_, index) => ({ name: `${role.replace('resource-', '')}-${index + 1}`, role, network: networkPath, flags: flags(index) }))
    const plans = [
      ...several(options.providers, 'resource-provider', (index) => [...units, '--ask', String(0.8 + 0.1 * index), '--deposit', DEPOSIT_LILY, ...(options.fault !== undefined && index === 0 ? ['--fault', options.fault] : [])]),
      ...several(options.solvers, 'solver', (index) => ['--engine', index % 2 === 0 ? 'price' : 'floor', '--stake', STAKE_LILY]),
      ...several(options.mediators, 'mediator', () => ['--stake', STAKE_LILY]),
      ...several(options.creators, 'creator', () => ['--deposit', DEPOSIT_LILY])
    ]
    const nodes = [first, ...await together(plans.map(async (plan) => await openNode(options, started, bank, plan)))]
    return { nodes, chain, network, networkPath, stop: async () => { await stopDevnet(root) } }
  } catch (error) {
    await stopProcesses(started.reverse(), { graceMs: STOP_GRACE_MS })
    throw error
  } finally {
    await faucet?.stop()
  }
}

/** Rejects only when all have ended: what one of them still starts would not be stopped. */
async function together<T extends readonly unknown[]> (work: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(work)
  return await Promise.all(work) as unknown as T
}

/** Ends every process of a devnet folder: nodes first, the chain last. Resolves to how many there were. */
export async function stopDevnet (root: string): Promise<number> {
  const found = await findMembers(root)
  await stopProcesses(found.filter(({ name }) => name !== 'chain'), { graceMs: STOP_GRACE_MS })
  await stopProcesses(found.filter(({ name }) => name === 'chain'), { graceMs: STOP_GRACE_MS })
  return found.length
}

/** What runs of a devnet folder: each member has a folder of its name with its pid in it. */
export async function findMembers (root: string): Promise<MeshProcess[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => [])
  const found = await Promise.all(entries.filter((entry) => entry.isDirectory()).map(async ({ name }) => await findProcess(name, join(root, name))))
  return found.filter((process_) => process_ !== undefined)
}

interface NodePlan { name: string, role: string, network: string, flags: string[] }

async function openChain (options: DevnetOptions, started: MeshProcess[]): Promise<Devnet['chain']> {
  const root = join(options.root, 'chain')
  await mkdir(root, { recursive: true })
  const known = await findProcess('chain', root)
  const readLog = async (): Promise<string> => await readFile(join(root, 'node.log'), 'utf8').catch(() => '')
  const logged = (await readLog()).length
  const process_ = known ?? await startProcess('chain', root, ['chain', '--port', String(options.chainPort)], options.env)
  if (known === undefined) started.push(process_)
  const rpcUrl = `http://127.0.0.1:${options.chainPort}`
  await untilReady(process_, { timeoutMs: READY_MS, signal: options.signal }, async () => {
    // Its own word that it listens: another program on that port may answer like a chain.
    if (known === undefined && !(await readLog()).slice(logged).includes(`chain at ${rpcUrl}`)) return undefined
    const answer = await fetch(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}' }).catch(() => undefined)
    return answer?.ok === true ? true : undefined
  })
  return { process: process_, rpcUrl }
}

async function openNetwork (options: DevnetOptions, path: string, rpcUrl: string, faucet: Faucet): Promise<Network> {
  const known = await loadNetwork(path).catch((error: unknown) => {
    // A damaged file is not replaced: the nodes' data belongs to the deployment that it named.
    if (errorCode(error) !== 'CONFIG_NETWORK_MISSING') throw error
  })
  if (known !== undefined) return known
  const network: Network = {
    name: 'devnet', devnet: true, rpcUrls: [rpcUrl], deployment: await deployDevnet(faucet), bootstrap: [], modulePublishers: [],
    match: DEFAULT_MATCH_RULES, auction: { ...DEVNET_AUCTION_RULES, epochMs: options.epochMs }, deal: DEVNET_DEAL_PARAMETERS
  }
  await writeJson(path, network)
  return network
}

async function openNode (options: DevnetOptions, started: MeshProcess[], faucet: Faucet, plan: NodePlan): Promise<DevnetNode> {
  const root = join(options.root, plan.name)
  await mkdir(root, { recursive: true })
  const known = await findProcess(plan.name, root)
  const process_ = known ?? await startProcess(plan.name, root, ['start', '--role', plan.role, '--network', plan.network, ...plan.flags], options.env)
  if (known === undefined) started.push(process_)
  // The node makes its key first and says its address; the money comes while it starts.
  const accountPath = join(root, 'account.json')
  const account = await untilReady(process_, { timeoutMs: READY_MS, signal: options.signal }, async () => await readFile(accountPath, 'utf8').then((text) => (JSON.parse(text) as { address: string }).address, () => undefined))
  await faucet.fund(account as `0x${string}`, GRANT)
  const client = await untilReady(process_, { timeoutMs: READY_MS, signal: options.signal }, async () => {
    const api = await readApiFile(root)
    if (api?.pid !== process_.pid) return undefined
    const candidate = createNodeClient(api)
    return await candidate.status().then(() => candidate, () => undefined)
  })
  options.onProgress(`node        ${plan.name.padEnd(12)} ${account}`)
  return { name: plan.name, role: plan.role, process: process_, client, account }
}

/** What people call an account of the mesh; the account itself for a stranger's. */
export function memberName (devnet: Devnet, account: string): string {
  return devnet.nodes.find((node) => node.account === account)?.name ?? account
}

async function writeJson (path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.partial`, `${JSON.stringify(value, undefined, 2)}\n`)
  await rename(`${path}.partial`, path)
}

/** Units of different size, so that jobs compete for the large ones; all providers together offer the machine once. */
function unitShare (index: number, units: number, providers: number): string {
  const total = (units * (units + 1)) / 2
  return ((index + 1) / total / providers).toFixed(4)
}

