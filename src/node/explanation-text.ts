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
  const outbid = explanation.rival === undefined ? 'it can match; it waits for the next epoch, or jobs that pay more come first' : 'it can match; in the last auction other jobs came first'
  return [...lines, `${explanation.total} offers in the book, ${explanation.admissible} can take it`, ...stepsText(explanation), ...outbidText(explanation, outbid), ...nearestText(explanation)]
}

/** The same of an offer: why it stays idle. */
export function offerText (explanation: Explanation): string[] {
  if (explanation.state === 'unknown') return [`offer ${explanation.id}: not in the auction: no longer valid, or its account has nothing free to lock`]
  const outbid = 'jobs can run on it; they sit elsewhere, or wait for the next epoch'
  return [`offer ${explanation.id}: ${explanation.total} jobs in the book, ${explanation.admissible} can run on it`, ...stepsText(explanation), ...outbidText(explanation, outbid), ...nearestText(explanation)]
}

const stepsText = ({ steps }: Explanation): string[] => steps.map(({ reason, fails, remaining }) => `  ${reason.padEnd(12)} ${fails} fail, ${remaining} left`)

const nearestText = ({ nearest }: Explanation): string[] => nearest.map(({ id, advice }) => `  nearest ${id.slice(0, 14)}: ${advice.map(({ text }) => text).join('; ')}`)

function outbidText ({ state, rival }: Explanation, text: string): string[] {
  if (state !== 'outbid') return []
  return rival === undefined ? [text] : [text, `  nearest ${rival.id.slice(0, 14)}: ${rival.advice.text}`]
}

function dealText ({ attempt, provider, state, problem }: DealView): string {
  return `attempt ${attempt + 1} at ${provider}: ${state}${problem === undefined ? '' : `; ${problem.code}: ${problem.message}`}`
}
