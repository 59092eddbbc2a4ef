import type { Address } from '../../src/wire/shapes.ts'
import type { Play } from './play.ts'
import { drawOf, type Job, type Unit, type World } from './world.ts'

/** A way to play for some of the agents; everybody else is honest. */
export interface Strategy {
  readonly name: string
  readonly play: (world: World, epochs: number) => Play
  /** Why a gain is known and accepted for now: it does not fail the run, and is always measured twice. */
  readonly known?: string
}

/** Creators are small: so many of them deviate at once. */
const CREATORS = 4

/** `count` members of the list by seed, none twice. */
export function some<T> (world: World, name: string, list: readonly T[], count: number): T[] {
  const left = [...list]
  return Array.from({ length: Math.min(count, left.length) }, (_, at) => left.splice(drawOf(world.seed, `${name}:${at}`, left.length), 1)[0] as T)
}

export const isCpu = ({ offer }: Job | Unit): boolean => offer.gpus.length === 0

/** The creators that deviate, the same in every strategy. */
export function creatorsOf (world: World, count = CREATORS): Job[] {
  return some(world, 'deviating creators', world.jobs.filter(isCpu), count)
}

/** The provider that deviates: the same in every strategy. */
export function providerOf (world: World): Unit {
  return some(world, 'deviating provider', world.units, 1)[0] as Unit
}

export function membersOf (...agents: ReadonlyArray<{ readonly account: Address } | Address>): ReadonlySet<Address> {
  return new Set(agents.map((agent) => typeof agent === 'string' ? agent : agent.account))
}

/** The world with other jobs or machines in the place of some; `undefined` leaves one out. */
export function replaceJobs (world: World, change: (job: Job) => readonly Job[]): World {
  return { ...world, jobs: world.jobs.flatMap(change) }
}

export function replaceUnits (world: World, change: (unit: Unit) => readonly Unit[]): World {
  return { ...world, units: world.units.flatMap(change) }
}

export function solverAt (world: World, at: number): Address {
  const solver = world.solvers[at]
  if (solver === undefined) throw new Error(`there is no solver ${at}`)
  return solver.signer.address
}
