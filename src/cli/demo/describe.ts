import { formatLily } from '../../wire/amount.ts'
import { memberName, type Devnet } from '../devnet/mesh.ts'
import { formatTable } from '../output.ts'
import type { Balances, DemoReport } from './report.ts'

/** A report for people. */
export function describeReport (report: DemoReport, devnet: Devnet): string {
  const name = (account: string): string => memberName(devnet, account)
  const { job, auction, chain, timingsMs, mesh } = report
  const tie = auction.solutions.length > 1 && auction.solutions[0]?.score === auction.solutions[1]?.score
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  return [
    '', job.stdout.replace(/\n$/, ''), '',
    `result      ${job.resultCid} (exit code ${job.exitCode})`,
    `where       ${name(job.provider)}, attempt ${job.attempt + 1}, deal ${job.dealId}`,
    `auction     epoch ${auction.epoch}${tie ? ', a tie' : ''}`,
    ...auction.solutions.map((solution) => `  ${solution.winner ? '*' : ' '} ${name(solution.solver).padEnd(12)} ${solution.engine.padEnd(8)} score ${formatLily(solution.score).padStart(14)} LILY, ${solution.matches} matches`),
    'chain', ...chain.txs.map((transaction) => `    ${transaction.name.padEnd(12)} gas ${String(transaction.gas).padStart(7)}  ${transaction.hash}  by ${name(transaction.from)}${transaction.leaves === undefined ? '' : `, ${transaction.leaves} deal${transaction.leaves === 1 ? '' : 's'}`}`),
    `    gas of the paid deal: ${chain.gasPerJob}`,
    ...(report.balances === undefined ? [] : describeBalances(report.balances)),
    `mesh        ${mesh.processes} processes, ${mesh.peers} peers at the creator`,
    `time        ${timingsMs.install === undefined ? '' : `install ${seconds(timingsMs.install)}, `}mesh ${seconds(timingsMs.meshUp)}; from submission: matched ${seconds(timingsMs.matched)}, result ${seconds(timingsMs.executed)}, settled ${seconds(timingsMs.settled)}; total ${seconds(timingsMs.total)}`,
    report.ok ? 'ok: every figure above was checked against other processes and the chain' : `NOT OK:\n  ${report.problems.join('\n  ')}`
  ].join('\n')
}

function describeBalances ({ before, after }: NonNullable<DemoReport['balances']>): string[] {
  const worth = (balances: Balances, account: string): number => Object.values(balances.accounts[account] ?? {}).reduce((sum, part) => sum + part, 0)
  const row = (label: string, from: number, to: number): string[] => [`    ${label}`, formatLily(from), formatLily(to), formatLily(to - from)]
  return ['balances in the vault (LILY)', formatTable([
    ['', 'BEFORE', 'AFTER', 'CHANGE'],
    ...Object.keys(after.accounts).map((account) => row(account, worth(before, account), worth(after, account))),
    row('pool', before.pool, after.pool), row('vault holds', before.vault, after.vault)
  ])]
}
