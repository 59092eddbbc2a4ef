import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { JobView } from '../../api/facade.ts'
import { childEnvironment } from '../../config/paths.ts'
import type { Devnet, DevnetNode } from '../devnet/mesh.ts'
import { wait } from '../devnet/processes.ts'
import { CliError } from '../errors.ts'
import type { Output } from '../output.ts'
import { tellJob } from './tell.ts'

const BINARY = fileURLToPath(new URL('../../../bin/lilynode', import.meta.url))
const SETTLE_TIMEOUT_MS = 30_000

/** The command a user would type, in its own process. */
export async function runJob (devnet: Devnet, creator: DevnetNode, options: { message: string, flags: readonly string[], output: Output, signal: AbortSignal }): Promise<JobView & { stdout: string }> {
  const { message, flags, output, signal } = options
  const args = ['run', 'cowsay:v0.0.4', '-i', `Message=${message}`, ...flags, '--data', creator.process.root, '--json']
  output.progress(`$ lilynode ${args.slice(0, 4 + flags.length).join(' ')}`)
  const child = spawn(process.execPath, [BINARY, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: childEnvironment(), signal })
  const following = new AbortController()
  const told = tellJob(devnet, creator, output, following.signal)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString('utf8') })
  child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString('utf8') })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  following.abort()
  await told
  if (stdout === '') throw new CliError('DEMO_RUN_FAILED', `lilynode run ended with ${code ?? 'a signal'}: ${stderr.trim()}`, { data: { code } })
  return JSON.parse(stdout) as JobView & { stdout: string }
}

/** The job once its last deal is paid, or as it is after half a minute. */
export async function untilSettled (creator: DevnetNode, id: string, signal: AbortSignal): Promise<JobView> {
  const until = Date.now() + SETTLE_TIMEOUT_MS
  for (;;) {
    signal.throwIfAborted()
    const job = await creator.client.job(id)
    const deal = job.deals.at(-1)
    const settled = deal?.state === 'ResultsAccepted' || deal?.state === 'MediationAccepted'
    if ((settled && deal.transactions.length >= 2 && job.result !== undefined) || Date.now() > until) return job
    await wait(50)
  }
}
