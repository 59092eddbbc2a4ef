import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DealView, JobView } from '../../api/facade.ts'
import { childEnvironment } from '../../config/paths.ts'
import { describeReport } from '../demo/describe.ts'
import { collectEvidence, lanesOf, readBalances } from '../demo/evidence.ts'
import { otherJobs, type OtherJob } from '../demo/other-jobs.ts'
import { findProblems, gasOf, isShared, sharedAuction, transactionsOf, type DemoReport, type Evidence } from '../demo/report.ts'
import { runJob, untilSettled } from '../demo/run-job.ts'
import { openDevnet, stopDevnet, type Devnet, type DevnetNode } from '../devnet/mesh.ts'
import { wait } from '../devnet/processes.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../errors.ts'
import type { Output } from '../output.ts'
import { chainPortOf } from './devnet.ts'
import { numberFlag, type CommandRun } from './context.ts'

const SETUP_MARKER = fileURLToPath(new URL('../../../node_modules/.lilynode-setup.json', import.meta.url))
const PROVIDERS = 2
const UNITS = 5
const OFFERS = PROVIDERS * UNITS
const OTHER_JOBS = 30
/** Posted as soon as the mesh is up: the creator has its content store loaded when the rest come. */
const OTHERS_FIRST = 2
const MESSAGE = 'moo'
/** Times that the job is shown again when a machine was too loaded for its auction to be one. */
const MOST_AGAIN = 2
/** A marker younger than this belongs to the install that this command just did. */
const FRESH_MS = 30_000

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
      root, providers: PROVIDERS, solvers: 2, mediators: 1, creators: 1, unitsPerProvider: UNITS, epochMs: 2000, chainPort: await chainPortOf(root),
      fault: cheat ? 'wrong-result' : undefined, env: childEnvironment(), signal, onProgress: (text) => { output.progress(text) }
    })
    await untilConnected(devnet, signal)
    const meshUp = Date.now() - startedAt
    output.progress(`mesh up     ${devnet.nodes.length + 1} processes in ${(meshUp / 1000).toFixed(1)} s`)
    const creator = devnet.nodes.find((node) => node.role === 'creator') as DevnetNode
    const before = cheat ? await readBalances(devnet) : undefined
    const seed = numberFlag(context, 'seed', { min: 0, max: 2 ** 31, fallback: 1 })
    const others = cheat ? [] : await listOthers(devnet, creator, seed)
    output.progress(`book        ${others.length} other jobs to come (seed ${seed})`)
    const flags = cheat ? ['--verify', 'audit:1'] : []
    const show = async (): Promise<Shown> => await showJob(devnet, creator, { others, flags, epochsBefore: cheat ? 2 : 1, output, signal })
    let shown = await show()
    for (let again = 0; again < MOST_AGAIN && !cheat && !isShared(shown.auction, shown.evidence.auctions); again++) {
      output.progress(`again       records came to some processes after epoch ${shown.auction.epoch} had closed: they score it differently`)
      shown = await show()
    }
    const { job, deal, auction, evidence, submittedAt } = shown
    const partial: Omit<DemoReport, 'ok' | 'problems'> = {
      job: { id: job.id, dealId: deal.dealId, epoch: deal.epoch, solver: deal.solver, provider: deal.provider, state: job.state, stdout: shown.stdout, exitCode: shown.result.exitCode, resultCid: shown.result.cid, attempt: job.attempt },
      auction,
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

interface Shown extends Pick<DemoReport, 'auction'> { job: JobView, deal: DealView, result: NonNullable<JobView['result']>, stdout: string, evidence: Evidence, submittedAt: number }

/** Runs the demo's job among others until it is paid, and asks every process what it knows of it. */
async function showJob (devnet: Devnet, creator: DevnetNode, options: { others: readonly OtherJob[], flags: readonly string[], epochsBefore: number, output: Output, signal: AbortSignal }): Promise<Shown> {
  const { others, flags, epochsBefore, output, signal } = options
  const submit = async (jobs: readonly OtherJob[]): Promise<void> => { await Promise.all(jobs.map((job) => creator.client.submit(job))) }
  await submit(others.slice(0, OTHERS_FIRST))
  // The command and the rest at the start of an epoch, so that all meet in one auction; the cheat an epoch later, since it
  // must be able to win: funds are read once an epoch, and its deposit may be younger than that.
  for (let epoch = 0; epoch < epochsBefore; epoch++) await untilBoundary(devnet)
  const submittedAt = Date.now()
  const [ran] = await Promise.all([runJob(devnet, creator, { message: MESSAGE, flags, output, signal }), submit(others.slice(OTHERS_FIRST))])
  const job = await untilSettled(creator, ran.id, signal)
  const deal = job.deals.at(-1)
  if (deal === undefined || job.result === undefined) throw new CliError('DEMO_NO_RESULT', `the job ended ${job.state} without a result`, { data: { job: job.id }, hint: 'Run it again with --keep and look at the node.log files.' })
  const evidence = await collectEvidence(devnet, job, await lanesOf(devnet.network, job))
  const auction = sharedAuction(evidence.auctions, deal.solver) ?? { epoch: deal.epoch, solutions: [] }
  return { job, deal, auction, result: job.result, stdout: ran.stdout, evidence, submittedAt }
}

/** Every node has peers, and the modules and all offers are in its book. */
async function untilConnected (devnet: Devnet, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const ready = await Promise.all(devnet.nodes.map(async ({ client }) => {
      const [book, { peers }] = await Promise.all([client.book(), client.status()])
      return peers >= 2 && book.offers.length >= OFFERS && book.modules.length >= 2
    }))
    if (ready.every(Boolean)) return
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
