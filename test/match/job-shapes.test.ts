import t from 'tap'
import { jobShapesOf } from '../../src/match/kernel/job-shapes.ts'
import type { JobOffer } from '../../src/wire/job-offer.ts'
import { GPU_JOB, jobBody, testSigner } from '../support/records.ts'
import { RULES } from './rows.ts'

const shapes = jobShapesOf(RULES)
const number = (offer: JobOffer): number => shapes.of(offer).number
const [alice, bob] = [testSigner(1).address, testSigner(2).address]
const set = `0x${'5'.repeat(64)}` as const
const plain = jobBody()
const audited = jobBody({ verification: { strategy: 'audit', auditBp: 100 }, mediators: [alice] })
const replicated = jobBody({ verification: { strategy: 'replicate', replicas: 3, quorum: 2 } })
const gpu = { models: ['A100'], vramMiB: 8192, shareBp: 5000 }

t.test('what a job asks for or demands of whoever serves it tells shapes apart', async (t) => {
  const cases: Array<[string, JobOffer, Partial<JobOffer>]> = [
    ['cpu', plain, { resources: { ...plain.resources, cpuMilli: 1001 } }], ['memory', plain, { resources: { ...plain.resources, memoryMiB: 65 } }], ['disk', plain, { resources: { ...plain.resources, diskMiB: 17 } }],
    ['span', plain, { runSeconds: 61 }], ['collateral', plain, { collateralBp: 30_000 }], ['reputation', plain, { minReputationBp: 1 }], ['engine', plain, { engine: 'gpu' }], ['market', plain, { market: 'eu' }],
    ['key of seals', plain, { sealKey: set }], ['strategy', plain, { verification: { strategy: 'none', auditBp: 0 } }], ['audit', plain, { verification: audited.verification }],
    ['mediators of an audit', audited, { mediators: [bob] }], ['sets of an audit', audited, { mediatorSets: [set] }], ['a quorum that none can reach', replicated, { verification: { strategy: 'replicate', replicas: 3, quorum: 4 } }],
    ['a device', plain, { gpus: GPU_JOB.gpus }], ['models', GPU_JOB, { gpus: [gpu] }], ['memory of a device', jobBody({ gpus: [gpu] }), { gpus: [{ ...gpu, vramMiB: 1 }] }], ['share of a device', jobBody({ gpus: [gpu] }), { gpus: [{ ...gpu, shareBp: 1 }] }]
  ]
  for (const [name, offer, change] of cases) t.not(number({ ...offer, ...change }), number(offer), name)
})

t.test('owner, limit, times and module do not, nor mediators that nobody asks', async (t) => {
  const same: Array<Partial<JobOffer>> = [{ jobNumber: 7 }, { limit: 5 }, { deadline: plain.deadline + 1 }, { validUntil: plain.validUntil + 1 }, { module: plain.module.replace(/.$/, 'a') }, { targets: [bob] }, { avoid: [bob] }, { mediators: [alice] }, { stageSeconds: 9 }]
  for (const change of same) t.equal(number({ ...plain, ...change }), number(plain), Object.keys(change).join())
})

t.test('names that a stranger chose make no two lists of them one', async (t) => {
  const of = (...models: string[]): number => number(jobBody({ gpus: [{ ...gpu, models }] }))
  t.not(of('a 1:b'), of('a', 'b'))
  t.not(of('a b', 'c'), of('a', 'b c'))
})
