import { epochsSince, type Phases } from '../../src/match/phases.ts'
import { DEFAULT_AUCTION_RULES as AUCTION } from '../../src/match/options.ts'
import type { Resources } from '../../src/wire/job-offer.ts'
import type { ResourceOffer } from '../../src/wire/resource-offer.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import type { Sightings } from './half.ts'
import { idOf, spread, type HalfAt, type Job, type Times, type Unit } from './world.ts'

/** A record of a job or a machine, and when each half saw it come and go. */
interface Held<T> { readonly id: Hash, readonly of: T, readonly writtenMs: number, readonly seenMs: Times, goneMs?: Times }
export interface HeldJob extends Held<Job> { readonly avoid: readonly Address[] }
export interface HeldUnit extends Held<Unit> { readonly offer: ResourceOffer, readonly freeCollateral: number }

/** A run on a machine: it holds its share until `endMs`, unix ms. */
export interface Running { readonly unit: Unit, readonly demand: Resources, readonly shares: ReadonlyMap<number, number>, readonly collateral: number, readonly endMs: number }

/** All records of a run of the market, with those that are gone. */
export function createSimBook (seed: number): {
  readonly jobs: HeldJob[]
  readonly units: HeldUnit[]
  addJob: (job: Job, change?: { avoid: readonly Address[], atMs: number }) => void
  addUnit: (unit: Unit, atMs?: number, running?: readonly Running[]) => void
  remove: (held: HeldJob | HeldUnit, atMs: number) => void
  seenBy: (half: HalfAt, phases: Phases) => Sightings
} {
  const jobs: HeldJob[] = []
  const units: HeldUnit[] = []
  const gone = ({ goneMs }: Job | Unit): { goneMs?: Times } => goneMs === undefined ? {} : { goneMs }
  /** A record that goes after commits are closed is there in this epoch. */
  const goneFor = ({ goneMs }: HeldJob | HeldUnit, half: HalfAt, { commitDeadline }: Phases): { goneMs?: number } => goneMs === undefined || goneMs[half] >= commitDeadline ? {} : { goneMs: goneMs[half] }
  const spreadOf = (of: Job | Unit, atMs: number): Times => spread(seed, `${of.name}:${atMs}`, of.account, atMs)
  return {
    jobs, units,
    addJob: (job, change) => {
      const times = change === undefined ? job.seenMs : spreadOf(job, change.atMs)
      jobs.push({ id: idOf(seed, `job:${job.name}:${times[0]}:${change?.avoid.length ?? 0}`), of: job, seenMs: times, avoid: change?.avoid ?? [], writtenMs: change?.atMs ?? job.writtenMs, ...gone(job) })
    },
    addUnit: (unit, atMs, running = []) => {
      const times = atMs === undefined ? unit.firstMs : spreadOf(unit, atMs)
      const locked = running.filter((run) => run.unit.account === unit.account).reduce((sum, { collateral }) => sum + collateral, 0)
      units.push({ id: idOf(seed, `offer:${unit.name}:${times[0]}`), of: unit, writtenMs: atMs ?? unit.writtenMs ?? Math.min(...times), seenMs: times, offer: residual(unit, running), freeCollateral: Math.max(0, unit.freeCollateral - locked), ...gone(unit) })
    },
    remove: (held, atMs) => { held.goneMs = spreadOf(held.of, atMs) },
    seenBy: (half, phases) => ({
      jobs: jobs.map((held) => ({
        row: { id: held.id, account: held.of.account, offer: { ...held.of.offer, avoid: [...held.avoid] }, ageEpochs: epochsSince(AUCTION, held.writtenMs, phases.epochStart) },
        writtenMs: held.writtenMs, firstSeenMs: held.seenMs[half], ...goneFor(held, half, phases)
      })),
      offers: units.map((held) => ({ row: { id: held.id, account: held.of.account, offer: held.offer, freeCollateral: held.freeCollateral }, writtenMs: held.writtenMs, firstSeenMs: held.seenMs[half], ...goneFor(held, half, phases) }))
    })
  }
}

/** What the machine states as free beside these runs. */
function residual (unit: Unit, running: readonly Running[]): ResourceOffer {
  const own = running.filter((run) => run.unit === unit)
  const free = (key: keyof Resources): number => Math.max(0, own.reduce((left, { demand }) => left - demand[key], unit.offer.capacity[key]))
  return {
    ...unit.offer, capacity: { cpuMilli: free('cpuMilli'), memoryMiB: free('memoryMiB'), diskMiB: free('diskMiB') },
    gpus: unit.offer.gpus.map((gpu, place) => ({ ...gpu, shareBp: Math.max(0, own.reduce((left, { shares }) => left - (shares.get(place) ?? 0), gpu.shareBp)) }))
  }
}

/** Whether the machine really has what these runs take together. */
export function isWithin (unit: Unit, running: readonly Running[]): boolean {
  const { capacity, gpus } = unit.truth
  const taken = (key: keyof Resources): number => running.reduce((sum, { demand }) => sum + demand[key], 0)
  return (['cpuMilli', 'memoryMiB', 'diskMiB'] as const).every((key) => taken(key) <= capacity[key]) &&
    gpus.every(({ shareBp }, place) => running.reduce((sum, { shares }) => sum + (shares.get(place) ?? 0), 0) <= shareBp)
}
