import type { Snapshot, Solution } from '../../../src/match/problem.ts'
import { tickFor } from '../../../src/match/ticks.ts'
import { verifySolution } from '../../../src/match/verify.ts'
import type { Ask } from '../../../src/wire/resource-offer.ts'
import { solveSnapshot } from '../half.ts'
import type { Turn } from '../play.ts'
import { NEVER, planOf, postingOf, solve, type Plan } from '../solve.ts'
import { creatorsOf, membersOf, providerOf, solverAt, some, type Strategy } from '../strategy.ts'
import { signerOf, type Times } from '../world.ts'

/** The strongest solver deviates, but for the copier, who is the weakest. */
export const STRONG = 0
const WEAK = 4

/** What the strongest solver finds on a book that it changed for itself. */
export function biased ({ world, phases, seen, honest }: Turn, change: (snapshot: Snapshot) => Snapshot, signer = honest(STRONG).solver): Plan {
  const snapshot = solveSnapshot(seen[0], phases)
  const { rounds } = world.solvers[STRONG] as Turn['world']['solvers'][number]
  const { solution } = solve(change(snapshot), { rounds, seed: world.seed * 1000 + phases.epoch })
  return planOf(signer, phases, snapshot, { solution })
}

const copy: Strategy = {
  name: 'weak solver posts a copy of the best reveal',
  play: (world) => ({
    world, members: membersOf(solverAt(world, WEAK)), solvers: [WEAK],
    say: ({ others, phases, honest }) => {
      const { solver, solved } = honest(WEAK)
      const [best] = others
      return best?.reveal === undefined ? [] : [postingOf(solver, phases, best.reveal.message.solution, solved)]
    }
  })
}

const stall: Strategy = {
  name: 'solver and provider: opens for the provider only',
  play: (world) => {
    const own = providerOf(world)
    const solver = solverAt(world, STRONG)
    return { world, members: membersOf(solver, own), stalls: (deal) => deal.solver === solver && deal.unit !== own }
  }
}

/** Shifts what a plan says after its commit. */
function shifted (plan: Plan, times: (at: Times) => Times): Plan {
  const { reveal, certificate } = plan
  return {
    ...plan, ...(reveal === undefined ? {} : { reveal: { ...reveal, atMs: times(reveal.atMs) } }), ...(certificate === undefined ? {} : { certificate: { ...certificate, atMs: times(certificate.atMs) } })
  }
}

function revealing (name: string, times: (at: Times) => Times): Strategy {
  return { name, play: (world) => ({ world, members: membersOf(solverAt(world, STRONG)), solvers: [STRONG], say: ({ honest }) => [shifted(honest(STRONG), times)] }) }
}

const LATE_MS = 2000

/** Two accounts commit, one to what helps the provider; the better one stays silent where the other would win all the same. */
const withhold: Strategy = {
  name: 'two accounts, provider: withholds the better solution',
  play: (world) => {
    const own = providerOf(world)
    const second = signerOf(world.seed, 'second account')
    return {
      world, members: membersOf(solverAt(world, STRONG), own, second.address), solvers: [STRONG], bonded: [second.address],
      say: (turn) => {
        const better = turn.honest(STRONG)
        const helping = biased(turn, cheap(own.account, 90), second)
        const snapshot = solveSnapshot(turn.seen[0], turn.phases)
        const scoreOf = (solution: Solution): number => verifySolution(snapshot, solution).score
        const rivals = Math.max(0, ...turn.others.map(({ solved }) => scoreOf(solved.solution)))
        return scoreOf(helping.solved.solution) > rivals ? [shifted(better, () => [NEVER, NEVER]), helping] : [better, shifted(helping, () => [NEVER, NEVER])]
      }
    }
  }
}

/** The account's asks at a share: so a solver that colludes with it sees the book. */
export function cheap (account: string, percent: number): (snapshot: Snapshot) => Snapshot {
  const down = (price: number): number => tickFor(Math.floor(price * percent / 100))
  return (snapshot) => ({
    ...snapshot,
    offers: snapshot.offers.map((row) => row.account === account
      ? { ...row, offer: { ...row.offer, ask: lowered(row.offer.ask, down), gpus: row.offer.gpus.map((gpu) => ({ ...gpu, secondAsk: down(gpu.secondAsk) })) } }
      : row)
  })
}

function lowered ({ base, cpuMilliSecond, memoryMiBSecond, diskMiBSecond }: Ask, down: (price: number) => number): Ask {
  return { base: down(base), cpuMilliSecond: down(cpuMilliSecond), memoryMiBSecond: down(memoryMiBSecond), diskMiBSecond: down(diskMiBSecond) }
}

function collude (name: string, percent: number): Strategy {
  return {
    name,
    play: (world) => {
      const own = providerOf(world)
      return { world, members: membersOf(solverAt(world, STRONG), own), solvers: [STRONG], say: (turn) => [biased(turn, cheap(own.account, percent))] }
    }
  }
}

/** Jobs that the solver leaves out for its creators. */
const RIVALS = 8

const censor: Strategy = {
  name: 'solver and creators: leaves 8 rival jobs out',
  play: (world) => {
    const own = creatorsOf(world)
    const rivals = new Set(some(world, 'censored', world.jobs.filter((job) => !own.includes(job)), RIVALS).map(({ account }) => account))
    return {
      world, members: membersOf(solverAt(world, STRONG), ...own), solvers: [STRONG],
      say: (turn) => [biased(turn, (snapshot) => ({ ...snapshot, jobs: snapshot.jobs.filter(({ account }) => !rivals.has(account)) }))]
    }
  }
}

/** What solvers may try with what they say, alone or with a party. */
export const SOLVERS: readonly Strategy[] = [
  copy, stall, withhold, censor, collude('solver and provider: solves as if ask were 0', 0), collude('solver and provider: solves as if ask were 90 %', 90), revealing('solver reveals 2 s late', ([one, other]) => [one + LATE_MS, other + LATE_MS]), revealing('solver reveals to half of the mesh', ([one]) => [one, NEVER])
]
