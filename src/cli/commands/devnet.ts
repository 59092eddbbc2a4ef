import { createServer } from 'node:net'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDevnet, stopDevnet } from '../devnet/mesh.ts'
import { childEnvironment } from '../../config/paths.ts'
import { EXIT } from '../exit-codes.ts'
import { numberFlag, textFlag, type CommandRun } from './context.ts'

/** `lilynode devnet`: up until Ctrl-C; started again it goes on where it was. */
export const runDevnet: CommandRun = async (context) => {
  const { output, signal } = context
  const root = textFlag(context, 'data') === undefined ? join(context.root, 'devnet') : context.root
  if (context.flags['stop'] === true) {
    await stopDevnet(root)
    output.result({ stopped: true }, 'stopped')
    return EXIT.ok
  }
  const count = (name: string, fallback: number): number => numberFlag(context, name, { min: 0, max: 50, fallback })
  const devnet = await openDevnet({
    root,
    providers: count('providers', 2), solvers: count('solvers', 2), mediators: count('mediators', 1), creators: count('creators', 1),
    unitsPerProvider: numberFlag(context, 'units', { min: 1, max: 50, fallback: 5 }),
    epochMs: numberFlag(context, 'epochMs', { min: 500, max: 600_000, fallback: 2000 }),
    chainPort: numberFlag(context, 'chainPort', { min: 1, max: 65_535, fallback: await chainPortOf(root) }),
    fault: textFlag(context, 'fault'),
    env: childEnvironment(),
    signal,
    onProgress: (text) => { output.progress(text) }
  })
  output.line(
    { event: 'ready', root, network: devnet.networkPath, rpcUrl: devnet.chain.rpcUrl, contracts: devnet.network.deployment.contracts, nodes: devnet.nodes.map(({ name, role, account, client, process: { pid } }) => ({ name, role, account, api: client.url, pid })) },
    [...devnet.nodes.map(({ name, account, client }) => `${name.padEnd(12)}${account}  ${client.url}`), `network     ${devnet.networkPath}`, `ready; try: lilynode run cowsay:v0.0.4 -i Message=moo${textFlag(context, 'data') === undefined ? '' : ` --data ${root}`}`, 'Ctrl-C stops it; the data stays.'].join('\n')
  )
  // Waiting for a signal alone does not keep a process alive.
  const alive = setInterval(() => undefined, 60_000)
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => { resolve() }, { once: true })
  })
  clearInterval(alive)
  output.progress('stopping')
  await devnet.stop()
  return EXIT.ok
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
