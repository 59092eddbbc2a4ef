import type { DealView, JobView } from '../api/facade.ts'
import { isOver } from '../api/routes.ts'
import type { Explanation } from '../match/explain.ts'

/** An explanation for people, line by line: how the job stands, what became of its attempts, and what stands in its way in the book. */
export function explanationText (job: JobView, explanation: Explanation): string[] {
  const lines = [`job ${job.id}: ${job.state}`, ...job.deals.map(dealText)]
  if (job.problem !== undefined) lines.push(`last problem: ${job.problem.code}: ${job.problem.message}`)
  if (isOver(job)) {
    if (job.result !== undefined) lines.push(`it is over: exit code ${job.result.exitCode} (${job.result.reason}), result ${job.result.cid}`)
    return lines
  }
  if (explanation.state === 'unknown') {
    lines.push(job.state === 'DealNegotiating' && job.deals.length === 0 ? 'it is not in the auction: not in the book yet, or the vault does not cover its limit' : 'it has a deal, so it is not in the book')
    return lines
  }
  lines.push(`${explanation.total} offers in the book, ${explanation.admissible} can take it`)
  for (const step of explanation.steps) lines.push(`  ${step.reason.padEnd(12)} ${step.fails} fail, ${step.remaining} left`)
  if (explanation.state === 'outbid') lines.push('it can match; it waits for the next epoch, or jobs that pay more come first')
  for (const miss of explanation.nearest) lines.push(`  nearest ${miss.id.slice(0, 14)}: ${miss.advice.map(({ text }) => text).join('; ')}`)
  return lines
}

function dealText ({ attempt, provider, state, problem }: DealView): string {
  return `attempt ${attempt + 1} at ${provider}: ${state}${problem === undefined ? '' : `; ${problem.code}: ${problem.message}`}`
}
