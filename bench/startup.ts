import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chainPortOf } from '../src/cli/commands/devnet.ts'
import { openDevnet, stopDevnet } from '../src/cli/devnet/mesh.ts'
import { startProcess, stopProcesses, untilReady, wait, type MeshProcess } from '../src/cli/devnet/processes.ts'
import { createNodeClient, readApiFile } from '../src/cli/node-client.ts'
import { childEnvironment } from '../src/config/paths.ts'
import { errorCode } from '../src/core/errors.ts'
import { atMost, percentile, reported, type Bench } from './figure.ts'

const STARTS = 5
/** Long enough for discovery, reconciliation and a garbage collection. */
const IDLE_MS = 8_000
const READY_LIMIT_MS = 2000
const IDLE_LIMIT_MIB = 160
const HELIA_LIMIT_MIB = 260

/** A node joining a running network: time to ready, resident memory idle and with Helia running; beside bare libp2p. */
export const benchStartup: Bench = async ({ progress }) => {
  const root = await mkdtemp(join(tmpdir(), 'lilynode-bench-'))
  try {
    const devnet = await openDevnet({
      root, providers: 1, solvers: 1, mediators: 0, creators: 0, unitsPerProvider: 2, epochMs: 2000, chainPort: await chainPortOf(root), fault: undefined,
      env: childEnvironment(), signal: AbortSignal.timeout(120_000), onProgress: progress
    })
    await wait(IDLE_MS / 2)
    const times: number[] = []
    for (let index = 0; index < STARTS; index++) {
      const { process_, readyMs } = await startOne(root, `joiner-${index}`, devnet.networkPath, 'creator')
      times.push(readyMs)
      await stopProcesses([process_], { graceMs: 10_000 })
    }
    const idle = await startOne(root, 'idle', devnet.networkPath, 'creator')
    await wait(IDLE_MS)
    const status = await idle.client.status()
    if (status.peers < 1) throw new Error('the idle node has no peers')
    const idleMiB = await rssMiB(idle.process_.pid)
    // An unfunded creator still resolves the module, which loads Helia, before it is told what is missing.
    const refusal = await idle.client.submit({ module: 'noop:v0.0.1', inputs: {} }).then(() => 'none', errorCode)
    if (refusal !== 'JOB_UNFUNDED') throw new Error(`expected JOB_UNFUNDED after the module was read, got ${refusal}`)
    await wait(IDLE_MS)
    const heliaMiB = await rssMiB(idle.process_.pid)
    await stopProcesses([idle.process_], { graceMs: 10_000 })
    const bare = await bareRss([])
    const bareHelia = await bareRss(['helia'])
    return [
      atMost('node ready, median of 5', percentile(times, 0.5), READY_LIMIT_MS, 'ms'),
      reported('node ready, slowest of 5', Math.max(...times), 'ms'),
      atMost('idle RSS before content is touched', idleMiB, IDLE_LIMIT_MIB, 'MiB', { name: 'bare libp2p, this run', value: Math.round(bare) }),
      atMost('RSS with Helia running', heliaMiB, HELIA_LIMIT_MIB, 'MiB', { name: 'bare libp2p + Helia, this run', value: Math.round(bareHelia) })
    ]
  } finally {
    await stopDevnet(root)
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function startOne (root: string, name: string, network: string, role: string): Promise<{ process_: MeshProcess, readyMs: number, client: ReturnType<typeof createNodeClient> }> {
  const folder = join(root, name)
  await mkdir(folder, { recursive: true })
  const started = performance.now()
  const process_ = await startProcess(name, folder, ['start', '--role', role, '--network', network], childEnvironment())
  const client = await untilReady(process_, { timeoutMs: 60_000, signal: AbortSignal.timeout(60_000) }, async () => {
    const api = await readApiFile(folder)
    if (api?.pid !== process_.pid) return undefined
    const candidate = createNodeClient(api)
    return await candidate.status().then(() => candidate, () => undefined)
  })
  return { process_, readyMs: performance.now() - started, client }
}

async function bareRss (args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./baselines/bare-libp2p.ts', import.meta.url)), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => { resolve() })
    child.once('exit', () => { reject(new Error('the baseline process ended')) })
  })
  await wait(IDLE_MS / 2)
  const value = await rssMiB(child.pid ?? 0)
  child.stdin.end()
  return value
}

async function rssMiB (pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024
}
