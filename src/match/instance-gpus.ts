import type { Random } from '../core/random.ts'
import type { GpuDemand } from '../wire/job-offer.ts'
import type { GpuSupply } from '../wire/resource-offer.ts'
import type { MatchRules } from './options.ts'
import { tickFor } from './ticks.ts'

/** Models and their VRAM, MiB. */
const MODELS = [['t4', 16_384], ['a10', 24_576], ['a100', 40_960], ['h100', 81_920]] as const
const DEVICES = [1, 2, 4, 8]
/** Shares that jobs want, bp: half of them a whole device, as real traces have it. */
const SHARES = [1000, 2500, 3000, 5000, 10_000, 10_000, 10_000, 10_000]

/** GPUs of made-up machines and jobs: what machines have, at a percentage of the reference price, and what jobs want. */
export function createGpuMaker (random: Random, options: { percent: number, rules: MatchRules }): { machine: (pricePercent: number) => GpuSupply[], demand: () => GpuDemand[] } {
  const { gpuSecond } = options.rules.reference
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)] as T
  // Nothing is drawn without GPUs, so that books without them stay as they are.
  const isOne = (): boolean => options.percent > 0 && random.below(100) < options.percent
  return {
    machine: (pricePercent) => {
      if (!isOne()) return []
      const [model, vramMiB] = pick(MODELS)
      const secondAsk = tickFor(Math.floor((gpuSecond.models[model] ?? gpuSecond.default) * pricePercent / 100))
      return Array.from({ length: pick(DEVICES) }, () => ({ model, vramMiB, shareBp: random.below(6) === 0 ? pick(SHARES) : 10_000, secondAsk }))
    },
    demand: () => {
      if (!isOne()) return []
      const shareBp = pick(SHARES)
      const models = random.below(2) === 0 ? [] : [pick(MODELS)[0], pick(MODELS)[0]]
      const vramMiB = pick([0, 8192, 16_384, 40_960])
      return Array.from({ length: shareBp === 10_000 ? pick([1, 1, 1, 2, 4]) : 1 }, () => ({ models: [...new Set(models)], vramMiB, shareBp }))
    }
  }
}
