import { access, constants, cp, lstat, mkdir, readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { JobView } from '../../api/facade.ts'
import { isOver } from '../../api/routes.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import { formatLily } from '../../wire/amount.ts'
import { parseLily } from '../amounts.ts'
import { wait } from '../devnet/processes.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { findNode, nodeRoots, requireNode, type NodeClient } from '../node-client.ts'
import type { Output } from '../output.ts'
import { listFlag, numberFlag, parseAddress, textFlag, type CommandContext, type CommandRun } from './context.ts'

/** Files of --input travel inside one request. */
const MAX_INPUT_BYTES = 64 * 2 ** 20
/** While the node is away, it is looked for this often. */
const RECONNECT_MS = 1_000
const AWAY = 'away'
/** A few epochs of a devnet; on a public network one. */
const ADVISE_MS = 8_000
/** Connecting and reconciling a book takes a second or two. */
const JOIN_TIMEOUT_MS = 15_000
const JOIN_POLL_MS = 100

/** `lilynode run MODULE`: submits, shows each state as it happens, prints the program's output. */
export const runRun: CommandRun = async (context) => {
  // Everything that can be wrong with the command is found before the job exists.
  const request = await requestOf(context)
  const timeoutSeconds = optionalNumber(context, 'timeout', 86_400)
  const outputFolder = textFlag(context, 'output')
  if (outputFolder !== undefined) await claimFolder(outputFolder)
  const found = await findNode(nodeRoots(context.root), textFlag(context, 'on'))
  const own = found === undefined && textFlag(context, 'network') !== undefined
    // A whole node's code, which a command against a running node does not need.
    ? await (await import('../start-node.ts')).startNode({ root: context.root, networks: [{ path: textFlag(context, 'network') }], roles: ['creator'], logLevel: 'silent' })
    : undefined
  try {
    const client = found ?? (own === undefined ? await requireNode(context) : own.client)
    if (own !== undefined) await untilJoined(own.client, context.signal)
    return await submitAndFollow(client, request, { outputFolder, timeoutSeconds }, context)
  } finally {
    await own?.stop()
  }
}

/** A node that has just started knows the market once its book equals a peer's. Alone it goes on after a while: what is missing has its own error. */
async function untilJoined (client: NodeClient, signal: AbortSignal): Promise<void> {
  const until = Date.now() + JOIN_TIMEOUT_MS
  while (Date.now() < until && !(await client.peers()).some((peer) => peer.book?.equal === true)) {
    signal.throwIfAborted()
    await wait(JOIN_POLL_MS)
  }
}

async function submitAndFollow (client: NodeClient, request: unknown, options: { outputFolder: string | undefined, timeoutSeconds: number | undefined }, context: CommandContext): Promise<number> {
  const { output } = context
  const { outputFolder, timeoutSeconds } = options
  const submitted = await client.submit(request)
  output.progress(`submitted   ${submitted.id}  ${submitted.module}, limit ${formatLily(submitted.limit)} LILY`)
  if (context.flags['detach'] === true) {
    output.result(submitted, submitted.id)
    return EXIT.ok
  }
  const job = await follow(client, submitted, timeoutSeconds, context)
  if (job.result === undefined) {
    throw new CliError(job.problem?.code ?? 'JOB_TIMED_OUT', job.problem?.message ?? `job ${job.id} ended ${job.state}`, { data: { job: job.id, state: job.state }, hint: `lilynode explain ${job.id.slice(0, 14)}` })
  }
  if (outputFolder !== undefined) {
    await cp(job.result.path, outputFolder, { recursive: true })
  }
  const folder = outputFolder === undefined ? job.result.path : resolve(outputFolder)
  const [stdout, stderr] = await Promise.all(['stdout', 'stderr'].map(async (name) => await readFile(join(folder, name))))
  if (output.json) output.result({ ...job, stdout: String(stdout), stderr: String(stderr), folder }, '')
  else output.streams(stdout as Buffer, stderr as Buffer)
  output.progress(`result      ${job.result.cid}\nfolder      ${folder}`)
  if (job.result.exitCode !== 0 || job.result.reason !== 'exited') {
    output.progress(`exit code   ${job.result.exitCode} (${job.result.reason})`)
    return EXIT.jobFailed
  }
  return EXIT.ok
}

/** Waits for the job's end, telling of each change. Survives a restart of the node. */
async function follow (client: NodeClient, first: JobView, timeoutSeconds: number | undefined, context: CommandContext): Promise<JobView> {
  const { output } = context
  const timeout = timeoutSeconds === undefined ? undefined : AbortSignal.timeout(timeoutSeconds * 1000)
  const signal = timeout === undefined ? context.signal : AbortSignal.any([context.signal, timeout])
  const short = first.id.slice(0, 14)
  const hint = `It goes on; see "lilynode job ${short}" and "lilynode explain ${short}", or end it with "lilynode cancel ${short}".`
  const adviser = createAdviser(client, first.id, output)
  let last = first
  let said = ''
  try {
    while (!isOver(last)) {
      try {
        const follows = await findNode(nodeRoots(context.root), textFlag(context, 'on')) ?? client
        for await (const job of follows.events(first.id, signal)) {
          last = job
          said = tell(output, job, said)
          adviser.note(job)
        }
        if (!isOver(last)) last = await follows.job(first.id)
      } catch (error) {
        // A node that restarts goes on with its jobs, and is asked again until the user has had enough.
        if (signal.aborted || errorCode(error) !== 'API_UNREACHABLE') throw error
        if (said !== AWAY) output.progress(`waiting     ${errorMessage(error)}`)
        said = AWAY
        await wait(RECONNECT_MS)
      }
      signal.throwIfAborted()
    }
  } catch (error) {
    if (timeout?.aborted === true) throw new CliError('JOB_TIMED_OUT', `job ${first.id} is ${last.state} after ${timeoutSeconds} s`, { data: { job: first.id, state: last.state }, hint })
    if (context.signal.aborted) throw new CliError('CLI_INTERRUPTED', `stopped waiting for job ${first.id}, which is ${last.state}`, { data: { job: first.id, state: last.state }, hint })
    throw error
  } finally {
    adviser.stop()
  }
  return last
}

/** A job that nobody takes says why: what `explain` knows, when it has waited for some epochs. */
function createAdviser (client: NodeClient, id: string, output: Output): { note: (job: JobView) => void, stop: () => void } {
  let timer: NodeJS.Timeout | undefined
  let said = ''
  const advise = async (): Promise<void> => {
    const { summary } = await client.explain(id) as { summary: string[] }
    const text = summary.slice(1).map((line) => line.trim()).find((line) => line.startsWith('nearest')) ?? summary[1] ?? ''
    if (text !== said && text !== '') output.progress(`waiting     no match yet: ${text}`)
    said = text
  }
  return {
    note: (job) => {
      const waits = job.state === 'DealNegotiating' && (job.deals.at(-1)?.state ?? 'TimedOut') !== 'DealNegotiating'
      if (!waits) clearInterval(timer)
      // What keeps a node from answering is told elsewhere.
      else if (timer === undefined && !output.json) timer = setInterval(() => { advise().catch(() => undefined) }, ADVISE_MS).unref()
      if (!waits) timer = undefined
    },
    stop: () => { clearInterval(timer) }
  }
}

function tell (output: Output, job: JobView, said: string): string {
  const deal = job.deals.at(-1)
  const text = deal === undefined || job.state === 'DealNegotiating' && deal.state !== 'DealNegotiating'
    ? `${job.state}${job.attempt > 0 ? ` (attempt ${job.attempt + 1})` : ''}`
    : `${job.state.padEnd(18)} epoch ${deal.epoch}, provider ${deal.provider.slice(0, 10)}, solver ${deal.solver.slice(0, 10)}, price ${formatLily(deal.price)} LILY`
  if (text !== said) output.progress(`state       ${text}`)
  return text
}

async function requestOf (context: CommandContext): Promise<Record<string, unknown>> {
  const inputs: Record<string, string> = {}
  for (const pair of listFlag(context, 'inputValue')) {
    const at = pair.indexOf('=')
    if (at < 1) throw new CliError('USAGE_INPUT', `-i ${pair} is not K=V`, { data: { input: pair }, hint: 'Write -i Message=moo.' })
    const name = pair.slice(0, at)
    if (name in inputs) throw new CliError('USAGE_INPUT', `-i ${name} is given twice`, { data: { input: name }, hint: 'Every input has one value.' })
    inputs[name] = pair.slice(at + 1)
  }
  const module = context.args[0] ?? ''
  if (module === '') throw new CliError('USAGE_INVALID', 'no module is named', { hint: 'Write lilynode run cowsay:v0.0.4 -i Message=moo.' })
  const folder = textFlag(context, 'input')
  const maxPrice = textFlag(context, 'maxPrice')
  const verify = textFlag(context, 'verify')
  const optional: Record<string, unknown> = {
    files: folder === undefined ? undefined : await readFolder(folder),
    maxPrice: maxPrice === undefined ? undefined : parseLily(maxPrice),
    verification: verify === undefined ? undefined : parseStrategy(verify),
    runSeconds: optionalNumber(context, 'runSeconds', 604_800), cpuMilli: optionalNumber(context, 'cpu', 1_000_000), memoryMiB: optionalNumber(context, 'memory', 4096), diskMiB: optionalNumber(context, 'disk', 256)
  }
  return {
    module: module.endsWith('.wasm') ? resolve(module) : module,
    inputs,
    args: listFlag(context, 'arg'),
    targets: listFlag(context, 'target').map(parseAddress),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
  }
}

/** The folder for -o: made now, and empty, so that what lies there in the end is the result alone. Throws CliError USAGE_OUTPUT. */
async function claimFolder (folder: string): Promise<void> {
  const refuse = (message: string, cause?: unknown): CliError => new CliError('USAGE_OUTPUT', `-o ${folder}: ${message}`, { data: { folder }, cause, hint: 'Name a new or an empty folder.' })
  if (folder === '') throw refuse('no folder is named')
  try {
    await mkdir(folder, { recursive: true })
    await access(folder, constants.W_OK)
  } catch (error) {
    throw refuse(`no folder can be made there (${errorMessage(error)})`, error)
  }
  if ((await readdir(folder)).length > 0) throw refuse('the folder is not empty')
}

function optionalNumber (context: CommandContext, name: string, max: number): number | undefined {
  return textFlag(context, name) === undefined ? undefined : numberFlag(context, name, { min: 1, max, fallback: 1 })
}

/** "none", "receipt" or "audit:P". Throws CliError USAGE_VERIFY. */
export function parseStrategy (text: string): { strategy: string, auditBp: number } {
  if (text === 'none' || text === 'receipt') return { strategy: text, auditBp: 0 }
  const match = /^audit:(0(?:\.\d{1,4})?|1(?:\.0{1,4})?)$/.exec(text)
  if (match === null) throw new CliError('USAGE_VERIFY', `"${text}" is no verification strategy`, { data: { strategy: text }, hint: 'Use none, receipt or audit:P with P from 0 to 1, like audit:0.1.' })
  return { strategy: 'audit', auditBp: Math.round(Number(match[1]) * 10_000) }
}

async function readFolder (folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  let bytes = 0
  const walk = async (path: string, prefix: string): Promise<void> => {
    for (const name of (await readdir(path)).sort()) {
      const full = join(path, name)
      const info = await lstat(full)
      if (info.isDirectory()) {
        await walk(full, `${prefix}${name}/`)
        continue
      }
      // A link would carry whatever it points to, which is rarely what was meant.
      if (!info.isFile()) throw new CliError('USAGE_INPUT', `${full} is not a plain file`, { data: { path: full }, hint: 'Copy the file itself into the input folder.' })
      bytes += info.size
      if (bytes > MAX_INPUT_BYTES) throw new CliError('USAGE_INPUT', `the input folder is larger than ${MAX_INPUT_BYTES} bytes`, { data: { folder }, hint: 'Pass less, or let the program make its data itself.' })
      files[`${prefix}${name}`] = (await readFile(full)).toString('base64')
    }
  }
  try {
    await walk(folder, '')
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError('USAGE_INPUT', `cannot read the input folder ${folder}: ${errorMessage(error)}`, { data: { folder }, cause: error, hint: 'Name a folder that you can read.' })
  }
  return files
}
