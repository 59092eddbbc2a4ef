import type { Address } from '../../wire/shapes.ts'
import type { Market } from '../market.ts'
import type { JobRow } from '../problem.ts'
import { jobShapesOf } from './job-shapes.ts'

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
  /** The same for two jobs of one class, and accounts with offers that may not serve it. `own`: a job that is a class of its own, by number. */
  of: (row: JobRow, own?: number) => { readonly key: number | string, readonly banned: readonly number[] }
  /** The part that decides whom a job may be served by, besides amounts. */
  accessOf: (row: JobRow) => string
  /** Accounts that audited jobs trust: of no others it matters who they are. */
  readonly mediators: ReadonlySet<Address>
}

export function createJobKeys ({ jobs, rules }: Market, { accounts, modules, starts }: Interests): JobKeys {
  const shapes = jobShapesOf(rules)
  const mediators = new Set<Address>()
  for (const { trusted } of new Set(jobs.map(({ offer }) => shapes.of(offer)))) for (const address of trusted) mediators.add(address)
  const isAskedFor = ({ account, offer }: JobRow): boolean => mediators.has(account) || modules.has(offer.module)
  const askedOf = ({ account, offer }: JobRow): string => `${mediators.has(account) ? account : ''} ${modules.has(offer.module) ? offer.module : ''}`
  const reachOf = ({ offer }: JobRow): number => countUntil(starts, offer.deadline - (offer.stageSeconds + offer.runSeconds) * 1000)
  /** Accounts with offers that may not serve the job. */
  const bannedBy = ({ account, offer: { avoid } }: JobRow): readonly number[] => {
    const own = accounts.get(account)
    if (avoid.length === 0) return own === undefined ? NOBODY : [own]
    return [...new Set([account, ...avoid])].flatMap((other) => accounts.get(other) ?? []).sort((left, right) => left - right)
  }
  return {
    mediators,
    of: (row, own) => {
      const banned = bannedBy(row)
      const age = Math.min(row.ageEpochs ?? 0, rules.maxAgeEpochs)
      // Most jobs are told apart by numbers alone, which costs less than by texts.
      const number = (shapes.of(row.offer).number * (rules.maxAgeEpochs + 1) + age) * (starts.length + 1) + reachOf(row)
      return { banned, key: banned.length === 0 && own === undefined && !isAskedFor(row) ? number : `${number} ${askedOf(row)} ${banned.join()} ${own ?? ''}` }
    },
    accessOf: (row) => `${askedOf(row)} ${reachOf(row)} ${shapes.of(row.offer).access}`
  }
}

const NOBODY: readonly number[] = []

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
