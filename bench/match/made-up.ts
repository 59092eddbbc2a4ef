import type { Random } from '../../src/core/random.ts'
import type { Machine, Rows, Task } from './rows.ts'

/**
 * A book without data: machines and tasks drawn from shares that were published for a cluster of 1,523 machines and 8,152 tasks (README of
 * cluster-trace-gpu-v2023 and the ATC'23 paper): models, GPUs a machine, and of the tasks 14 % without GPU, 38 % on a share of one, 46 % on one, 1 % on eight.
 */
const MACHINES: ReadonlyArray<readonly [weight: number, machine: Machine]> = [
  [360, { cpuMilli: 96_000, memoryMiB: 393_216, gpus: 8, model: 'G2' }], [254, { cpuMilli: 104_000, memoryMiB: 524_288, gpus: 2, model: 'T4' }],
  [11, { cpuMilli: 96_000, memoryMiB: 393_216, gpus: 4, model: 'T4' }], [70, { cpuMilli: 16_000, memoryMiB: 122_880, gpus: 2, model: 'P100' }],
  [18, { cpuMilli: 64_000, memoryMiB: 262_144, gpus: 2, model: 'P100' }], [18, { cpuMilli: 32_000, memoryMiB: 131_072, gpus: 4, model: 'V100M16' }],
  [13, { cpuMilli: 8_000, memoryMiB: 32_768, gpus: 1, model: 'V100M16' }], [5, { cpuMilli: 64_000, memoryMiB: 262_144, gpus: 8, model: 'V100M16' }],
  [14, { cpuMilli: 96_000, memoryMiB: 786_432, gpus: 8, model: 'V100M32' }], [6, { cpuMilli: 48_000, memoryMiB: 376_832, gpus: 4, model: 'V100M32' }],
  [26, { cpuMilli: 128_000, memoryMiB: 786_432, gpus: 8, model: 'G3' }], [2, { cpuMilli: 128_000, memoryMiB: 1_048_576, gpus: 1, model: 'A10' }],
  [84, { cpuMilli: 32_000, memoryMiB: 262_144, gpus: 0, model: '' }], [72, { cpuMilli: 96_000, memoryMiB: 524_288, gpus: 0, model: '' }],
  [30, { cpuMilli: 64_000, memoryMiB: 524_288, gpus: 0, model: '' }], [17, { cpuMilli: 32_000, memoryMiB: 131_072, gpus: 0, model: '' }]
]

/** Weight, GPUs, thousandths of each, and the range of cores and of GiB a core. */
const TASKS: ReadonlyArray<{ weight: number, gpus: number, shares: readonly number[], cores: readonly [number, number], gibPerCore: readonly [number, number] }> = [
  { weight: 139, gpus: 0, shares: [0], cores: [8, 32], gibPerCore: [1, 4] },
  { weight: 140, gpus: 1, shares: [810, 590, 550], cores: [3, 4], gibPerCore: [1, 3] },
  { weight: 238, gpus: 1, shares: [160, 220, 230, 320, 370, 460, 470, 480, 650], cores: [4, 12], gibPerCore: [2, 6] },
  { weight: 60, gpus: 1, shares: [1000], cores: [3, 4], gibPerCore: [1, 2] },
  { weight: 405, gpus: 1, shares: [1000], cores: [4, 20], gibPerCore: [2, 6] },
  { weight: 5, gpus: 2, shares: [1000], cores: [8, 40], gibPerCore: [2, 4] },
  { weight: 5, gpus: 4, shares: [1000], cores: [16, 64], gibPerCore: [2, 4] },
  { weight: 8, gpus: 8, shares: [1000], cores: [32, 88], gibPerCore: [3, 4] }
]
/** Task shapes repeat: a cluster's users send the same ones again. */
const SHAPES = 150

/** Seeded: `tasks` tasks of 150 shapes for `machines` machines. */
export function makeRows (random: Random, size: { tasks: number, machines: number }): Rows {
  const machines = Array.from({ length: size.machines }, () => draw(random, MACHINES.map(([weight, machine]) => ({ weight, machine }))).machine)
  const between = ([low, high]: readonly [number, number]): number => low + random.below(high - low + 1)
  const shapes: Task[] = Array.from({ length: SHAPES }, () => {
    const kind = draw(random, TASKS)
    const cpuMilli = between(kind.cores) * 1000 + random.below(10) * 100
    return { cpuMilli, memoryMiB: Math.floor(cpuMilli * between(kind.gibPerCore) * 1024 / 1000), gpus: kind.gpus, gpuMilli: kind.shares[random.below(kind.shares.length)] as number, models: [] }
  })
  const weighted = shapes.map((task) => ({ weight: 1 + random.below(20), task }))
  return { name: 'made-up', machines, tasks: Array.from({ length: size.tasks }, () => draw(random, weighted).task) }
}

function draw<T extends { weight: number }> (random: Random, table: readonly T[]): T {
  let left = random.below(table.reduce((sum, { weight }) => sum + weight, 0))
  for (const row of table) {
    left -= row.weight
    if (left < 0) return row
  }
  throw new Error('an empty table')
}
