import type { Advice } from '../match/advice.ts'
import type { Explanation } from '../match/explain.ts'
import type { Job } from '../roles/creator/job.ts'

/** An explanation for people, line by line. */
export function explanationText (job: Job, explanation: Explanation): string[] {
  const lines = [`job ${job.id}: ${job.state}`]
  if (job.problem !== undefined) lines.push(`last problem: ${job.problem.code}: ${job.problem.message}`)
  if (explanation.state === 'unknown') {
    lines.push(job.deals.length > 0 ? 'it has a deal, so it is not in the book' : 'it is not in the auction: not in the book yet, or the vault does not cover its limit')
    return lines
  }
  lines.push(`${explanation.total} offers in the book, ${explanation.admissible} can take it`)
  for (const step of explanation.steps) lines.push(`  ${step.reason.padEnd(12)} ${step.fails} fail, ${step.remaining} left`)
  if (explanation.state === 'outbid') lines.push('it can match; it waits for the next epoch, or jobs that pay more come first')
  for (const miss of explanation.nearest) lines.push(`  nearest ${miss.id.slice(0, 14)}: ${miss.advice.map(adviceText).join('; ')}`)
  return lines
}

function adviceText (advice: Advice): string {
  return advice.text
}
