import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JobView } from '../src/api/facade.ts'
import { isOver } from '../src/api/routes.ts'
import { chainPortOf } from '../src/cli/commands/devnet.ts'
import { openDevnet, stopDevnet, type DevnetNode } from '../src/cli/devnet/mesh.ts'
import { wait } from '../src/cli/devnet/processes.ts'
import { childEnvironment } from '../src/config/paths.ts'
import { createSystemClock } from '../src/core/clock.ts'
import { silentLogger } from '../src/core/logger.ts'
import { createWasmExecutor } from '../src/exec/executor.ts'
import { atMost, percentile, reported, type Bench } from './figure.ts'

const JOBS = 50
const AT_ONCE = 5
const LIMIT_MS = 500
/** Bacalhau's published mean of 10,000 no-op jobs, 2022-07; not run here. */
const BACALHAU = { name: 'Bacalhau no-op, published mean', value: 630 }

/**
 * Overhead of a job on a devnet of real processes: from the moment the creator knows the winner to the complete result
 * folder, less the guest's own time; settlement apart.
 */
export const benchE2e: Bench = async ({ progress }) => {
  const root = await mkdtemp(join(tmpdir(), 'lilynode-bench-'))
  try {
    const devnet = await openDevnet({
      root, providers: 2, solvers: 2, mediators: 1, creators: 1, unitsPerProvider: 5, epochMs: 2000, chainPort: await chainPortOf(root), fault: undefined,
      env: childEnvironment(), signal: AbortSignal.timeout(300_000), onProgress: progress
    })
    const creator = devnet.nodes.find((node) => node.role === 'creator') as DevnetNode
    while ((await creator.client.book()).offers.length < 10 || (await creator.client.book()).modules.length < 2) await wait(50)
    const jobs: JobView[] = []
    let next = 0
    const worker = async (): Promise<void> => {
      while (next++ < JOBS) jobs.push(await runOne(creator))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    for (const job of jobs) {
      if (job.state !== 'ResultsAccepted' || job.result?.exitCode !== 0) throw new Error(`job ${job.id} ended ${job.state} with exit code ${job.result?.exitCode ?? '?'}`)
    }
    const overhead = jobs.map((job) => (job.completedAtMs ?? 0) - (job.matchedAtMs ?? 0) - (job.result?.guestMs ?? 0))
    const settlement = jobs.map((job) => (job.settledAtMs ?? 0) - (job.completedAtMs ?? 0))
    const sandbox = await bareSandbox()
    return [
      atMost(`overhead of ${JOBS} no-op jobs, ${AT_ONCE} at once, p50`, percentile(overhead, 0.5), LIMIT_MS, 'ms', BACALHAU),
      reported('overhead p95', percentile(overhead, 0.95), 'ms', { name: 'bare sandbox run of the same module, p50, this run', value: Math.round(sandbox) }),
      reported('settlement after the result folder, p50', percentile(settlement, 0.5), 'ms'),
      reported('settlement p95', percentile(settlement, 0.95), 'ms')
    ]
  } finally {
    await stopDevnet(root)
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function runOne (creator: DevnetNode): Promise<JobView> {
  let job = await creator.client.submit({ module: 'noop:v0.0.1', inputs: {}, cpuMilli: 20 })
  for await (const state of creator.client.events(job.id, AbortSignal.timeout(120_000))) {
    job = state
    if (isOver(job) && job.settledAtMs !== undefined) break
  }
  return await creator.client.job(job.id)
}

/** The same module in the sandbox alone, one after the other. */
async function bareSandbox (): Promise<number> {
  const module = await readFile(fileURLToPath(new URL('../modules/noop/noop.wasm', import.meta.url)))
  const executor = createWasmExecutor({ logger: silentLogger, clock: createSystemClock() })
  await executor.start()
  const times: number[] = []
  try {
    for (let run = 0; run < 20; run++) {
      const started = performance.now()
      await executor.run({
        module, args: ['noop'], env: {}, inputs: new Map(), seed: new Uint8Array(32), clockMs: 0,
        limits: { wallMs: 10_000, memoryMiB: 16, stdoutBytes: 1024, stderrBytes: 1024, outputBytes: 1024, outputFiles: 1 }
      }, { signal: AbortSignal.timeout(20_000) })
      times.push(performance.now() - started)
    }
  } finally {
    await executor.stop()
  }
  return percentile(times, 0.5)
}
