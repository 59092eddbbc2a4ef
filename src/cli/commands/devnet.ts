import { createServer } from 'node:net'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDevnet, stopDevnet, type Devnet } from '../devnet/mesh.ts'
import { isRunning, wait } from '../devnet/processes.ts'
import { CliError } from '../errors.ts'
import type { Output } from '../output.ts'
import { childEnvironment } from '../../config/paths.ts'
import { EXIT } from '../exit-codes.ts'
import { numberFlag, textFlag, type CommandContext, type CommandRun } from './context.ts'

/** How often a kept devnet looks after its members. */
const WATCH_MS = 500

/** `lilynode devnet`: up until Ctrl-C; started again it goes on where it was. */
export const runDevnet: CommandRun = async (context) => {
  const { output } = context
  const root = textFlag(context, 'data') === undefined ? join(context.root, 'devnet') : context.root
  if (context.flags['stop'] === true) {
    const processes = await stopDevnet(root)
    if (processes === 0) throw new CliError('DEVNET_NONE', `no devnet runs in ${root}`, { data: { root }, hint: 'Name its folder with --data.' })
    output.result({ stopped: true, processes }, `stopped ${processes} processes`)
    return EXIT.ok
  }
  const letGo = await claimDevnet(root)
  try {
    return await keepUp(context, root)
  } finally {
    await letGo()
  }
}

async function keepUp (context: CommandContext, root: string): Promise<number> {
  const { output, signal } = context
  const fault = textFlag(context, 'fault')
  if (fault !== undefined && fault !== 'wrong-result') throw new CliError('USAGE_CHOICE', `"${fault}" is no fault`, { data: { flag: 'fault', value: fault }, hint: 'The only fault is wrong-result.' })
  const count = (name: string, fallback: number): number => numberFlag(context, name, { min: 0, max: 50, fallback })
  const devnet = await openDevnet({
    root,
    providers: count('providers', 2), solvers: count('solvers', 2), mediators: count('mediators', 1), creators: count('creators', 1),
    unitsPerProvider: numberFlag(context, 'units', { min: 1, max: 50, fallback: 5 }),
    epochMs: numberFlag(context, 'epochMs', { min: 500, max: 600_000, fallback: 2000 }),
    chainPort: numberFlag(context, 'chainPort', { min: 1, max: 65_535, fallback: await chainPortOf(root) }),
    fault,
    env: childEnvironment(),
    signal,
    onProgress: (text) => { output.progress(text) }
  })
  output.line(
    { event: 'ready', root, network: devnet.networkPath, rpcUrl: devnet.chain.rpcUrl, contracts: devnet.network.deployment.contracts, nodes: devnet.nodes.map(({ name, role, account, client, process: { pid } }) => ({ name, role, account, api: client.url, pid })) },
    [...devnet.nodes.map(({ name, account, client }) => `${name.padEnd(12)}${account}  ${client.url}`), `network     ${devnet.networkPath}`, `ready; try: lilynode run cowsay:v0.0.4 -i Message=moo${textFlag(context, 'data') === undefined ? '' : ` --data ${root}`}`, 'Ctrl-C stops it; the data stays.'].join('\n')
  )
  await watchMembers(devnet, output, signal)
  output.progress('stopping')
  await devnet.stop()
  return EXIT.ok
}

/** Says which members end, until the signal. Throws CliError DEVNET_ENDED when none is left. */
async function watchMembers (devnet: Devnet, output: Output, signal: AbortSignal): Promise<void> {
  let running = [...devnet.nodes.map((node) => node.process), devnet.chain.process]
  while (!signal.aborted) {
    for (const { name, pid, root } of running.filter((member) => !isRunning(member))) {
      output.line({ event: 'ended', name, pid }, `ended       ${name.padEnd(12)} pid ${pid}; see ${join(root, 'node.log')}. Start the devnet again to bring it back.`)
    }
    running = running.filter(isRunning)
    if (running.length === 0) throw new CliError('DEVNET_ENDED', 'every process of this devnet has ended', { hint: 'Something else stopped it, such as "lilynode devnet --stop".' })
    await wait(WATCH_MS)
  }
}

/** One command keeps a folder's devnet; the returned function lets go of it. Throws CliError DEVNET_KEPT. */
async function claimDevnet (root: string): Promise<() => Promise<void>> {
  await mkdir(root, { recursive: true })
  const path = join(root, 'devnet.pid')
  const keeper = Number(await readFile(path, 'utf8').catch(() => ''))
  const command = keeper > 0 && keeper !== process.pid ? await readFile(`/proc/${keeper}/cmdline`, 'utf8').catch(() => '') : ''
  if (command.includes('devnet')) throw new CliError('DEVNET_KEPT', `process ${keeper} keeps the devnet in ${root} up`, { data: { root, pid: keeper }, hint: 'Use it as it is, or end it with "lilynode devnet --stop".' })
  await writeFile(path, `${process.pid}\n`)
  return async () => { await rm(path, { force: true }) }
}

/** The port an earlier run used, else a free one. */
export async function chainPortOf (root: string): Promise<number> {
  try {
    const network = JSON.parse(await readFile(join(root, 'network.json'), 'utf8')) as { rpcUrls: string[] }
    return Number(new URL(network.rpcUrls[0] ?? '').port)
  } catch {
    return await new Promise<number>((resolve, reject) => {
      const server = createServer()
      server.on('error', reject)
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        server.close(() => { resolve(typeof address === 'object' && address !== null ? address.port : 8545) })
      })
    })
  }
}
