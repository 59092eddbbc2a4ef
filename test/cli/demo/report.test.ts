import t from 'tap'
import type { DealView } from '../../../src/api/facade.ts'
import { findProblems, isShared, sharedAuction, type DemoReport, type Evidence } from '../../../src/cli/demo/report.ts'

const LP = '0x00000000000000000000000000000000000000a1'
const FLOOR = '0x00000000000000000000000000000000000000a2'
const SENDER = '0x00000000000000000000000000000000000000a3'
const DEAL = `0x${'1'.repeat(64)}` as const
const OPEN = `0x${'2'.repeat(64)}` as const
const SETTLE = `0x${'3'.repeat(64)}` as const

type Report = Omit<DemoReport, 'ok' | 'problems'>
interface Case { report: Report, deals: DealView[], evidence: Evidence }

/** A report and the evidence for it, without a contradiction. */
function truth (): Case {
  const solutions = [
    { solver: LP, engine: 'lp', score: 900, matches: 9, winner: true, fallback: false },
    { solver: FLOOR, engine: 'floor', score: 800, matches: 8, winner: false, fallback: false }
  ]
  const txs = [{ name: 'opened', hash: OPEN, gas: 80_000, from: SENDER }, { name: 'settled', hash: SETTLE, gas: 30_000, from: SENDER }] as const
  const balances = { accounts: { one: { free: 5, session: 0, locked: 1, bond: 2 }, two: { free: 3, session: 0, locked: 0, bond: 0 } }, pool: 4, vault: 15 }
  const parts: Case = {
    report: {
      job: { id: DEAL, dealId: DEAL, epoch: 7, solver: LP, provider: SENDER, state: 'ResultsAccepted', stdout: ' moo \n', exitCode: 0, resultCid: 'bafy', attempt: 0 },
      auction: { epoch: 7, solutions },
      chain: { txs: [...txs], gasPerJob: 110_000 },
      balances: { before: balances, after: balances },
      mesh: { processes: 8, peers: 7 },
      timingsMs: { meshUp: 1, matched: 2, executed: 3, settled: 4, total: 5 }
    },
    deals: [{ dealId: DEAL, state: 'ResultsAccepted', epoch: 7, provider: SENDER, solver: LP, price: 1, fee: 1, collateral: 1, attempt: 0, verification: 1, transactions: [...txs] }],
    evidence: {
      auctions: [{ node: 'creator-1', auction: { epoch: 7, solutions } }, { node: 'provider-1', auction: { epoch: 7, solutions } }, { node: 'mediator-1', auction: undefined }],
      receipts: txs.map(({ hash, gas, from }) => ({ hash, gas, from, ok: true })),
      laneStates: [{ dealId: DEAL, state: 'Settled' }]
    }
  }
  // Not structuredClone: it would keep lists that stand in two places one.
  return JSON.parse(JSON.stringify(parts)) as Case
}
const problemsOf = ({ report, deals, evidence }: Case): string[] => findProblems(report, deals, evidence, { stdout: 'moo' })
/** The `n`-th of a list that the truth is known to hold. */
const at = <T>(list: readonly T[] | undefined, n: number): T => {
  const found = list?.[n]
  if (found === undefined) throw new Error('the truth has no such part')
  return found
}

t.test('the truth has no problems', async (t) => {
  t.same(problemsOf(truth()), [])
})

t.test('the report takes the auction as most processes saw it, of those that know the deal\'s winner', async (t) => {
  const { report: { auction } } = truth()
  const lower = { epoch: 7, solutions: auction.solutions.map((solution) => ({ ...solution, score: solution.score - 1 })) }
  const other = { epoch: 7, solutions: auction.solutions.map((solution) => ({ ...solution, winner: !solution.winner })) }
  const views = [lower, other, other, other, auction, undefined, auction].map((view, number) => ({ node: `n${number}`, auction: view }))
  t.same(sharedAuction(views, LP), auction)
  t.same(sharedAuction(views, FLOOR), other)
  t.equal(sharedAuction(views, SENDER), undefined)
})

t.test('an auction that processes score differently, or that nobody won, is not shared', async (t) => {
  const { report: { auction }, evidence: { auctions } } = truth()
  t.ok(isShared(auction, auctions))
  t.notOk(isShared(auction, auctions.slice(0, 1)))
  t.notOk(isShared({ epoch: 7, solutions: [] }, auctions))
  at(at(auctions, 1).auction?.solutions, 1).score--
  t.notOk(isShared(auction, auctions), 'of the loser too')
})

const ALTERED: ReadonlyArray<readonly [what: string, names: RegExp, alter: (found: Case) => void]> = [
  ['the job\'s state', /ended TimedOut/, ({ report }) => { report.job.state = 'TimedOut' }],
  ['the exit code', /exited with 3/, ({ report }) => { report.job.exitCode = 3 }],
  ['the output', /does not contain "moo"/, ({ report }) => { report.job.stdout = 'woof' }],
  ['the paid solver', new RegExp(`pays ${FLOOR}, the winner is ${LP}`), ({ report }) => { report.job.solver = FLOOR }],
  ['the winner', new RegExp(`winner is ${FLOOR}`), ({ report }) => { at(report.auction.solutions, 0).winner = false; at(report.auction.solutions, 1).winner = true }],
  ['the winner, and who is paid with it', /scores higher than the winner/, ({ report }) => { at(report.auction.solutions, 0).winner = false; at(report.auction.solutions, 1).winner = true; report.job.solver = FLOOR }],
  ['no winner', /no solution won/, ({ report }) => { at(report.auction.solutions, 0).winner = false }],
  ['the winner\'s score', /scores lp with 901, no two processes do: creator-1 lp 900, provider-1 lp 900/, ({ report }) => { at(report.auction.solutions, 0).score = 901 }],
  ['the loser\'s score', /scores floor with 700, no two processes do: creator-1 floor 800/, ({ report }) => { at(report.auction.solutions, 1).score = 700 }],
  ['an engine', /scores floor with 900, no two/, ({ report }) => { at(report.auction.solutions, 0).engine = 'floor' }],
  ['a number of matches', /scores lp with 900, no two/, ({ report }) => { at(report.auction.solutions, 0).matches = 10 }],
  ['another process that saw another winner', /no two processes do/, ({ evidence }) => { at(at(evidence.auctions, 1).auction?.solutions, 0).winner = false }],
  ['only one process remembers the auction', /no two processes do/, ({ evidence }) => { evidence.auctions = evidence.auctions.slice(0, 1) }],
  ['gas', /opened used 80000 gas, the report says 80001/, ({ report }) => { at(report.chain.txs, 0).gas = 80_001 }],
  ['gas per job', /used 110000 gas, the report says 1/, ({ report }) => { report.chain.gasPerJob = 1 }],
  ['a sender', new RegExp(`settled was sent by ${SENDER}, the report says ${LP}`), ({ report }) => { at(report.chain.txs, 1).from = LP }],
  ['a hash', /has no successful receipt/, ({ report }) => { at(report.chain.txs, 1).hash = `0x${'4'.repeat(64)}` }],
  ['a receipt of a failed transaction', /settled .* has no successful receipt/, ({ evidence }) => { at(evidence.receipts, 1).ok = false }],
  ['the contract\'s state', /is ResultsAccepted here and Open on chain/, ({ evidence }) => { at(evidence.laneStates, 0).state = 'Open' }],
  ['the deal\'s state', /is MediationRejected here and Settled on chain/, ({ deals }) => { at(deals, 0).state = 'MediationRejected' }],
  ['a balance', /after: accounts and pool add up to 16, the vault holds 15/, ({ report }) => { const balances = report.balances?.after; at(Object.values(balances?.accounts ?? {}), 0).free++ }],
  ['the pool', /before: .* add up to 14/, ({ report }) => { if (report.balances !== undefined) report.balances.before.pool-- }]
]
for (const [what, names, alter] of ALTERED) {
  t.test(`altered: ${what}`, async (t) => {
    const found = truth()
    alter(found)
    t.match(problemsOf(found).join('\n'), names)
  })
}
