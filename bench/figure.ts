/** One measured figure. `goal` as it is written in the issue, absent for figures that are only reported. */
export interface Figure { name: string, value: number, unit: string, goal?: string, ok: boolean, baseline?: { name: string, value: number } }

export interface BenchOptions { seed: number, trace?: string, progress: (text: string) => void }
export type Bench = (options: BenchOptions) => Promise<Figure[]>

/** A figure that must not exceed its goal. */
export function atMost (name: string, value: number, limit: number, unit: string, baseline?: Figure['baseline']): Figure {
  const rounded = Math.round(value * 10) / 10
  return { name, value: rounded, unit, goal: `<= ${limit}`, ok: rounded <= limit, ...(baseline === undefined ? {} : { baseline }) }
}

/** A figure that must reach its goal. */
export function atLeast (name: string, value: number, limit: number, unit: string, baseline?: Figure['baseline']): Figure {
  const rounded = limit < 10 ? Math.round(value * 100) / 100 : Math.round(value)
  return { name, value: rounded, unit, goal: `>= ${limit}`, ok: rounded >= limit, ...(baseline === undefined ? {} : { baseline }) }
}

/** A figure without a goal. */
export function reported (name: string, value: number, unit: string, baseline?: Figure['baseline']): Figure {
  return { name, value: Math.round(value * 10) / 10, unit, ok: true, ...(baseline === undefined ? {} : { baseline }) }
}

/** The value below which `share` of the samples lie (nearest rank). */
export function percentile (samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
