import t from 'tap'
import { createCluster } from '../../bench/replay/cluster.ts'
import { outcomeOf, waitsByArrival } from '../../bench/replay/outcome.ts'
import { squeezeOf, type Arrival, type Schedule } from '../../bench/replay/schedule.ts'
import { job, offer } from '../match/rows.ts'

const device = { model: 'small', vramMiB: 8, shareBp: 10_000, secondAsk: 1 }
const half = [{ models: [], vramMiB: 0, shareBp: 5000 }]
const arrival = (number: number, atMs: number, gpus: typeof half = []): Arrival => ({ row: job(number, { gpus }), atMs, runMs: 50, size: gpus.length === 0 ? 'no GPU' : 'part of a GPU' })
const schedule: Schedule = { name: 'three', arrivals: [arrival(1, 0, half), arrival(2, 10), arrival(3, 20), arrival(4, 95)], machines: [offer(1, { gpus: [device, device] })] }

t.test('the time of a trace begins with the arrival after its first hundredth', async (t) => {
  // Two of 200 come long before the rest.
  const { at, length } = squeezeOf([5, 70, ...Array.from({ length: 198 }, (_, number) => 800 + number)], 394)
  t.same([5, 800, 801, 997].map(at), [0, 0, 2, 394])
  t.equal(length(10), 20)
  t.same([squeezeOf([], 100).at(7), squeezeOf([7], 100).at(7)], [700, 0], 'nothing, or one arrival, squeezes nothing')
})

t.test('shares, waits and ages are of the jobs that came in time for an auction', async (t) => {
  const cluster = createCluster(schedule)
  const [first, second] = cluster.jobs as [(typeof cluster.jobs)[number], (typeof cluster.jobs)[number]]
  t.ok(cluster.begin(first, { machine: 0, devices: [1] }, 30))
  t.equal(cluster.gpuShare(), 0.25, 'half of one device of two')
  t.ok(cluster.begin(second, { machine: 0, devices: [] }, 60))
  const [all, plain, part] = outcomeOf(cluster, { endMs: 100, settleMs: 10 })
  t.match(all, { size: 'all', jobs: 3, fill: 200 / 3, waitP50: 30, waitP95: 50, ageP50: 80 })
  t.match(plain, { size: 'no GPU', jobs: 2, fill: 50, waitP50: 50, ageP50: 80 })
  t.match(part, { size: 'part of a GPU', jobs: 1, fill: 100, waitP50: 30 })
  t.same(waitsByArrival(cluster.jobs).map(({ jobs }) => jobs), [3, 0, 0, 1])
})

t.test('a run that does not fit does not begin, and one that ends gives back its share', async (t) => {
  const cluster = createCluster(schedule)
  const [first, second] = cluster.jobs as [(typeof cluster.jobs)[number], (typeof cluster.jobs)[number]]
  t.notOk(cluster.begin({ arrival: { ...first.arrival, row: job(9, { resources: { cpuMilli: 101, memoryMiB: 1, diskMiB: 1 } }) } }, { machine: 0, devices: [] }, 0))
  t.ok(cluster.begin(first, { machine: 0, devices: [0] }, 0))
  t.ok(cluster.begin(second, { machine: 0, devices: [] }, 10))
  t.same(cluster.release(50), [0])
  t.equal(cluster.gpuShare(), 0)
  t.equal(cluster.residual(0).capacity.cpuMilli, 90)
})
