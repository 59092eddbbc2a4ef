import { createSeededRandom } from '../../core/random.ts'
import { referenceAlone } from '../../match/price.ts'
import type { MatchRules } from '../../match/problem.ts'

/** One request for the creator's API. */
export interface OtherJob { module: string, inputs: Record<string, string>, cpuMilli: number, memoryMiB: number, runSeconds: number, maxPrice: number }

/** Jobs beside the demo's own: real ones with seeded sizes and limits, more than the machine takes at once, so that solvers differ. */
export function otherJobs (count: number, seed: number, options: { unitCpuMilli: readonly number[], rules: MatchRules }): OtherJob[] {
  const random = createSeededRandom(seed)
  const largest = Math.max(...options.unitCpuMilli)
  return Array.from({ length: count }, () => {
    const resources = { cpuMilli: Math.max(10, Math.round(largest * (50 + random.below(400)) / 1000)), memoryMiB: 32 + random.below(96), diskMiB: 16 }
    const runSeconds = 5 + random.below(6)
    // Limits from just above the cheapest ask to the upper end of the band that scores count.
    const maxPrice = Math.floor(referenceAlone({ resources, runSeconds, gpus: [] }, options.rules) * (920 + random.below(380)) / 1000)
    return { module: 'noop:v0.0.1', inputs: {}, cpuMilli: resources.cpuMilli, memoryMiB: resources.memoryMiB, runSeconds, maxPrice }
  })
}
