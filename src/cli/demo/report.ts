import type { AuctionSummary, DealView, JobView, SolutionSummary, TransactionView } from '../../api/facade.ts'

/** What `demo --json` prints: `protocol/cli.md`. Money is nLILY, times are ms. */
export interface DemoReport {
  ok: boolean
  problems: string[]
  job: { id: string, dealId: string, epoch: number, solver: string, provider: string, state: string, stdout: string, exitCode: number, resultCid: string, attempt: number }
  auction: { epoch: number, solutions: SolutionSummary[] }
  chain: { txs: TransactionView[], gasPerJob: number }
  balances?: { before: Balances, after: Balances }
  mesh: { processes: number, peers: number }
  timingsMs: { install?: number, meshUp: number, matched: number, executed: number, settled: number, total: number }
}

/** Vault accounts by process name, the pool, and what the vault holds in tokens. */
export interface Balances { accounts: Record<string, { free: number, session: number, locked: number, bond: number }>, pool: number, vault: number }

/** The same facts from others: every process's own auction, receipts and contract state from the chain. */
export interface Evidence {
  auctions: Array<{ node: string, auction: AuctionSummary | undefined }>
  receipts: Array<{ hash: string, gas: number, from: string, ok: boolean }>
  laneStates: Array<{ dealId: string, state: string }>
}

/** Lane states that a deal's state must show on chain. */
const ON_CHAIN: Readonly<Record<string, string>> = { ResultsAccepted: 'Settled', MediationRejected: 'MediationRejected', MediationAccepted: 'MediationAccepted', Refunded: 'Refunded', TimedOut: 'TimedOut' }

/**
 * What of a report does not agree with the evidence, in sentences; empty when all of it does. Pure: tests alter a field and
 * see it named.
 */
export function findProblems (report: Omit<DemoReport, 'ok' | 'problems'>, deals: readonly DealView[], evidence: Evidence, expected: { stdout: string }): string[] {
  const problems: string[] = []
  const check = (holds: boolean, sentence: string): void => { if (!holds) problems.push(sentence) }
  const { job, auction } = report
  check(job.state === 'ResultsAccepted' || job.state === 'MediationAccepted', `the job ended ${job.state}`)
  check(job.exitCode === 0, `the program exited with ${job.exitCode}`)
  check(job.stdout.includes(expected.stdout), `the output does not contain "${expected.stdout}"`)

  const winner = auction.solutions.find((solution) => solution.winner)
  check(winner !== undefined, 'no solution won the auction')
  check(auction.solutions.every((solution) => solution.score <= (winner?.score ?? 0)), 'a solution scores higher than the winner')
  check(winner?.solver === job.solver, `the deal pays ${job.solver}, the winner is ${winner?.solver ?? 'nobody'}`)
  for (const ours of auction.solutions) {
    const found = evidence.auctions.map(({ node, auction: theirs }) => {
      const other = solutionOf(theirs, ours.solver)
      return `${node} ${other?.engine ?? ''} ${other?.score ?? 'nothing'}`
    })
    check(isConfirmed(ours, evidence.auctions), `the report scores ${ours.engine} with ${ours.score}, no two processes do: ${found.join(', ')}`)
  }

  for (const transaction of report.chain.txs) {
    const receipt = evidence.receipts.find((candidate) => candidate.hash === transaction.hash)
    check(receipt?.ok === true, `${transaction.name} ${transaction.hash} has no successful receipt`)
    if (receipt === undefined) continue
    check(receipt.gas === transaction.gas, `${transaction.name} used ${receipt.gas} gas, the report says ${transaction.gas}`)
    check(receipt.from === transaction.from, `${transaction.name} was sent by ${receipt.from}, the report says ${transaction.from}`)
  }
  const gas = gasOf(deals.filter((deal) => deal.dealId === job.dealId))
  check(gas === report.chain.gasPerJob, `the last deal used ${gas} gas, the report says ${report.chain.gasPerJob}`)
  for (const deal of deals) {
    const onChain = evidence.laneStates.find((lane) => lane.dealId === deal.dealId)?.state
    // A lane that a later deal took over says nothing about this one any more.
    check(onChain === undefined || onChain === 'None' || onChain === ON_CHAIN[deal.state], `deal ${deal.dealId} is ${deal.state} here and ${onChain ?? '?'} on chain`)
  }
  if (report.balances !== undefined) {
    for (const [when, balances] of Object.entries(report.balances)) {
      const sum = Object.values(balances.accounts).reduce((total, { free, session, locked, bond }) => total + free + session + locked + bond, balances.pool)
      check(sum === balances.vault, `${when}: accounts and pool add up to ${sum}, the vault holds ${balances.vault}`)
    }
  }
  return problems
}

/**
 * The auction of a deal as most processes that say its winner saw it. Each scores by the book as it saw it: one that stalled
 * may differ, and one that did not see the winner knows nothing of the deal.
 */
export function sharedAuction (auctions: Evidence['auctions'], solver: string): AuctionSummary | undefined {
  const views = auctions.flatMap(({ auction }) => auction?.solutions.some((solution) => solution.winner && solution.solver === solver) === true ? [auction] : [])
  const sharing = (view: AuctionSummary): number => views.filter((other) => JSON.stringify(other) === JSON.stringify(view)).length
  return views.sort((left, right) => sharing(right) - sharing(left))[0]
}

const solutionOf = (auction: AuctionSummary | undefined, solver: string): SolutionSummary | undefined => auction?.solutions.find((solution) => solution.solver === solver)

/** Whether two processes say the same of a solution. */
function isConfirmed (ours: SolutionSummary, auctions: Evidence['auctions']): boolean {
  return auctions.filter(({ auction }) => {
    const other = solutionOf(auction, ours.solver)
    return other?.score === ours.score && other.engine === ours.engine && other.matches === ours.matches && other.winner === ours.winner
  }).length >= 2
}

/** Whether an auction was one: it has a winner, and of each solution two processes say the same. */
export function isShared (auction: AuctionSummary, auctions: Evidence['auctions']): boolean {
  return auction.solutions.some(({ winner }) => winner) && auction.solutions.every((solution) => isConfirmed(solution, auctions))
}

/** Gas of everything that some deals put on chain. */
export function gasOf (deals: readonly DealView[]): number {
  return deals.flatMap((deal) => deal.transactions).reduce((sum, { gas, leaves = 1 }) => sum + Math.ceil(gas / leaves), 0)
}

/** The transactions of a job, each once. */
export function transactionsOf (job: Pick<JobView, 'deals'>): DemoReport['chain']['txs'] {
  return [...new Map(job.deals.flatMap((deal) => deal.transactions).map((transaction) => [transaction.hash, transaction])).values()]
}
