import t from 'tap'
import type { DealView, JobView } from '../../src/api/facade.ts'
import { explanationText, offerText } from '../../src/node/explanation-text.ts'
import { explainJob, explainOffer, type Explanation } from '../../src/match/explain.ts'
import { hash } from '../deal/deals.ts'
import { book, hash as rowId, job as jobRow, offer as offerRow } from '../match/rows.ts'

const unknown: Explanation = { id: hash(1), state: 'unknown', matched: [], total: 0, admissible: 0, steps: [], nearest: [] }
const deal = (change: Partial<DealView>): DealView => ({ dealId: hash(2), state: 'Running', epoch: 1, provider: '0xp', solver: '0xs', price: 1, fee: 1, collateral: 1, attempt: 0, verification: 2, transactions: [], ...change })
const job = (change: Partial<JobView>): JobView => ({ id: hash(1), module: 'm:1', state: 'DealNegotiating', attempt: 0, limit: 1, createdAtMs: 0, deals: [], ...change })

t.test('every attempt is told with what went wrong in it', async (t) => {
  const deals = [deal({ state: 'Refunded', problem: { code: 'JOB_NO_VERDICT', message: 'no verdict from the drawn mediator 0xm' } }), deal({ attempt: 1, provider: '0xq' })]
  t.same(explanationText(job({ state: 'Running', deals }), unknown).slice(1), [
    'attempt 1 at 0xp: Refunded; JOB_NO_VERDICT: no verdict from the drawn mediator 0xm', 'attempt 2 at 0xq: Running', 'it has a deal, so it is not in the book'
  ])
})

t.test('a job that is over says how it ended, and nothing of the book', async (t) => {
  const result = { cid: 'bafy', path: '/r', exitCode: 3, reason: 'exited', guestMs: 1 }
  t.same(explanationText(job({ state: 'ResultsAccepted', deals: [deal({ state: 'ResultsAccepted' })], result }), { ...unknown, state: 'alone', total: 5 }).slice(2), ['it is over: exit code 3 (exited), result bafy'])
})

t.test('a job that waits says what stands in its way', async (t) => {
  const lines = explanationText(job({}), { ...unknown, state: 'alone', total: 2, steps: [{ reason: 'price', fails: 2, remaining: 0 }], nearest: [{ id: hash(3), advice: [{ reason: 'price', text: 'raise the limit by 1 LILY', by: 1e9, own: true }] }] })
  t.match(lines.join('\n'), /2 offers in the book, 0 can take it\n {2}price +2 fail, 0 left\n {2}nearest 0x\w+: raise the limit by 1 LILY/)
  t.match(explanationText(job({}), unknown).at(-1), /not in the auction/)
})

t.test('what a job lacks of GPUs, reputation and its group is said in its turn', async (t) => {
  const wanting = jobRow(1, { gpus: [{ models: ['a100'], vramMiB: 40_960, shareBp: 5000 }], limit: 10_000, minReputationBp: 9000, group: { id: rowId(1), index: 0, size: 3 } })
  const lines = explanationText(job({}), explainJob(book([wanting], [offerRow(1, { gpus: [{ model: 't4', vramMiB: 16_384, shareBp: 10_000, secondAsk: 1 }] }, { reputationBp: 5000 })]), rowId(1)))
  t.same(lines.filter((line) => line.startsWith('  ')).map((line) => line.replace(/0x\w+/, 'ID')), [
    '  group        1 fail, 0 left', '  reputation   1 fail, 0 left', '  gpu          1 fail, 0 left',
    '  nearest ID: post all 3 jobs of the group, each index once: it is matched whole; ask for 4000 bp of reputation less; ask for other GPUs: the offer has t4, the job takes a100'
  ])
})

t.test('an offer says why it stays idle, and where it lost a job', async (t) => {
  const [first, second] = [offerRow(1), offerRow(2, { ask: { base: 45, cpuMilliSecond: 1, memoryMiBSecond: 0, diskMiBSecond: 0 } })]
  const snapshot = book([jobRow(1), jobRow(2, { engine: 'docker' })], [first, second])
  const lost = offerText(explainOffer(snapshot, first.id, { epoch: 7, engine: 'x', matches: [{ job: rowId(1), offer: second.id, devices: [] }] }))
  t.same(lost.map((line) => line.replace(/0x\w+/, 'ID')), [
    'offer ID: 2 jobs in the book, 1 can run on it', '  engine       1 fail, 1 left', 'jobs can run on it; they sit elsewhere, or wait for the next epoch',
    '  nearest ID: ask 0.000000006 LILY less for this job to count more than where it sits', '  nearest ID: offer the engine "docker"'
  ])
  t.match(offerText(explainOffer(snapshot, rowId(77))), [/not in the auction/])
})

t.test('a job that lost the last auction is told what would have won it', async (t) => {
  const snapshot = book([jobRow(1, { limit: 160 }), jobRow(2, { limit: 200 })], [offerRow(1, { capacity: { cpuMilli: 10, memoryMiB: 10, diskMiB: 10 } })])
  const lines = explanationText(job({}), explainJob(snapshot, rowId(1), { epoch: 7, engine: 'x', matches: [{ job: rowId(2), offer: offerRow(1).id, devices: [] }] }))
  t.match(lines.join('\n'), /in the last auction other jobs came first\n {2}nearest 0x\w+: raise the limit by 0.000000041 LILY to count more than what sits there/)
})
