/** One measured figure. `goal` as it is written in the issue, absent for figures that are only reported. */
export interface Figure { name: string, value: number, unit: string, goal?: string, ok: boolean, baseline?: { name: string, value: number } }

/** What may be made smaller or larger than the figure asks for; absent: the figure's own size. */
export interface Sizes { nodes?: number, records?: number, seconds?: number, inputs?: number }
/** `trace`: a folder with a trace; `profile`: one for the CPU profiles of the processes that do the work; `out`: one for tables and charts; `quick`: a small run that shows that it works. */
export interface BenchOptions { seed: number, sizes: Sizes, quick: boolean, trace?: string, profile?: string, out?: string, progress: (text: string) => void }
export type Bench = (options: BenchOptions) => Promise<Figure[]>

/** A figure that must not exceed its goal. */
export function atMost (name: string, value: number, limit: number, unit: string, baseline?: Figure['baseline']): Figure {
  return { name, value: round(value), unit, goal: `<= ${limit}`, ok: value <= limit, ...roundedBaseline(baseline) }
}

/** A figure that must reach its goal. */
export function atLeast (name: string, value: number, limit: number, unit: string, baseline?: Figure['baseline']): Figure {
  return { name, value: round(value), unit, goal: `>= ${limit}`, ok: value >= limit, ...roundedBaseline(baseline) }
}

/** A figure that must not exceed `times` its baseline of the same run. */
export function atMostTimes (name: string, value: number, times: number, unit: string, baseline: { name: string, value: number }): Figure {
  return { name, value: round(value), unit, goal: `<= ${times} x baseline`, ok: value <= times * baseline.value, ...roundedBaseline(baseline) }
}

/** A figure without a goal. */
export function reported (name: string, value: number, unit: string, baseline?: Figure['baseline']): Figure {
  return { name, value: round(value), unit, ok: true, ...roundedBaseline(baseline) }
}

/** The value below which `share` of the samples lie (nearest rank). */
export function percentile (samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

function round (value: number): number {
  // Ratios need two decimals, shares three.
  const digits = Math.abs(value) < 1 ? 3 : Math.abs(value) < 10 ? 2 : 1
  return Math.round(value * 10 ** digits) / 10 ** digits
}

function roundedBaseline (baseline: Figure['baseline']): Pick<Figure, 'baseline'> {
  return baseline === undefined ? {} : { baseline: { name: baseline.name, value: round(baseline.value) } }
}
