import { passes, REASONS, type ReasonCode } from '../admissible.ts'
import type { Market } from '../market.ts'
import { createBidders, type Bidders, type Runs } from './bidders.ts'
import { enlarged, firstOf, roomFor } from './column-room.ts'
import { keptOf, type Allowed } from './kept-columns.ts'
import type { JobClass, JobClasses } from './job-classes.ts'
import { createSupplies, type Kind, type Supplies } from './supplies.ts'
import { supplyOf, writeAlike, writeMixed } from './supply.ts'
import type { UnitClasses } from './unit-classes.ts'

/**
 * Which job class may run on which alternative of which unit class, and what that costs; columns of one unit class are neighbours. Amounts are integers in
 * doubles, nLILY. Every admissible pair of jobs and offers in classes has a column; not every pair with a column is admissible, since accounts' collateral and
 * accounts that a job avoids are left out.
 */
export interface Columns {
  /** Columns of unit class u are start[u] to start[u + 1] - 1. */
  readonly start: Int32Array
  /** The run of its job class's bids: they are clipped round the reference price, which hangs on the devices. */
  readonly run: Int32Array
  /** What is taken off the bid, and the whole ask. */
  readonly cost: Float64Array
  readonly ask: Float64Array
  readonly supplies: Supplies
  readonly runs: Runs
  /** Clipped limits in the order of each class's jobs, one run for each reference price of the class. */
  readonly bids: Float64Array
}

/** Constraints that hang on accounts or time: seen to while classes are made. */
const SEEN: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['self', 'validity', 'matched', 'avoid', 'target', 'creators', 'group'])
/** Constraints on rows before those on amounts, without those. */
export const ACCESS = REASONS.slice(0, REASONS.indexOf('cpu')).filter((reason) => !SEEN.has(reason))

/** Columns that room is made for at once, 42 MB of address space, and at first. */
const MOST_ROOM = 2 ** 21
const FIRST_ROOM = 4096

/** Columns, and what those of the next epoch may be copied from. */
export interface Making { readonly columns: Columns, readonly jobs: JobClasses, readonly units: UnitClasses, readonly bidders: Bidders, readonly allowed: Allowed }

/** O(job classes * unit classes); for what `before`, of the same rules, has as well only O(columns). */
export function columnsOf (market: Market, jobs: JobClasses, units: UnitClasses, before?: Making): Making {
  const bidders = createBidders(market, jobs)
  const allowed = units.accesses.map((offer) => jobs.accesses.map((job) => ACCESS.every((reason) => passes(reason, job, offer, market))))
  const kept = before === undefined ? undefined : keptOf(before, { jobs, units, bidders, allowed })
  const classes = Int32Array.from(jobs.classes.keys())
  const ofAccess = (list: Int32Array): Demanding[] => allowed.map((letsIn) => byDemand(bidders, list.filter((at) => letsIn[(jobs.classes[at] as JobClass).access])))
  const all = ofAccess(classes)
  const fresh = kept === undefined ? all : ofAccess(classes.filter((at) => kept.isKept[at] === 0))
  let room = Math.min(MOST_ROOM, units.classes.reduce((sum, { accesses }) => sum + accesses.reduce((most, access) => most + (all[access] as Demanding).all.length, 0), FIRST_ROOM))
  let out = roomFor(room)
  let count = 0
  const makeRoom = (more: number): void => {
    while (room < count + more) {
      room *= 2
      out = enlarged(out, room)
    }
  }
  const start = new Int32Array(units.classes.length + 1)
  const supplies = createSupplies()
  units.classes.forEach(({ offers, accesses, shares }, at) => {
    const place = kept?.units[at] ?? -1
    const before = place >= 0 ? kept : undefined
    const keptCount = before?.countOf(place) ?? 0
    supplies.nextUnit()
    offers.forEach((row, alternative) => {
      const demanding = (before === undefined ? all : fresh)[accesses[alternative] as number] as Demanding
      const supply = supplyOf(row, { alternative, shares, bidders, rules: market.rules })
      makeRoom(keptCount + demanding.all.length * (supply.groups.length + 2))
      const begin = (kind: Kind): void => {
        const number = supplies.add(kind, count)
        count = before?.copy(place, number, out, count) ?? count
      }
      begin(supply.none.kind)
      count = writeAlike(supply, supply.none, demanding.plain, out, count)
      for (const group of supply.groups) {
        begin(group.kind)
        count = writeAlike(supply, group, demanding.alike, out, count)
      }
      begin(supply.mixed)
      if (supply.groups.length > 1 || demanding.alike.length + demanding.plain.length < demanding.all.length) count = writeMixed(supply, demanding.all, out, count)
    })
    start[at + 1] = count
  })
  return { columns: { start, ...firstOf(out, count), supplies: supplies.all(count), runs: bidders.runs(), bids: bidders.bids() }, jobs, units, bidders, allowed }
}

/** Job classes that an offer lets in: all, those without GPUs, those whose GPUs are all the same. */
interface Demanding { readonly all: Int32Array, readonly plain: Int32Array, readonly alike: Int32Array }

function byDemand ({ devices, share }: Bidders, all: Int32Array): Demanding {
  return { all, plain: all.filter((job) => devices[job] === 0), alike: all.filter((job) => (share[job] as number) > 0) }
}
