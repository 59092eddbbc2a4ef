import { verifyBound } from '../../../src/match/bound.ts'
import { hardwareKeyOf, keyOf, type Certificate } from '../../../src/match/certificate.ts'
import { kernelOf } from '../../../src/match/kernel/kernel.ts'
import { DEFAULT_AUCTION_RULES as AUCTION } from '../../../src/match/options.ts'
import type { Snapshot } from '../../../src/match/problem.ts'
import { roundPrice } from '../../../src/wire/certificate.ts'
import { solveSnapshot } from '../half.ts'
import type { Turn } from '../play.ts'
import { planOf, solve, type Plan } from '../solve.ts'
import { creatorsOf, membersOf, providerOf, solverAt, some, type Strategy } from '../strategy.ts'
import { signerOf, type Unit, type World } from '../world.ts'
import { thinUnits } from './bidders.ts'
import { STRONG } from './solvers.ts'

/** The certificate with the rents of these classes times `percent`. */
function scaled ({ entries }: Certificate, isOurs: (key: number) => boolean, percent: number): Certificate {
  return { entries: entries.map(({ key, prices }) => ({ key, prices: isOurs(key) ? prices.map((price) => roundPrice(price * percent / 100)) : prices })) }
}

/** Keys of the classes that the provider's machines are in. */
function keysOf (snapshot: Snapshot, account: string): ReadonlySet<number> {
  const { units } = kernelOf(snapshot)
  return new Set(units.classes.filter((unitClass) => unitClass.offers.some((offer) => offer.account === account)).flatMap((unitClass) => [keyOf(unitClass.key), hardwareKeyOf(unitClass)]))
}

/** As far as the bound stays near the lowest one of the others, a little less for the differences of snapshots. */
function furthest (snapshot: Snapshot, exact: Certificate, others: readonly Certificate[], { isOurs, steps }: { isOurs: (key: number) => boolean, steps: readonly number[] }): Certificate {
  const lowest = Math.min(...others.map((certificate) => verifyBound(snapshot, certificate)))
  const most = lowest * (1 + AUCTION.nearBp * 0.8 / 10_000)
  return steps.map((percent) => scaled(exact, isOurs, percent)).find((certificate) => verifyBound(snapshot, certificate) <= most) ?? exact
}

const UP = [1000, 500, 300, 200, 170, 150, 140, 130, 120, 115, 110, 105]
/** Steps of prices after which more bring nothing on a book of this size: the shift has all the room that there is. */
const EXACT_STEPS = 2000
const DOWN = [0, 20, 40, 50, 60, 70, 80, 85, 90, 95]

/** A shifted certificate by the strongest solver and by more accounts, whose solutions of one match take nothing off its lead. Each is a little different, as those of different engines are. */
function shiftedPlans (turn: Turn, accounts: number, isOurs: (snapshot: Snapshot) => (key: number) => boolean, steps: readonly number[]): Plan[] {
  const { solver, solved } = turn.honest(STRONG)
  const snapshot = solveSnapshot(turn.seen[0], turn.phases)
  const exact = solve(snapshot, { rounds: 0, steps: EXACT_STEPS, seed: turn.world.seed }).certificate
  if (exact === undefined) return [planOf(solver, turn.phases, snapshot, solved)]
  const others = turn.others.flatMap(({ solved: { certificate } }) => certificate === undefined ? [] : [certificate])
  const certificate = furthest(snapshot, exact, others, { isOurs: isOurs(snapshot), steps })
  return [solver, ...extraOf(turn.world, accounts)].map((signer, at) => planOf(signer, turn.phases, snapshot, { solution: { ...solved.solution, matches: at === 0 ? solved.solution.matches : solved.solution.matches.slice(0, 1) }, certificate: { entries: certificate.entries.slice(0, certificate.entries.length - at) } }))
}

function extraOf (world: World, accounts: number): ReturnType<typeof signerOf>[] {
  return Array.from({ length: accounts - 1 }, (_, at) => signerOf(world.seed, `shifter ${at}`))
}

function raise (name: string, accounts: number, providerIn: (world: World) => Unit | undefined): Strategy {
  return {
    name,
    play: (world) => {
      const own = providerIn(world)
      if (own === undefined) return { members: new Set(), world }
      const extra = extraOf(world, accounts).map(({ address }) => address)
      const isOurs = (snapshot: Snapshot): (key: number) => boolean => {
        const keys = keysOf(snapshot, own.account)
        return (key) => keys.has(key)
      }
      return { world, members: membersOf(solverAt(world, STRONG), own, ...extra), solvers: [STRONG], bonded: extra, say: (turn) => shiftedPlans(turn, accounts, isOurs, UP) }
    }
  }
}

function lower (name: string, accounts: number): Strategy {
  return {
    name,
    play: (world) => {
      const own = creatorsOf(world)
      const extra = extraOf(world, accounts).map(({ address }) => address)
      return { world, members: membersOf(solverAt(world, STRONG), ...own, ...extra), solvers: [STRONG], bonded: extra, say: (turn) => shiftedPlans(turn, accounts, () => () => true, DOWN) }
    }
  }
}

/** What solvers may try with certificates. */
export const PRICES: readonly Strategy[] = [
  raise('solver and provider: 1 certificate, dearer rents', 1, providerOf),
  raise('solver and provider: 3 certificates, dearer rents', 3, providerOf),
  raise('3 certificates, dearer rents, thin class', 3, (world) => some(world, 'thin provider', thinUnits(world), 1)[0]),
  lower('solver and creators: 1 certificate, cheaper rents', 1),
  lower('solver and creators: 3 certificates, cheaper rents', 3)
]
