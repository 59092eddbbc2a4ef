import type { Bench } from './figure.ts'
import { writeOutput } from './match/output.ts'
import { isGaining, measure } from './sim/measure.ts'
import { BIDDERS } from './sim/strategies/bidders.ts'
import { LATE } from './sim/strategies/late.ts'
import { PARTIES } from './sim/strategies/parties.ts'
import { PRICES } from './sim/strategies/prices.ts'
import { SOLVERS } from './sim/strategies/solvers.ts'

const STRATEGIES = [...BIDDERS, ...PARTIES, ...SOLVERS, ...LATE, ...PRICES]

/** 205 agents with the five solvers; `--nodes` sets the creators, `--inputs` the seeds. */
const SIZE = { creators: 160, epochs: 3 }
const CREATORS_A_PROVIDER = 4
const SEEDS = { full: 12, quick: 2 }
const QUICK_CREATORS = 60
const NLILY_A_MILLILILY = 1_000_000

/** What each strategy gains over honest play, beside its standard error; exits 1 where one gains more than noise and is not listed as known. */
export const benchStrategy: Bench = async ({ seed, sizes, quick, out, progress }) => {
  const creators = sizes.nodes ?? (quick ? QUICK_CREATORS : SIZE.creators)
  const size = { creators, providers: Math.ceil(creators / CREATORS_A_PROVIDER), epochs: SIZE.epochs }
  const seeds = sizes.inputs ?? (quick ? SEEDS.quick : SEEDS.full)
  if (seeds < 2) throw new Error(`a standard error takes two seeds or more, not ${seeds}: --inputs 2`)
  const gains = measure(STRATEGIES, { seed, seeds, size, progress })
  await writeOutput(out, 'strategy', gains.map(({ known, ...row }) => ({ ...row, isGaining: isGaining(row) ? 1 : 0, known: known === undefined ? 0 : 1 })), {
    title: 'Gain by strategy', x: 'strategy', y: 'mLILY', lines: [{ name: 'gain', points: gains.map(({ gain }, at) => [at + 1, gain / NLILY_A_MILLILILY]) }]
  })
  return gains.map((row) => ({
    name: row.strategy, value: round(row.gain), unit: 'mLILY', ok: !isGaining(row) || row.known !== undefined, goal: `<= ${round(2 * row.error)} (2 SE)${row.known !== undefined ? ', known' : ''}`,
    baseline: { name: `honest profit, ${row.seeds} seeds`, value: round(row.honest) }
  }))
}

const round = (nlily: number): number => Math.round(nlily / NLILY_A_MILLILILY * 10) / 10
