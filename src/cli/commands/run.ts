import { cp, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { formatLily } from '../../wire/amount.ts'
import { wait } from '../devnet/processes.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { findNode, nodeRoots, requireNode, type NodeClient } from '../node-client.ts'
import { textFlag, type CommandContext, type CommandRun } from './context.ts'
import { followJob } from './run-follow.ts'
import { claimFolder, optionalNumber, requestOf } from './run-request.ts'

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
  const job = await followJob(client, submitted, timeoutSeconds, context)
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
