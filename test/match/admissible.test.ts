import t from 'tap'
import { admissible, REASONS } from '../../src/match/admissible.ts'
import type { JobRow, OfferRow } from '../../src/match/problem.ts'
import type { GpuDemand } from '../../src/wire/job-offer.ts'
import type { GpuSupply } from '../../src/wire/resource-offer.ts'
import { mediatorSetHash } from '../../src/match/mediators.ts'
import { tickFor } from '../../src/match/ticks.ts'
import { address, AT_MS, hash, job, MEDIATOR, offer, RULES as PLAIN_RULES } from './rows.ts'

const RULES = { ...PLAIN_RULES, mediatorSets: [[MEDIATOR, address(0xabd)]] }
const SET = mediatorSetHash([address(0xabd), MEDIATOR])
const gpu = (fields: Partial<GpuSupply> = {}): GpuSupply => ({ model: 'big', vramMiB: 8, shareBp: 10_000, secondAsk: 1, ...fields })
const withGpus = (gpus: GpuDemand[]): JobRow => job(1, { gpus, limit: 10_000 })

const reasonOf = (left: JobRow, right: OfferRow): string => {
  const result = admissible(left, right, { rules: RULES, atMs: AT_MS })
  return result.ok ? 'ok' : result.reason
}

/** For each constraint: pairs that just pass and pairs that just fail it. */
const CASES: Record<string, { passes: Array<[JobRow, OfferRow]>, fails: Array<[JobRow, OfferRow]> }> = {
  self: { passes: [[job(1), offer(1)]], fails: [[job(1, {}, address(5)), offer(1, {}, { account: address(5) })]] },
  validity: {
    passes: [[job(1, { validUntil: AT_MS + 1 }), offer(1, { validUntil: AT_MS + 1 })]],
    fails: [[job(1, { validUntil: AT_MS }), offer(1)], [job(1), offer(1, { validUntil: AT_MS })]]
  },
  market: { passes: [[job(1, { market: 'gpu' }), offer(1, { market: 'gpu' })]], fails: [[job(1, { market: 'gpu' }), offer(1)], [job(1), offer(1, { market: 'gpu' })]] },
  matched: { passes: [[job(1, { matchedUntil: AT_MS }), offer(1)]], fails: [[job(1, { matchedUntil: AT_MS + 1 }), offer(1)]] },
  free: { passes: [[job(1), offer(1, { freeFrom: AT_MS + 10_000 })]], fails: [[job(1), offer(1, { freeFrom: AT_MS + 10_001 })]] },
  deadline: {
    passes: [[job(1, { deadline: AT_MS + 10_000 }), offer(1)], [job(1, { deadline: AT_MS + 10_000 }), offer(1, { freeFrom: AT_MS })]],
    fails: [[job(1, { deadline: AT_MS + 10_000 }), offer(1, { freeFrom: AT_MS + 1 })], [job(1, { deadline: AT_MS + 9_999 }), offer(1)], [job(1, { deadline: AT_MS + 10_000, stageSeconds: 1 }), offer(1)]]
  },
  avoid: { passes: [[job(1, { avoid: [address(1)] }), offer(1)]], fails: [[job(1, { avoid: [address(2001)] }), offer(1)]] },
  target: { passes: [[job(1, { targets: [address(2001)] }), offer(1)]], fails: [[job(1, { targets: [address(1)] }), offer(1)]] },
  creators: { passes: [[job(1), offer(1, { creators: [address(1001)] })]], fails: [[job(1), offer(1, { creators: [address(1)] })]] },
  engine: { passes: [[job(1), offer(1, { engines: ['docker', 'wasm'] })]], fails: [[job(1), offer(1, { engines: ['docker'] })]] },
  module: { passes: [[job(1), offer(1, { modules: ['bafymodule'] })]], fails: [[job(1), offer(1, { modules: ['bafyother'] })]] },
  group: { passes: [[job(1, { group: { id: hash(1), index: 0, size: 2 } }), offer(1)]], fails: [[{ ...job(1), incomplete: true }, offer(1)]] },
  seal: { passes: [[job(1), offer(1, { sealKey: hash(1) })]], fails: [[job(1, { sealKey: hash(1) }), offer(1)]] },
  verification: {
    passes: [[job(1, { verification: { strategy: 'replicate', replicas: 3, quorum: 3 } }), offer(1)], [job(1, { verification: { strategy: 'compare', replicas: 2, quorum: 1, tolerancePpm: 10 } }), offer(1)]],
    fails: [[job(1, { verification: { strategy: 'replicate', replicas: 3, quorum: 4 } }), offer(1)]]
  },
  reputation: { passes: [[job(1, { minReputationBp: 10_000 }), offer(1)], [job(1, { minReputationBp: 5000 }), offer(1, {}, { reputationBp: 5000 })]], fails: [[job(1, { minReputationBp: 5000 }), offer(1, {}, { reputationBp: 4999 })]] },
  mediators: {
    passes: [
      [job(1, { mediators: [], verification: { strategy: 'none', auditBp: 0 } }), offer(1)],
      [job(1, { mediators: [], verification: { strategy: 'receipt', auditBp: 0 } }), offer(1)],
      [job(1, { mediators: [], mediatorSets: [SET] }), offer(1)],
      [job(1, { mediators: [], mediatorSets: [SET] }), offer(1, { mediators: [], mediatorSets: [hash(5), SET] })]
    ],
    fails: [
      [job(1, { mediators: [address(3)] }), offer(1)],
      [job(1, { mediators: [], mediatorSets: [hash(5)] }), offer(1, { mediatorSets: [hash(5)] })],
      [job(1, { mediators: [MEDIATOR] }, MEDIATOR), offer(1)],
      [job(1, { mediators: [address(2001)] }), offer(1, { mediators: [address(2001)] })]
    ]
  },
  cpu: { passes: [[job(1, { limit: 1500, resources: { cpuMilli: 100, memoryMiB: 0, diskMiB: 0 } }), offer(1)]], fails: [[job(1, { limit: 1500, resources: { cpuMilli: 101, memoryMiB: 0, diskMiB: 0 } }), offer(1)]] },
  memory: { passes: [[job(1, { resources: { cpuMilli: 10, memoryMiB: 100, diskMiB: 0 } }), offer(1)]], fails: [[job(1, { resources: { cpuMilli: 10, memoryMiB: 101, diskMiB: 0 } }), offer(1)]] },
  disk: { passes: [[job(1, { resources: { cpuMilli: 10, memoryMiB: 0, diskMiB: 100 } }), offer(1)]], fails: [[job(1, { resources: { cpuMilli: 10, memoryMiB: 0, diskMiB: 101 } }), offer(1)]] },
  gpu: {
    passes: [
      [job(1, { gpus: [] }), offer(1)],
      [withGpus([{ models: [], vramMiB: 8, shareBp: 5000 }]), offer(1, { gpus: [gpu({ shareBp: 5000 })] })],
      [withGpus([{ models: [], vramMiB: 8, shareBp: 1 }, { models: ['big'], vramMiB: 8, shareBp: 1 }]), offer(1, { gpus: [gpu(), gpu({ model: 'small' })] })]
    ],
    fails: [
      [withGpus([{ models: [], vramMiB: 0, shareBp: 1 }]), offer(1)],
      [withGpus([{ models: ['small', 'Big'], vramMiB: 0, shareBp: 1 }]), offer(1, { gpus: [gpu()] })],
      [withGpus([{ models: [], vramMiB: 9, shareBp: 1 }]), offer(1, { gpus: [gpu()] })],
      [withGpus([{ models: [], vramMiB: 0, shareBp: 5001 }]), offer(1, { gpus: [gpu({ shareBp: 5000 })] })],
      [withGpus([{ models: [], vramMiB: 0, shareBp: 1 }, { models: [], vramMiB: 0, shareBp: 1 }]), offer(1, { gpus: [gpu()] })]
    ]
  },
  runSeconds: { passes: [[job(1), offer(1, { maxRunSeconds: 10 })]], fails: [[job(1), offer(1, { maxRunSeconds: 9 })]] },
  ticks: {
    passes: [[job(1, { limit: 1000 }), offer(1, { ask: { base: 102, cpuMilliSecond: 1, memoryMiBSecond: 0, diskMiBSecond: 0 } })]],
    fails: [[job(1, { limit: 1000 }), offer(1, { ask: { base: 101, cpuMilliSecond: 1, memoryMiBSecond: 0, diskMiBSecond: 0 } })], [job(1), offer(1, { gpus: [{ model: 'big', vramMiB: 8, shareBp: 1, secondAsk: 103 }] })]]
  },
  size: { passes: [], fails: [[job(1, { limit: Number.MAX_SAFE_INTEGER }), offer(1)]] },
  price: { passes: [[job(1, { limit: 150 }), offer(1)]], fails: [[job(1, { limit: 149 }), offer(1)], [job(1, { limit: Number.MAX_SAFE_INTEGER }), offer(1, { ask: { base: tickFor(Number.MAX_SAFE_INTEGER), cpuMilliSecond: tickFor(Number.MAX_SAFE_INTEGER), memoryMiBSecond: 0, diskMiBSecond: 0 } })]] },
  collateral: {
    passes: [[job(1), offer(1, {}, { freeCollateral: 500 })], [job(1), offer(1, { collateral: 500 })]],
    fails: [[job(1), offer(1, {}, { freeCollateral: 499 })], [job(1), offer(1, { collateral: 499 })], [job(1), offer(1, { collateral: 500 }, { freeCollateral: 499 })]]
  }
}

t.test('every constraint has a case here', async (t) => {
  t.same(Object.keys(CASES), REASONS)
})

for (const [reason, { passes, fails }] of Object.entries(CASES)) {
  t.test(`constraint ${reason} holds exactly at its bound`, async (t) => {
    for (const [left, right] of passes) t.equal(reasonOf(left, right), 'ok')
    for (const [left, right] of fails) {
      const rules = reason === 'size' ? { ...RULES, reference: { ...RULES.reference, base: Number.MAX_SAFE_INTEGER } } : RULES
      t.same(admissible(left, right, { rules, atMs: AT_MS }), { ok: false, reason })
    }
  })
}

t.test('the first constraint in order gives the reason', async (t) => {
  t.equal(reasonOf(job(1, { limit: 0, runSeconds: 50, avoid: [address(2001)] }), offer(1, { maxRunSeconds: 1 })), 'avoid')
})
