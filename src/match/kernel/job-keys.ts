import { placesBefore } from '../by-id.ts'
import type { Address } from '../../wire/shapes.ts'
import type { Market } from '../market.ts'
import type { JobRow } from '../problem.ts'
import { jobShapesOf, type JobShape } from './job-shapes.ts'

/** What the offers of a market look at in a job; all else is left out of the classes' keys. */
export interface Interests {
  /** Accounts by number: providers. */
  readonly accounts: ReadonlyMap<Address, number>
  readonly modules: ReadonlySet<string>
  /** Times at which offers start, ascending, unix ms. */
  readonly starts: readonly number[]
}

/** What tells jobs of one market apart. */
export interface JobKeys {
  /** The same for two jobs of one class. `own`: a job that is a class of its own, by number. */
  keyOf: (row: JobRow, own?: number) => number | string
  /** The same for the job at a place of the market. */
  keyAt: (at: number, own?: number) => number | string
  /** Accounts with offers that may not serve the job: the same for two jobs of one class. */
  bannedBy: (row: JobRow) => readonly number[]
  /** The part that decides whom a job may be served by, besides amounts. */
  accessOf: (row: JobRow) => string
  /** Accounts that audited jobs trust: of no others it matters who they are. */
  readonly mediators: ReadonlySet<Address>
  /** Per job of the market: its shape; and 1 when numbers alone tell it apart. */
  readonly shapes: readonly JobShape[]
  readonly isPlain: Uint8Array
  readonly interests: Interests
}

/** Keys of a market and the market, for those of the next. */
export interface KnownKeys { readonly market: Market, readonly keys: JobKeys }

export function createJobKeys ({ jobs, rules }: Market, interests: Interests, before?: KnownKeys): JobKeys {
  const { accounts, modules, starts } = interests
  const known = jobShapesOf(rules)
  const last = keptOf(jobs, before)
  const shapes = jobs.map(({ offer }, at) => last.shapes[at] ?? known.of(offer))
  const mediators = new Set<Address>()
  for (const { trusted } of new Set(shapes)) for (const address of trusted) mediators.add(address)
  const isAskedFor = ({ account, offer }: JobRow): boolean => mediators.has(account) || modules.has(offer.module)
  const askedOf = ({ account, offer }: JobRow): string => `${mediators.has(account) ? account : ''} ${modules.has(offer.module) ? offer.module : ''}`
  const reachOf = ({ offer }: JobRow): number => countUntil(starts, offer.deadline - (offer.stageSeconds + offer.runSeconds) * 1000)
  const bannedBy = ({ account, offer: { avoid } }: JobRow): readonly number[] => {
    const own = accounts.get(account)
    if (avoid.length === 0) return own === undefined ? NOBODY : [own]
    return [...new Set([account, ...avoid])].flatMap((other) => accounts.get(other) ?? []).sort((left, right) => left - right)
  }
  const numberOf = (row: JobRow, shape: JobShape): number => (shape.number * (rules.maxAgeEpochs + 1) + Math.min(row.ageEpochs ?? 0, rules.maxAgeEpochs)) * (starts.length + 1) + reachOf(row)
  const textOf = (row: JobRow, number: number, own?: number): string => `${number} ${askedOf(row)} ${bannedBy(row).join()} ${own ?? ''}`
  const areNumbersEnough = (row: JobRow): boolean => bannedBy(row).length === 0 && !isAskedFor(row)

  // Whether they are hangs on nothing else.
  const asLast = last.accounts === accounts && haveSame(last.mediators, mediators) && haveSame(last.modules, modules)
  const isPlain = Uint8Array.from(jobs, (row, at) => (asLast ? last.isPlain[at] : undefined) ?? Number(areNumbersEnough(row)))
  return {
    mediators, shapes, isPlain, interests, bannedBy,
    keyOf: (row, own) => {
      const number = numberOf(row, known.of(row.offer))
      return own === undefined && areNumbersEnough(row) ? number : textOf(row, number, own)
    },
    keyAt: (at, own) => {
      const row = jobs[at] as JobRow
      const number = numberOf(row, shapes[at] as JobShape)
      // Most jobs are told apart by numbers alone, which costs less than by texts.
      return own === undefined && isPlain[at] === 1 ? number : textOf(row, number, own)
    },
    accessOf: (row) => `${askedOf(row)} ${reachOf(row)} ${known.of(row.offer).access}`
  }
}

const NOBODY: readonly number[] = []

/** What was known of jobs that say the same as before, but for their age. Apart, since what `createJobKeys` returns would hold the keys of before, and those theirs. */
function keptOf (jobs: readonly JobRow[], before: KnownKeys | undefined): Omit<Interests, 'starts'> & { shapes: ReadonlyArray<JobShape | undefined>, isPlain: ReadonlyArray<number | undefined>, mediators: ReadonlySet<Address> } {
  if (before === undefined) return { shapes: [], isPlain: [], mediators: new Set(), accounts: new Map(), modules: new Set() }
  const { market, keys: { shapes, isPlain, mediators, interests: { accounts, modules } } } = before
  const places = placesBefore(jobs, market.jobs).map((place, at) => market.jobs[place]?.offer === jobs[at]?.offer && market.jobs[place]?.account === jobs[at]?.account ? place : -1)
  return { shapes: Array.from(places, (place) => shapes[place]), isPlain: Array.from(places, (place) => isPlain[place]), mediators, accounts, modules }
}

function haveSame<T> (left: ReadonlySet<T>, right: ReadonlySet<T>): boolean {
  return left.size === right.size && [...left].every((one) => right.has(one))
}

/** How many of the ascending times are not after this one. */
function countUntil (times: readonly number[], latest: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] as number) <= latest) low = middle + 1
    else high = middle
  }
  return low
}
