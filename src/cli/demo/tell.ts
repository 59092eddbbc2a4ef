import { formatLily } from '../../wire/amount.ts'
import type { JobView, SolutionSummary } from '../../api/facade.ts'
import { memberName, type Devnet, type DevnetNode } from '../devnet/mesh.ts'
import { wait } from '../devnet/processes.ts'
import type { Output } from '../output.ts'

const POLL_MS = 50

/** Shows the life of the next cowsay job as it happens: states, who matched it against whom, where it runs. */
export async function tellJob (devnet: Devnet, creator: DevnetNode, output: Output, signal: AbortSignal): Promise<void> {
  let said = ''
  let matched = -1
  const jobs = async (): Promise<JobView[]> => (await creator.client.jobs().catch(() => [])).filter(({ module }) => module.startsWith('cowsay'))
  const before = (await jobs()).length
  while (!signal.aborted) {
    const job = (await jobs())[before]
    const deal = job?.deals.at(-1)
    if (deal !== undefined && deal.attempt !== matched) {
      const auction = await creator.client.auction(deal.epoch).catch(() => undefined)
      output.progress(`matched     attempt ${deal.attempt + 1}, epoch ${deal.epoch}: to ${memberName(devnet, deal.provider)} by ${rankingText(devnet, deal.solver, auction?.solutions ?? [])}`)
      matched = deal.attempt
    }
    const text = deal === undefined || job === undefined ? job?.state ?? '' : stateText(job.state, deal.state)
    if (text !== said && text !== '') output.progress(`state       ${text}`)
    said = text
    await wait(POLL_MS)
  }
}

/** The deal is ahead of the job for a moment: a result is accepted before its folder is complete, say. */
function stateText (job: string, deal: string): string {
  return job === deal ? job : `${job.padEnd(17)} (deal ${deal})`
}

/** "solver-1 (lp, score 0.01 LILY) against solver-2 (floor, score 0.009 LILY)"; whose pair became the deal stands first. */
function rankingText (devnet: Devnet, winner: string, solutions: readonly SolutionSummary[]): string {
  const text = (solver: string): string => {
    const found = solutions.find((solution) => solution.solver === solver)
    return `${memberName(devnet, solver)}${found === undefined ? '' : ` (${found.engine}, score ${formatLily(found.score)} LILY)`}`
  }
  const others = solutions.filter(({ solver }) => solver !== winner).map(({ solver }) => text(solver))
  return [text(winner), ...others].join(' against ')
}
