import type { Address } from '../../src/wire/shapes.ts'
import { runMarket, type Outcome } from './market.ts'
import type { Strategy } from './strategy.ts'
import { createWorld, type WorldSize } from './world.ts'

/** Profits of a strategy's members over seeds, nLILY: mean of honest play, mean of what the strategy gains over it, and its standard error. */
export interface Gain { readonly strategy: string, readonly seeds: number, readonly honest: number, readonly gain: number, readonly error: number, readonly known?: string }

/** Standard errors that a gain must exceed to count as one. */
const NOISE = 2

/** Plays every strategy against honest play on the same seeds, one after the other. */
export function measure (strategies: readonly Strategy[], options: { seed: number, seeds: number, size: WorldSize, progress: (text: string) => void }): Gain[] {
  const { size } = options
  const samples = strategies.map((): Array<{ honest: number, gain: number }> => [])
  for (let at = 0; at < options.seeds; at++) {
    options.progress(`seed ${at + 1} of ${options.seeds}`)
    const world = createWorld(options.seed + at, size)
    const honest = runMarket({ world, members: new Set() }, size.epochs)
    strategies.forEach((strategy, number) => {
      const play = strategy.play(world, size.epochs)
      // A book without anybody who could try it says nothing.
      if (play.members.size === 0) return
      const before = profitOf(honest, play.members)
      samples[number]?.push({ honest: before, gain: profitOf(runMarket(play, size.epochs), play.members) - before })
    })
  }
  return strategies.map(({ name, known }, number) => {
    const own = samples[number] ?? []
    const gains = own.map(({ gain }) => gain)
    return { strategy: name, seeds: own.length, honest: Math.round(mean(own.map(({ honest }) => honest))), gain: Math.round(mean(gains)), error: Math.round(standardError(gains)), ...(known === undefined ? {} : { known }) }
  })
}

/** Whether the strategy pays: its gain is more than noise. */
export function isGaining ({ gain, error }: Pick<Gain, 'gain' | 'error'>): boolean {
  return gain > 0 && gain > NOISE * error
}

export function mean (values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Of the mean: the sample's standard deviation over the root of its size. */
export function standardError (values: readonly number[]): number {
  if (values.length < 2) return 0
  const middle = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1) / values.length)
}

function profitOf ({ profits }: Outcome, members: ReadonlySet<Address>): number {
  return [...members].reduce((sum, member) => sum + (profits.get(member) ?? 0), 0)
}
