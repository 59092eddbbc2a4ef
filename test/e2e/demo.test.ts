import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { DemoReport } from '../../src/cli/demo/report.ts'
import { openSandbox, processesOf } from '../support/lilynode.ts'

// Half a minute each on an idle machine.
t.setTimeout(400_000)

const HASH = /^0x[0-9a-f]{64}$/
const ACCOUNT = /^0x[0-9a-f]{40}$/
const AUDIT_FEE = 5_000_000
const CLAIM_FEE = 1_000_000

async function demo (t: Test, ...flags: string[]): Promise<DemoReport> {
  const sandbox = await openSandbox('demo')
  t.teardown(sandbox.close)
  const result = await sandbox.run(['demo', '--json', ...flags])
  t.equal(result.code, 0, `exit 0: ${result.stderr}${result.stdout}`)
  t.equal(result.stdout.trimEnd().split('\n').length, 1, 'stdout is one line')
  t.equal(result.stderr, '', 'nothing on stderr')
  t.same(processesOf(sandbox.root), [], 'nothing left running')
  t.same((await readdir(join(sandbox.root, 'tmp'))).filter((name) => name.startsWith('lilynode')), [], 'the data folder is gone')
  t.equal(await sandbox.strays(), '', 'no connection left the machine')
  return result.json<DemoReport>()
}

/** What solvers committed to; a node that sees no reveal in time may post the floor beside it. */
const committed = (report: DemoReport): DemoReport['auction']['solutions'] => report.auction.solutions.filter(({ fallback }) => !fallback)

t.test('demo: one line tells the whole life of the job', async (t) => {
  // On a loaded machine a solver may miss an epoch's deadline, or a provider its start; they do not miss three.
  let report = await demo(t)
  for (let again = 0; again < 2 && (committed(report).length < 2 || report.job.attempt > 0); again++) report = await demo(t)
  t.match(report, {
    ok: true, problems: [],
    job: { id: HASH, dealId: HASH, epoch: Number, solver: ACCOUNT, provider: ACCOUNT, state: 'ResultsAccepted', stdout: /moo/, exitCode: 0, resultCid: /^baf/ },
    mesh: { processes: 8, peers: Number },
    timingsMs: { meshUp: Number, matched: Number, executed: Number, settled: Number, total: Number }
  })
  const solutions = committed(report)
  t.equal(solutions.length, 2, 'both solvers revealed')
  t.equal(new Set(solutions.map((solution) => solution.engine)).size, 2, 'with different engines')
  t.equal(new Set(solutions.map((solution) => solution.solver)).size, 2)
  for (const solution of solutions) t.match(solution, { solver: ACCOUNT, engine: String, score: Number, matches: Number, winner: Boolean })
  const all = report.auction.solutions
  t.equal(all.filter((solution) => solution.winner).length, 1, 'one winner')
  t.equal(all.find((solution) => solution.winner)?.score, Math.max(...all.map((solution) => solution.score)), 'with the best score')
  t.same(report.chain.txs.map((transaction) => transaction.name).sort(), ['commit', 'settle'])
  for (const transaction of report.chain.txs) {
    t.match(transaction, { hash: HASH, from: ACCOUNT })
    t.ok(transaction.gas > 21_000)
  }
  t.equal(report.chain.gasPerJob, report.chain.txs.reduce((sum, { gas, leaves = 1 }) => sum + Math.ceil(gas / leaves), 0))
  const { matched, executed, settled, total } = report.timingsMs
  t.ok(matched <= executed && executed <= settled && settled <= total, 'phases follow each other')
})

t.test('demo --cheat: caught, slashed, made whole, done again by the honest one', async (t) => {
  const report = await demo(t, '--cheat')
  t.match(report, { ok: true, job: { state: /^(ResultsAccepted|MediationAccepted)$/, stdout: /moo/, exitCode: 0, attempt: 1 } })
  const { before, after } = report.balances ?? { before: undefined, after: undefined }
  if (before === undefined || after === undefined) return t.fail('no balances')
  type Name = keyof typeof after.accounts
  const worth = (balances: typeof after, name: Name): number => Object.values(balances.accounts[name] ?? {}).reduce((sum, part) => sum + part, 0)
  const change = (name: Name): number => worth(after, name) - worth(before, name)
  for (const balances of [before, after]) {
    t.equal(Object.keys(balances.accounts).reduce((sum, name) => sum + worth(balances, name), balances.pool), balances.vault, 'accounts and pool are what the vault holds')
  }
  t.equal(after.vault, before.vault, 'nothing came in or went out')
  t.ok(change('provider-1') < 0, 'the cheat lost its collateral')
  t.equal(change('mediator-1'), 2 * AUDIT_FEE, 'the mediator earned two audits')
  // The fee goes to whose solution won: a solver, or a node that posted the floor solution.
  const earned = change('provider-2') + change('solver-1') + change('solver-2') + change('bootstrap')
  t.ok(change('provider-2') > 0, 'the honest provider was paid')
  t.equal(change('creator-1'), CLAIM_FEE - AUDIT_FEE - earned, 'the creator paid the second deal and its audit, and got the costs of the first')
  t.same(report.chain.txs.filter(({ name }) => name === 'opened').length, 2)
})
