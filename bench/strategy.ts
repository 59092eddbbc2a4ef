import type { Bench, Figure } from './figure.ts'
import { writeOutput } from './match/output.ts'
import { measure, type Gain } from './sim/measure.ts'
import { BIDDERS } from './sim/strategies/bidders.ts'
import { LATE } from './sim/strategies/late.ts'
import { PARTIES } from './sim/strategies/parties.ts'
import { PRICES } from './sim/strategies/prices.ts'
import { SOLVERS } from './sim/strategies/solvers.ts'
import { gaining, isSuspect } from './sim/verdict.ts'

const STRATEGIES = [...BIDDERS, ...PARTIES, ...SOLVERS, ...LATE, ...PRICES]

/** 205 agents with the five solvers; `--nodes` sets the creators, `--inputs` the seeds. */
const SIZE = { creators: 160, epochs: 3 }
const CREATORS_A_PROVIDER = 4
const SEEDS = { full: 12, quick: 2 }
const QUICK_CREATORS = 60
/** What gains at first, and what is known to gain, is played again on so many times the seeds, none of which was played before. */
const AGAIN = 4
const FRESH = 1_000_000
const NLILY_A_MILLILILY = 1_000_000

/** What each strategy gains over honest play, beside its standard error; exits 1 where one gains more than noise, twice, and is not listed as known. */
export const benchStrategy: Bench = async ({ seed, sizes, quick, out, progress }) => {
  const creators = sizes.nodes ?? (quick ? QUICK_CREATORS : SIZE.creators)
  const size = { creators, providers: Math.ceil(creators / CREATORS_A_PROVIDER), epochs: SIZE.epochs }
  const seeds = sizes.inputs ?? (quick ? SEEDS.quick : SEEDS.full)
  if (seeds < 2) throw new Error(`a standard error takes two seeds or more, not ${seeds}: --inputs 2`)
  const first = measure(STRATEGIES, { seed, seeds, size, progress })
  const isKnown = ({ strategy: { known } }: Gain): boolean => known !== undefined
  const again = measure(first.filter((row) => isKnown(row) || isSuspect(row)).map(({ strategy }) => strategy), { seed: seed + FRESH, seeds: seeds * AGAIN, size, progress: (text) => { progress(`again: ${text}`) } })
  // What is known to gain is no try.
  const tries = again.filter((row) => !isKnown(row))
  const found = gaining(tries)
  const gains = again.map((row) => isKnown(row) ? isSuspect(row) : found[tries.indexOf(row)] === true)
  const rows = [...first.map((gain) => ({ gain, isAgain: 0, isGaining: 0 })), ...again.map((gain, at) => ({ gain, isAgain: 1, isGaining: gains[at] === true ? 1 : 0 }))]
  await writeOutput(out, 'strategy', rows.map(({ gain: { strategy: { name, known }, ...row }, ...verdict }) => ({ strategy: name, ...row, ...verdict, known: known === undefined ? 0 : 1 })), {
    title: 'Gain by strategy', x: 'strategy', y: 'mLILY', lines: [{ name: 'gain', points: first.map(({ gain }, at) => [at + 1, gain / NLILY_A_MILLILILY]) }]
  })
  return [
    ...first.map((row): Figure => ({ ...figureOf(row), ok: true, ...(isSuspect(row) ? { goal: `<= ${round(2 * row.error)} (2 SE): again below` } : {}) })),
    ...again.map((row, at): Figure => {
      const isGaining = gains[at] === true
      const limit = isKnown(row) ? `<= ${round(2 * row.error)} (2 SE), known` : `noise (Holm of ${tries.length}, SE ${round(row.error)})`
      return { ...figureOf(row), name: `again: ${row.strategy.name}`, ok: !isGaining || isKnown(row), goal: `${limit}; others ${round(row.others)}` }
    })
  ]
}

function figureOf ({ strategy, seeds, honest, gain, error }: Gain): Omit<Figure, 'ok'> {
  return { name: strategy.name, value: round(gain), unit: 'mLILY', goal: `<= ${round(2 * error)} (2 SE)`, baseline: { name: `honest profit, ${seeds} seeds`, value: round(honest) } }
}

const round = (nlily: number): number => Math.round(nlily / NLILY_A_MILLILILY * 10) / 10
