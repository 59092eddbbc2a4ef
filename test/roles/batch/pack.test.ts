import fc from 'fast-check'
import t from 'tap'
import { createManualClock } from '../../../src/core/clock.ts'
import { createGathering } from '../../../src/roles/batch/gathering.ts'
import type { GatheredDeal } from '../../../src/roles/batch/own-batch.ts'
import { packBatches } from '../../../src/roles/batch/pack.ts'

const deal = (creator: number, provider: number, jobNumber: number, startBy = 1000): GatheredDeal =>
  ({ terms: { core: { creator: `c${creator}`, provider: `p${provider}`, jobNumber }, rest: { startBy, submitSeconds: 20, judgeSeconds: 10, challengeSeconds: 10 } } }) as unknown as GatheredDeal
const deals = fc.array(fc.tuple(fc.nat(400), fc.nat(400), fc.nat(100)), { maxLength: 700 }).map((all) => all.map((one) => deal(...one)))

const isWithin = (batch: readonly GatheredDeal[]): boolean => {
  const cores = batch.map(({ terms: { core } }) => core)
  const words = new Map(cores.map(({ creator, jobNumber }) => [creator, Math.floor(jobNumber / 32)]))
  const owners = new Set(cores.flatMap(({ creator, provider }) => [creator, provider]))
  return batch.length <= 256 && owners.size <= 256 && cores.every(({ creator, jobNumber }) => words.get(creator) === Math.floor(jobNumber / 32))
}

t.test('every deal is in one batch, and no batch is beyond the limits', async () => {
  fc.assert(fc.property(deals, (all) => {
    const batches = packBatches(all)
    return batches.every(isWithin) && batches.flat().length === all.length && new Set(batches.flat()).size === all.length
  }), { numRuns: 50 })
})

t.test('deals that fit together are not spread', async (t) => {
  t.equal(packBatches(Array.from({ length: 256 }, (_, index) => deal(index % 100, index % 20, index % 32))).length, 1)
  t.equal(packBatches(Array.from({ length: 257 }, (_, index) => deal(index % 100, 1, index % 32))).length, 2)
  t.equal(packBatches([deal(1, 1, 31), deal(1, 1, 32)]).length, 2, 'two words of one creator')
})

t.test('a long job keeps nobody else waiting for the expiry', async (t) => {
  const batches = packBatches([deal(1, 1, 1), deal(2, 1, 1, 100_000), deal(3, 1, 1, 4600), deal(4, 1, 1, 101_000)])
  t.same(batches.map((batch) => batch.map(({ terms: { rest } }) => rest.startBy)), [[1000, 4600], [100_000, 101_000]])
})

t.test('consents gather until none has come for a while, and no longer than the most', async (t) => {
  const clock = createManualClock()
  const ready: number[][] = []
  const gathering = createGathering<number>({ clock }, { quietMs: 40, mostMs: 100 }, (items) => { ready.push(items) })
  gathering.add(1)
  clock.advance(39)
  gathering.add(2)
  clock.advance(39)
  t.same([ready, gathering.items], [[], [1, 2]])
  gathering.add(3)
  clock.advance(22)
  t.same([ready, gathering.items], [[[1, 2, 3]], []], 'the most has passed since the first')
  gathering.add(4)
  clock.advance(40)
  t.same(ready.at(-1), [4])
})
