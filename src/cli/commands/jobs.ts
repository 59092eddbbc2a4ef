import type { JobView } from '../../api/facade.ts'
import { formatLily } from '../../wire/amount.ts'
import { EXIT } from '../exit-codes.ts'
import { requireNode } from '../node-client.ts'
import { formatTable } from '../output.ts'
import type { CommandRun } from './context.ts'

/** `lilynode jobs`. */
export const runJobs: CommandRun = async ({ flags, output, root }) => {
  const jobs = await (await requireNode({ root, flags })).jobs()
  output.result(jobs, () => jobs.length === 0
    ? 'no jobs'
    : formatTable([['JOB', 'MODULE', 'STATE', 'ATTEMPT', 'EXIT', 'RESULT'], ...jobs.map((job) => [job.id.slice(0, 14), job.module, job.state, String(job.attempt + 1), job.result === undefined ? '' : String(job.result.exitCode), job.result?.cid ?? ''])]))
  return EXIT.ok
}

/** `lilynode job ID`. */
export const runJob: CommandRun = async ({ args, flags, output, root }) => {
  const job = await (await requireNode({ root, flags })).job(args[0] ?? '')
  output.result(job, () => describeJob(job))
  return EXIT.ok
}

/** `lilynode cancel ID`. */
export const runCancel: CommandRun = async ({ args, flags, output, root }) => {
  const job = await (await requireNode({ root, flags })).cancel(args[0] ?? '')
  output.result(job, `${job.id} ${job.state}`)
  return EXIT.ok
}

/** `lilynode explain ID`, of a job or with `--offer` of an offer. */
export const runExplain: CommandRun = async ({ args, flags, output, root }) => {
  const node = await requireNode({ root, flags })
  const report = await (flags['offer'] === true ? node.explainOffer : node.explain)(args[0] ?? '') as { summary?: string[] }
  output.result(report, () => (report.summary ?? [JSON.stringify(report, undefined, 2)]).join('\n'))
  return EXIT.ok
}

/** A job for people. */
export function describeJob (job: JobView): string {
  const lines = [`job      ${job.id}`, `module   ${job.module}`, `state    ${job.state}${job.problem === undefined ? '' : ` (${job.problem.code}: ${job.problem.message})`}`, `limit    ${formatLily(job.limit)} LILY`]
  for (const deal of job.deals) {
    lines.push(`deal     ${deal.dealId} attempt ${deal.attempt + 1}: ${deal.state}${deal.problem === undefined ? '' : ` (${deal.problem.code}: ${deal.problem.message})`}`, `         provider ${deal.provider}, solver ${deal.solver}, epoch ${deal.epoch}`, `         price ${formatLily(deal.price)} LILY, fee ${formatLily(deal.fee)}, collateral ${formatLily(deal.collateral)}`)
    for (const transaction of deal.transactions) lines.push(`         ${transaction.name} ${transaction.hash} gas ${transaction.gas}`)
  }
  if (job.result !== undefined) lines.push(`result   ${job.result.cid}`, `folder   ${job.result.path}`, `exit     ${job.result.exitCode} (${job.result.reason})`)
  return lines.join('\n')
}
