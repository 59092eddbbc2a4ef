import t from 'tap'
import { runMarket } from '../../bench/sim/market.ts'
import { mean, measure, standardError, type Gain } from '../../bench/sim/measure.ts'
import { LATE } from '../../bench/sim/strategies/late.ts'
import { SOLVERS } from '../../bench/sim/strategies/solvers.ts'
import type { Strategy } from '../../bench/sim/strategy.ts'
import { gaining, isSuspect, normalTail } from '../../bench/sim/verdict.ts'
import { createWorld } from '../../bench/sim/world.ts'
import { DEFAULT_MATCH_RULES } from '../../src/match/options.ts'

const SIZE = { creators: 24, providers: 6, epochs: 2 }
const named = (strategies: readonly Strategy[], name: string): Strategy => {
  const found = strategies.find((strategy) => strategy.name === name)
  if (found === undefined) throw new Error(`no strategy "${name}"`)
  return found
}
const play = (...strategies: Strategy[]): Gain[] => measure(strategies, { seed: 1, seeds: 2, size: SIZE, progress: () => undefined })

t.test('a gain beyond two standard errors of the mean is looked at again', async (t) => {
  t.equal(mean([1, 2, 6]), 3)
  t.equal(standardError([1, 1, 1]), 0)
  t.equal(standardError([0, 4]), 2, 'deviation 2.83 over the root of two')
  t.same([[5, 2], [4, 2], [-9, 2], [0, 0]].map(([gain, error]) => isSuspect({ gain: gain as number, error: error as number })), [true, false, false, false])
})

t.test('what is looked at again gains when chance explains it in less than one of twenty runs, whatever else was tried', async (t) => {
  t.same([0, 1.6449, 1.96, -1.96].map((z) => normalTail(z).toFixed(3)), ['0.500', '0.050', '0.025', '0.975'])
  const verdict = (...gains: number[]): boolean[] => gaining(gains.map((gain) => ({ gain, error: 1 })))
  t.same(verdict(1.7), [true])
  t.same(verdict(1.7, 1), [false, false], 'one of two tries needs 1.96')
  t.same(verdict(1.7, 2), [true, true], 'when the other surely gains, it is one try')
  t.same(verdict(-3, 9, 1), [false, true, false])
  t.same(gaining([{ gain: 0, error: 0 }, { gain: 1, error: 0 }]), [false, true])
})

t.test('a run is the same for the same seed, and no money is made or lost', async (t) => {
  const world = createWorld(7, SIZE)
  const outcome = runMarket({ world, members: new Set() }, SIZE.epochs)
  const again = runMarket({ world: createWorld(7, SIZE), members: new Set() }, SIZE.epochs)
  t.same([...outcome.profits].sort(), [...again.profits].sort())
  t.ok(outcome.deals.length > 5)
  t.equal(outcome.failed, 0)
  const added = outcome.deals.reduce((sum, { job, cost }) => sum + job.value - cost, 0)
  t.equal([...outcome.profits.values()].reduce((sum, profit) => sum + profit, 0), added - outcome.deals.length * DEFAULT_MATCH_RULES.minFee, 'what deals add, less what opening costs')
  t.ok(outcome.deals.every(({ job, price, cost }) => cost <= price && price <= job.value), 'nobody honest deals at a loss')
  t.equal(new Set(outcome.deals.map(({ job }) => job.name)).size, outcome.deals.length, 'no job runs twice')
})

t.test('what comes after the deadlines earns nothing, nor do wash offers shown just before commits close', async (t) => {
  const [reveal, hidden, late] = play(
    named(SOLVERS, 'solver reveals 2 s late'), named(LATE, 'hidden wash: shown when commits are closed'), named(LATE, 'late wash: shown just before commits close')
  ) as [Gain, Gain, Gain]
  t.ok(reveal.honest > 0)
  t.ok(Math.abs(reveal.gain + reveal.honest) <= 1, 'all that an honest one earns is lost; means are rounded')
  t.ok(hidden.gain <= 0, 'hidden until commits are closed')
  t.ok(late.gain <= 0, 'shown late')
})

t.test('a late alternative of a machine does not make its own deals dearer', async (t) => {
  const [late] = play(named(LATE, 'provider: small late alternative')) as [Gain]
  t.equal(late.gain, 0)
})
