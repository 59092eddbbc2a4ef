import type { JobView } from '../../api/facade.ts'
import { isOver } from '../../api/routes.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import { formatLily } from '../../wire/amount.ts'
import { wait } from '../devnet/processes.ts'
import { CliError } from '../errors.ts'
import { findNode, nodeRoots, type NodeClient } from '../node-client.ts'
import type { Output } from '../output.ts'
import { textFlag, type CommandContext } from './context.ts'

/** While the node is away, it is looked for this often. */
const RECONNECT_MS = 1_000
const AWAY = 'away'
/** A few epochs of a devnet; on a public network one. */
const ADVISE_MS = 8_000

/** Waits for the job's end, telling of each change. Survives a restart of the node. */
export async function followJob (client: NodeClient, first: JobView, timeoutSeconds: number | undefined, context: CommandContext): Promise<JobView> {
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
