import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { JobView } from '../../src/api/facade.ts'
import { chainPortOf } from '../../src/cli/commands/devnet.ts'
import { openDevnet, type Devnet, type DevnetNode, type DevnetOptions } from '../../src/cli/devnet/mesh.ts'
import { wait } from '../../src/cli/devnet/processes.ts'
import type { NodeClient } from '../../src/cli/node-client.ts'
import { epochAt, phasesOf, type Phases } from '../../src/match/phases.ts'
import { kill, openSandbox, processesOf, until, type CommandResult, type RunningCommand, type Sandbox } from './lilynode.ts'

/** A whole mesh in a temporary folder, every member its own process under the loopback hook. */
export interface TestDevnet {
  readonly sandbox: Sandbox
  readonly root: string
  readonly networkPath: string
  devnet: () => Devnet
  node: (name: string) => DevnetNode
  client: (name: string) => NodeClient
  /** The command with --json, against creator-1 unless --data is among the arguments. */
  lilynode: (...args: string[]) => Promise<CommandResult>
  /** The same without waiting for its end. */
  spawn: (...args: string[]) => RunningCommand
  /** SIGKILL to members; resolves when they are gone. */
  kill: (...names: string[]) => Promise<void>
  /** Waits until an epoch begins; resolves to the next one, whose solvers find what is submitted now. */
  nextEpoch: () => Promise<Phases>
  /** Nothing passes between the members of two groups from one time to the other, unix ms; the chain is in reach of all. Where the devnet was opened `isPartable`. */
  part: (one: readonly string[], other: readonly string[], times: { fromMs: number, untilMs: number }) => Promise<void>
  /** Brings what is missing up again in the same folder; what still runs is taken over. */
  reopen: (change?: Partial<DevnetOptions>) => Promise<void>
  /** The job once `is` holds for it. */
  untilJob: (client: NodeClient, id: string, is: (job: JobView) => boolean) => Promise<JobView>
}

const SIZE = { providers: 2, solvers: 2, mediators: 1, creators: 1, unitsPerProvider: 2, epochMs: 2000, fault: undefined }

const PARTITION = fileURLToPath(new URL('./partition.mjs', import.meta.url))

/** Opens it and registers its end with the test: nothing may run on, and nothing may have left the machine. */
export async function openTestDevnet (t: Test, options: Partial<DevnetOptions> & { name: string, isPartable?: boolean }): Promise<TestDevnet> {
  const { name, isPartable = false, ...size } = options
  const sandbox = await openSandbox(name, isPartable ? [PARTITION] : [])
  t.teardown(sandbox.close)
  const root = join(sandbox.root, 'net')
  const chainPort = await chainPortOf(root)
  const open = async (change: Partial<DevnetOptions> = {}): Promise<Devnet> => await openDevnet({ ...SIZE, root, chainPort, env: sandbox.env, signal: new AbortController().signal, onProgress: () => undefined, ...size, ...change })
  let devnet = await open()
  const node = (name: string): DevnetNode => {
    const found = devnet.nodes.find((each) => each.name === name)
    if (found === undefined) throw new Error(`no member ${name}`)
    return found
  }
  const pidOf = async (name: string): Promise<number> => Number(await readFile(join(root, name, 'pid'), 'utf8'))
  const portsOf = async (name: string): Promise<number[]> => (await node(name).client.status()).addresses.flatMap((address) => Number(/\/tcp\/(\d+)/.exec(address)?.[1] ?? []))
  const test: TestDevnet = {
    sandbox,
    root,
    networkPath: devnet.networkPath,
    devnet: () => devnet,
    node,
    client: (name) => node(name).client,
    spawn: (...args) => sandbox.start([...args, '--json', ...(args.includes('--data') ? [] : ['--data', join(root, 'creator-1')])]),
    lilynode: async (...args) => await test.spawn(...args).ended,
    kill: async (...names) => {
      const ids = await Promise.all(names.map(pidOf))
      for (const id of ids) kill(id)
      for (;;) {
        const alive = processesOf(sandbox.root)
        if (!ids.some((id) => alive.includes(id))) return
        await wait(20)
      }
    },
    nextEpoch: async () => {
      const { auction, deployment: { genesisTime } } = devnet.network
      const next = epochAt(auction, genesisTime, Date.now()) + 1
      await wait(phasesOf(auction, genesisTime, next).epochStart - Date.now())
      return phasesOf(auction, genesisTime, next + 1)
    },
    part: async (one, other, times) => {
      const denied = new Map<number, number[]>()
      for (const [own, others] of [[one, other], [other, one]] as const) {
        const ports = (await Promise.all(others.map(portsOf))).flat()
        for (const name of own) denied.set(await pidOf(name), ports)
      }
      await writeFile(join(sandbox.root, 'partition.json'), JSON.stringify({ ...times, denied: Object.fromEntries(denied) }))
      for (const id of denied.keys()) process.kill(id, 'SIGUSR2')
    },
    reopen: async (change) => { devnet = await open(change) },
    untilJob: async (client, id, is) => await until(async () => {
      const job = await client.job(id)
      return is(job) && job
    })
  }
  await untilMet(test)
  return test
}

/** Every node has two peers or more, and the first creator's book holds the modules and every provider's offers. */
export async function untilMet (test: TestDevnet): Promise<void> {
  const { nodes } = test.devnet()
  const offering = nodes.filter((node) => node.role === 'resource-provider').map((node) => node.account)
  await until(async () => {
    const peers = await Promise.all(nodes.map(async (node) => (await node.client.status()).peers))
    const book = await test.client('creator-1').book()
    return peers.every((count) => count >= 2) && book.modules.length >= 2 && offering.every((account) => book.offers.some((offer) => offer.account === account))
  })
}
