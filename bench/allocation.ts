import { createSeededRandom, type Random } from '../src/core/random.ts'
import { matchesOf } from '../src/match/assemble.ts'
import { kernelOf } from '../src/match/kernel/kernel.ts'
import { programOf } from '../src/match/search/program.ts'
import { search } from '../src/match/search/search.ts'
import { verifySolution } from '../src/match/verify.ts'
import { atLeast, reported, type Bench, type Figure } from './figure.ts'
import { cpuNow, rowsToMeasure } from './match/book.ts'
import { byGpus } from './match/offers.ts'
import { onlineAllocation } from './match/online.ts'
import { writeOutput, type Row } from './match/output.ts'
import type { Rows, Task } from './match/rows.ts'

/** Demand for GPUs as a share of what there is, milliseconds of CPU for each solution, and seeds of the draw; `--inputs` sets them. */
const LOAD = 1.3
const BUDGET_MS = 5000
const SEEDS = 10
const GOAL = 95.4
/** Means of ten seeds at 130 % of the list `default`, from the expected results of hkust-adsl/kubernetes-scheduler-simulator. */
const PUBLISHED = { BestFit: 93.08, FGD: 95.39 }

/** GPU allocation when a job counts its GPUs, beside schedulers that place one job after the other. */
export const benchAllocation: Bench = async ({ seed, sizes, trace, quick, out, progress }) => {
  const figures: Figure[] = []
  const rows: Row[] = []
  for (const source of await rowsToMeasure(trace, seed)) {
    const runs = Array.from({ length: sizes.inputs ?? (quick ? 1 : SEEDS) }, (_, at) => {
      progress(`measuring ${source.name}, seed ${seed + at}`)
      const tasks = drawn(createSeededRandom(seed + at), source)
      const row = { book: source.name, seed: seed + at, ours: solved({ ...source, tasks }, seed + at), BestFit: percent(source, onlineAllocation('BestFit', source.machines, tasks)), FGD: percent(source, onlineAllocation('FGD', source.machines, tasks)) }
      rows.push(row)
      return row
    })
    const mean = (of: 'ours' | 'BestFit' | 'FGD'): number => runs.reduce((sum, row) => sum + row[of], 0) / runs.length
    figures.push({ ...atLeast(`${source.name}: GPU allocation at 130 % load`, mean('ours'), GOAL, '%'), value: Math.round(mean('ours') * 100) / 100 })
    for (const rule of ['BestFit', 'FGD'] as const) {
      figures.push({ ...reported(`${source.name}: ${rule}, ours, same jobs one by one`, mean(rule), '%', source.name === 'default' ? { name: 'published mean', value: PUBLISHED[rule] } : undefined), value: Math.round(mean(rule) * 100) / 100 })
    }
  }
  await writeOutput(out, 'allocation', rows, { title: 'GPU allocation at 130 % load', x: 'seed', y: '%', lines: ['ours', 'BestFit', 'FGD'].map((name) => ({ name, points: rows.filter((row) => row['book'] === 'default').map((row) => [row['seed'] as number, row[name] as number]) })) })
  return figures
}

/** Tasks drawn from the list, any as often as the next, until they ask for so many GPUs. */
function drawn (random: Random, source: Rows): Task[] {
  const tasks: Task[] = []
  for (let asked = 0; asked < LOAD * gpusOf(source) * 1000;) {
    const task = source.tasks[random.below(source.tasks.length)] as Task
    asked += task.gpus * task.gpuMilli
    tasks.push(task)
  }
  return tasks
}

const gpusOf = ({ machines }: Rows): number => machines.reduce((sum, { gpus }) => sum + gpus, 0)
const percent = (source: Rows, thousandths: number): number => thousandths / 10 / gpusOf(source)

/** Percentage of GPUs that the price engine's search gives out. */
function solved (source: Rows, seed: number): number {
  const snapshot = byGpus(createSeededRandom(seed), source)
  const started = cpuNow()
  const kernel = kernelOf(snapshot)
  const { places } = search(programOf(kernel), { budgetMs: BUDGET_MS - (cpuNow() - started), seed, now: cpuNow, report: () => undefined })
  const matches = matchesOf(kernel, places)
  const verified = verifySolution(snapshot, { epoch: snapshot.epoch, engine: 'price', matches })
  if (!verified.ok) throw new Error(`the search's answer is ${verified.code ?? 'not feasible'}`)
  const matched = new Set(matches.map(({ job }) => job))
  return percent(source, snapshot.jobs.reduce((sum, { id, offer }) => matched.has(id) ? sum + offer.gpus.reduce((own, { shareBp }) => own + shareBp / 10, 0) : sum, 0))
}
