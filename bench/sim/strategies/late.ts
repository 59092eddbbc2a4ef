import { BP } from '../../../src/match/integers.ts'
import { DEFAULT_AUCTION_RULES as AUCTION, DEFAULT_MATCH_RULES as RULES } from '../../../src/match/options.ts'
import { phasesOf } from '../../../src/match/phases.ts'
import { referenceAlone } from '../../../src/match/price.ts'
import { cutoffsOf, snapshotOf } from '../../../src/match/snapshot.ts'
import { planOf } from '../solve.ts'
import { biased, cheap, STRONG } from './solvers.ts'
import { isCpu, membersOf, providerOf, solverAt, type Strategy } from '../strategy.ts'
import { accountOf, GENESIS_SECONDS, idOf, type Job, type Times, type Unit, type World } from '../world.ts'

/** Before the commit deadline: late enough that nobody else solves with it, early enough that everybody counts it. */
const JUST_MS = 500
/** A wash job: the most cores of one machine for ten minutes. */
const WASH_CPU = 32_000
const WASH_SECONDS = 600

/** A job and a machine of two accounts of one owner for each epoch, at the edges of the band, shown from `from` on until commits are closed, to the other half `laterMs` later. Nobody ever consents for them. */
function washPairs (world: World, epochs: number, from: (phases: ReturnType<typeof phasesOf>) => number, { laterMs = 0, backdatedMs = 0 } = {}): { jobs: Job[], units: Unit[] } {
  const job = world.jobs.find(isCpu) as Job
  const unit = world.units.find(isCpu) as Unit
  const phases = Array.from({ length: epochs }, (_, epoch) => phasesOf(AUCTION, GENESIS_SECONDS, epoch))
  const resources = { cpuMilli: WASH_CPU, memoryMiB: 1024, diskMiB: 0 }
  const times = (atMs: number): Times => [atMs, atMs + laterMs]
  return {
    jobs: phases.map((at): Job => {
      const offer = { ...job.offer, gpus: [], resources, runSeconds: WASH_SECONDS, jobNumber: 1000 + at.epoch, verification: { strategy: 'receipt' as const, auditBp: 0 } }
      const limit = Math.floor(referenceAlone(offer, RULES) * 13 / 10)
      return { ...job, name: `wash job ${at.epoch}`, account: accountOf(world.seed, 'wash creator'), value: limit, offer: { ...offer, limit }, writtenMs: from(at) - backdatedMs, seenMs: times(from(at)), goneMs: times(at.commitDeadline) }
    }),
    units: phases.map((at): Unit => {
      const offer = { ...unit.offer, unit: `wash-${at.epoch}`, capacity: resources, ask: { base: 0, cpuMilliSecond: 0, memoryMiBSecond: 0, diskMiBSecond: 0 } }
      return { ...unit, name: `wash machine ${at.epoch}`, account: accountOf(world.seed, 'wash provider'), offer, truth: offer, freeCollateral: 1e15, writtenMs: from(at) - backdatedMs, firstMs: times(from(at)), goneMs: times(at.commitDeadline) }
    })
  }
}

const openWash: Strategy = {
  name: 'open wash: shown to all in time',
  play: (world, epochs) => {
    const wash = washPairs(world, epochs, (phases) => phases.epochStart - AUCTION.epochMs / 2)
    return { members: membersOf(solverAt(world, STRONG)), world: { ...world, jobs: [...world.jobs, ...wash.jobs], units: [...world.units, ...wash.units] } }
  }
}

/** In time for one half, too late for the other by so many graces before the start: one where late begins, two where leads end; dated so that only this counts. */
function edgeWash (graces: 1 | 2): Strategy {
  return {
    name: `edge wash: backdated, ${graces === 1 ? 'late' : 'fresh'} for one half only`,
    ...(graces === 1 ? { known: 'where late begins one half of the mesh counts in full what the other counts one tick' } : {}),
    play: (world, epochs) => {
      const wash = washPairs(world, epochs, ({ epochStart }) => epochStart - graces * AUCTION.epochMs * AUCTION.graceBp / BP - 1, { laterMs: 900, backdatedMs: AUCTION.epochMs })
      return { members: membersOf(solverAt(world, STRONG)), world: { ...world, jobs: [...world.jobs, ...wash.jobs], units: [...world.units, ...wash.units] } }
    }
  }
}

/** `ally`: what the wash pair makes win is not the best solution, but the one that helps this provider. */
function late (ally?: (world: World) => Unit): Strategy['play'] {
  return (world, epochs) => {
    const wash = washPairs(world, epochs, (phases) => phases.commitDeadline - JUST_MS)
    const own = ally?.(world)
    return {
      members: membersOf(solverAt(world, STRONG), ...own === undefined ? [] : [own]), solvers: [STRONG], world: { ...world, jobs: [...world.jobs, ...wash.jobs], units: [...world.units, ...wash.units] },
      say: (turn) => {
        const { phases, seen } = turn
        const { solver, solved } = own === undefined ? turn.honest(STRONG) : biased(turn, cheap(own.account, 0))
        const idOfRow = (rows: ReadonlyArray<{ row: { id: `0x${string}`, account: string }, firstSeenMs: number }>, account: string): `0x${string}` | undefined => rows.find(({ row, firstSeenMs }) => row.account === account && firstSeenMs === phases.commitDeadline - JUST_MS)?.row.id
        const job = idOfRow(seen[0].jobs, accountOf(world.seed, 'wash creator'))
        const offer = idOfRow(seen[0].offers, accountOf(world.seed, 'wash provider'))
        if (job === undefined || offer === undefined) throw new Error('the wash records are missing')
        const snapshot = snapshotOf(seen[0], { phases, cutoff: cutoffsOf(phases, AUCTION).verify, rules: RULES })
        return [planOf(solver, phases, snapshot, { ...solved, solution: { ...solved.solution, matches: [...solved.solution.matches, { job, offer, devices: [] }] } })]
      }
    }
  }
}

const lateWash: Strategy = { name: 'late wash: shown just before commits close', play: late() }
const lateAlly: Strategy = { name: 'late wash, solved as if a provider asked 0', play: late(providerOf) }

const hidden: Strategy = {
  name: 'hidden wash: shown when commits are closed',
  play: (world, epochs) => {
    const play = lateWash.play(world, epochs)
    const later = ([one, other]: Times): Times => [one + JUST_MS, other + JUST_MS]
    const isWash = ({ name }: Job | Unit): boolean => name.startsWith('wash')
    return {
      ...play,
      world: { ...play.world, jobs: play.world.jobs.map((job) => isWash(job) ? { ...job, seenMs: later(job.seenMs) } : job), units: play.world.units.map((unit) => isWash(unit) ? { ...unit, firstMs: later(unit.firstMs) } : unit) },
      say: ({ honest, phases, seen }) => {
        const { solver, solved } = honest(STRONG)
        const match = { job: idOf(world.seed, `job:wash job ${phases.epoch}:${phases.commitDeadline}:0`), offer: idOf(world.seed, `offer:wash machine ${phases.epoch}:${phases.commitDeadline}`), devices: [] }
        const snapshot = snapshotOf(seen[0], { phases, cutoff: { seenBeforeMs: phases.revealDeadline, lateFromMs: phases.revealDeadline, freshFromMs: phases.revealDeadline, datedFromMs: phases.revealDeadline }, rules: RULES })
        return [planOf(solver, phases, snapshot, { ...solved, solution: { ...solved.solution, matches: [...solved.solution.matches, match] } })]
      }
    }
  }
}

/** The world with an alternative of the provider's machine that has next to nothing free, shown just before commits close. */
function withAlternatives (world: World, own: Unit, epochs: number): World {
  const small = Array.from({ length: epochs }, (_, epoch): Unit => {
    const { commitDeadline } = phasesOf(AUCTION, GENESIS_SECONDS, epoch)
    const offer = { ...own.offer, capacity: { cpuMilli: 1, memoryMiB: 1, diskMiB: 0 } }
    return { ...own, name: `alternative ${epoch}`, offer, firstMs: [commitDeadline - JUST_MS, commitDeadline - JUST_MS], goneMs: [commitDeadline, commitDeadline] }
  })
  return { ...world, units: [...world.units, ...small] }
}

const loneAlternative: Strategy['play'] = (world, epochs) => {
  const own = providerOf(world)
  return { members: membersOf(own), world: withAlternatives(world, own, epochs) }
}

const alternative: Strategy = {
  name: 'solver and provider: small late alternative',
  play: (world, epochs) => {
    const own = providerOf(world)
    return {
      members: membersOf(solverAt(world, STRONG), own), solvers: [STRONG], world: withAlternatives(world, own, epochs),
      say: (turn) => [biased(turn, (snapshot) => ({ ...snapshot, offers: snapshot.offers.filter(({ account }) => account !== own.account) }))]
    }
  }
}

/** What a solver may try with records that come late, or not at all. */
export const LATE: readonly Strategy[] = [openWash, edgeWash(1), edgeWash(2), hidden, lateWash, lateAlly, alternative, { name: 'provider: small late alternative', play: loneAlternative }]
