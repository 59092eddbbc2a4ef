import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JobView } from '../../api/facade.ts'
import { childEnvironment } from '../../config/paths.ts'
import { describeReport } from '../demo/describe.ts'
import { collectEvidence, lanesOf, readBalances } from '../demo/evidence.ts'
import { otherJobs, type OtherJob } from '../demo/other-jobs.ts'
import { findProblems, gasOf, sharedAuction, transactionsOf, type DemoReport } from '../demo/report.ts'
import { tellJob } from '../demo/tell.ts'
import { openDevnet, stopDevnet, type Devnet, type DevnetNode } from '../devnet/mesh.ts'
import { wait } from '../devnet/processes.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../errors.ts'
import type { Output } from '../output.ts'
import { chainPortOf } from './devnet.ts'
import { numberFlag, type CommandRun } from './context.ts'

const BINARY = fileURLToPath(new URL('../../../bin/lilynode', import.meta.url))
const SETUP_MARKER = fileURLToPath(new URL('../../../node_modules/.lilynode-setup.json', import.meta.url))
const OTHER_JOBS = 30
/** Posted as soon as the mesh is up: the creator has its content store loaded when the rest come. */
const OTHERS_FIRST = 2
const MESSAGE = 'moo'
/** A marker younger than this belongs to the install that this command just did. */
const FRESH_MS = 30_000
const SETTLE_TIMEOUT_MS = 30_000

/** `lilynode demo`: everything through the public command line and API, on a fresh devnet that is torn down again. */
export const runDemo: CommandRun = async (context) => {
  const { output, signal } = context
  const cheat = context.flags['cheat'] === true
  const installMs = await installTime()
  const startedAt = Date.now()
  const root = await mkdtemp(join(tmpdir(), 'lilynode-demo-'))
  output.progress(`data        ${root}`)
  try {
    const devnet = await openDevnet({
      root, providers: 2, solvers: 2, mediators: 1, creators: 1, unitsPerProvider: 5, epochMs: 2000, chainPort: await chainPortOf(root),
      fault: cheat ? 'wrong-result' : undefined, env: childEnvironment(), signal, onProgress: (text) => { output.progress(text) }
    })
    await untilConnected(devnet, signal)
    const meshUp = Date.now() - startedAt
    output.progress(`mesh up     ${devnet.nodes.length + 1} processes in ${(meshUp / 1000).toFixed(1)} s`)
    const creator = devnet.nodes.find((node) => node.role === 'creator') as DevnetNode
    const before = cheat ? await readBalances(devnet) : undefined
    const seed = numberFlag(context, 'seed', { min: 0, max: 2 ** 31, fallback: 1 })
    const others = cheat ? [] : await listOthers(devnet, creator, seed)
    const submit = async (jobs: readonly OtherJob[]): Promise<void> => { await Promise.all(jobs.map((job) => creator.client.submit(job))) }
    output.progress(`book        ${others.length} other jobs to come (seed ${seed})`)
    await submit(others.slice(0, OTHERS_FIRST))
    // The command and the rest at the start of an epoch, so that all meet in one auction.
    await untilBoundary(devnet)
    // The cheat must be able to win: funds are read once an epoch, and its deposit may be younger than that.
    if (cheat) await untilBoundary(devnet)
    const submittedAt = Date.now()
    const [ran] = await Promise.all([runJob(devnet, creator, cheat ? ['--verify', 'audit:1'] : [], output, signal), submit(others.slice(OTHERS_FIRST))])
    const job = await untilSettled(creator, ran.id, signal)
    const deal = job.deals.at(-1)
    if (deal === undefined || job.result === undefined) throw new CliError('DEMO_NO_RESULT', `the job ended ${job.state} without a result`, { data: { job: job.id }, hint: 'Run it again with --keep and look at the node.log files.' })
    const evidence = await collectEvidence(devnet, job, await lanesOf(devnet.network, job))
    const partial: Omit<DemoReport, 'ok' | 'problems'> = {
      job: { id: job.id, dealId: deal.dealId, epoch: deal.epoch, solver: deal.solver, provider: deal.provider, state: job.state, stdout: ran.stdout, exitCode: job.result.exitCode, resultCid: job.result.cid, attempt: job.attempt },
      auction: sharedAuction(evidence.auctions, deal.solver) ?? { epoch: deal.epoch, solutions: [] },
      chain: { txs: transactionsOf(job), gasPerJob: gasOf([deal]) },
      ...(before === undefined ? {} : { balances: { before, after: await readBalances(devnet) } }),
      mesh: { processes: devnet.nodes.length + 1, peers: (await creator.client.status()).peers },
      timingsMs: {
        ...(installMs === undefined ? {} : { install: installMs }), meshUp, matched: (job.matchedAtMs ?? submittedAt) - submittedAt,
        executed: (job.completedAtMs ?? submittedAt) - submittedAt, settled: (job.settledAtMs ?? Date.now()) - submittedAt, total: 0
      }
    }
    const problems = findProblems(partial, job.deals, evidence, { stdout: MESSAGE })
    if (cheat && !job.deals.some((each) => each.state === 'MediationRejected')) problems.push('no deal was rejected by a mediator')
    output.progress('tearing down')
    await devnet.stop()
    const report: DemoReport = { ok: problems.length === 0, problems, ...partial, timingsMs: { ...partial.timingsMs, total: Date.now() - startedAt } }
    output.result(report, () => describeReport(report, devnet))
    return report.ok ? EXIT.ok : EXIT.checkFailed
  } finally {
    await stopDevnet(root)
    if (context.flags['keep'] !== true) await rm(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function installTime (): Promise<number | undefined> {
  const marker = await readFile(SETUP_MARKER, 'utf8').then((text) => JSON.parse(text) as { installMs: number, installedAt: number }, () => undefined)
  return marker !== undefined && Date.now() - marker.installedAt < FRESH_MS ? marker.installMs : undefined
}

/** Every node has peers and the creator's book has the module and all offers. */
async function untilConnected (devnet: Devnet, signal: AbortSignal): Promise<void> {
  const creator = devnet.nodes.find((node) => node.role === 'creator') as DevnetNode
  for (;;) {
    signal.throwIfAborted()
    const book = await creator.client.book()
    const peers = await Promise.all(devnet.nodes.map(async (node) => (await node.client.status()).peers))
    if (peers.every((count) => count >= 2) && book.offers.length >= 10 && book.modules.length >= 2) return
    await wait(50)
  }
}

/** Waits for the next boundary: what is posted then has the whole epoch to spread. */
async function untilBoundary (devnet: Devnet): Promise<void> {
  const { epochMs } = devnet.network.auction
  await wait(epochMs - (Date.now() - devnet.network.deployment.genesisTime * 1000) % epochMs)
}

/** Real jobs beside the demo's own, sized by the offers that are there. */
async function listOthers (devnet: Devnet, creator: DevnetNode, seed: number): Promise<OtherJob[]> {
  const { offers } = await creator.client.book()
  return otherJobs(OTHER_JOBS, seed, { unitCpuMilli: offers.map((offer) => (offer.body as { capacity: { cpuMilli: number } }).capacity.cpuMilli), rules: devnet.network.match })
}

/** The command a user would type, in its own process. */
async function runJob (devnet: Devnet, creator: DevnetNode, flags: readonly string[], output: Output, signal: AbortSignal): Promise<JobView & { stdout: string }> {
  const args = ['run', 'cowsay:v0.0.4', '-i', `Message=${MESSAGE}`, ...flags, '--data', creator.process.root, '--json']
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

async function untilSettled (creator: DevnetNode, id: string, signal: AbortSignal): Promise<JobView> {
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
