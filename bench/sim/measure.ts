import type { Address } from '../../src/wire/shapes.ts'
import { runMarket, type Outcome } from './market.ts'
import type { Strategy } from './strategy.ts'
import { createWorld, type WorldSize } from './world.ts'

/** Profits of a strategy's members over seeds, nLILY: mean of honest play, mean of what the strategy gains over it, and its standard error. `others`: mean of what it brings everybody else. */
export interface Gain { readonly strategy: Strategy, readonly seeds: number, readonly honest: number, readonly gain: number, readonly error: number, readonly others: number }

/** Plays every strategy against honest play on the same seeds, one after the other. */
export function measure (strategies: readonly Strategy[], options: { seed: number, seeds: number, size: WorldSize, progress: (text: string) => void }): Gain[] {
  const { size } = options
  const samples = strategies.map((): Array<{ honest: number, gain: number, others: number }> => [])
  for (let at = 0; at < options.seeds; at++) {
    options.progress(`seed ${at + 1} of ${options.seeds}`)
    const world = createWorld(options.seed + at, size)
    const honest = runMarket({ world, members: new Set() }, size.epochs)
    strategies.forEach((strategy, number) => {
      const play = strategy.play(world, size.epochs)
      // A book without anybody who could try it says nothing.
      if (play.members.size === 0) return
      const outcome = runMarket(play, size.epochs)
      const before = profitOf(honest, play.members)
      const gain = profitOf(outcome, play.members) - before
      samples[number]?.push({ honest: before, gain, others: profitOf(outcome) - profitOf(honest) - gain })
    })
  }
  return strategies.map((strategy, number) => {
    const own = samples[number] ?? []
    const meanOf = (of: 'honest' | 'gain' | 'others'): number => Math.round(mean(own.map((sample) => sample[of])))
    return { strategy, seeds: own.length, honest: meanOf('honest'), gain: meanOf('gain'), error: Math.round(standardError(own.map(({ gain }) => gain))), others: meanOf('others') }
  })
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

/** Of these accounts; left out: of all. */
function profitOf ({ profits }: Outcome, members: Iterable<Address> = profits.keys()): number {
  return [...members].reduce((sum, member) => sum + (profits.get(member) ?? 0), 0)
}
