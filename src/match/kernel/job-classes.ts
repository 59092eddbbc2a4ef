import type { Address } from '../../wire/shapes.ts'
import type { Market } from '../market.ts'
import type { JobRow } from '../problem.ts'

/** Jobs that differ in nothing but their limit, as far as this market can tell. */
export interface JobClass {
  /** One of them; what it asks for is what all ask for. */
  readonly row: JobRow
  /** Places in `market.jobs`, falling limits; canonical order among equals. A job for k providers stands k times. */
  readonly jobs: readonly number[]
  /** Which rules of access it has, as a number shared by classes. */
  readonly access: number
  /** Accounts that may not serve it. */
  readonly banned: readonly number[]
  /** Places that are taken all or none, with those of the same number; -1: each alone. */
  readonly bundle: number
}

export interface JobClasses {
  readonly classes: readonly JobClass[]
  /** A job of each number of access. */
  readonly accesses: readonly JobRow[]
  /** Jobs that only listed providers may serve: each of their pairs counts one tick, so they are placed last and are in no class. */
  readonly narrowed: readonly number[]
}

/** What the offers of a market look at in a job; all else is left out of the classes' keys. */
export interface Interests {
  /** Accounts by number: providers. */
  readonly accounts: ReadonlyMap<Address, number>
  readonly mediators: ReadonlySet<Address>
  readonly modules: ReadonlySet<string>
  /** Times at which offers start, ascending, unix ms. */
  readonly starts: readonly number[]
}

/** Groups the jobs that can be matched at all. One of several offers of a job (same account and number) is kept: the one of the largest limit. */
export function jobClassesOf (market: Market, interests: Interests): JobClasses {
  const accessNumbers = new Map<string, number>()
  const accesses: JobRow[] = []
  const byKey = new Map<string, { row: JobRow, jobs: number[], access: number, banned: number[], bundle: number }>()
  const narrowed: number[] = []
  const bundles = bundlesOf(market)
  for (const at of heads(market)) {
    const row = market.jobs[at] as JobRow
    const { offer } = row
    if (offer.validUntil <= market.atMs || offer.matchedUntil > market.atMs) continue
    if (offer.targets.length > 0) {
      narrowed.push(at)
      continue
    }
    const bundle = bundles.get(at) ?? -1
    if (bundle === INCOMPLETE) continue
    const accessKey = keyOfAccess(row, market, interests)
    const access = accessNumbers.get(accessKey) ?? accesses.push(row) - 1
    accessNumbers.set(accessKey, access)
    const banned = [...new Set([row.account, ...offer.avoid])].flatMap((account) => interests.accounts.get(account) ?? []).sort((left, right) => left - right)
    const { cpuMilli, memoryMiB, diskMiB } = offer.resources
    const gpus = offer.gpus.map(({ models, vramMiB, shareBp }) => `${models.join()}/${vramMiB}/${shareBp}`).join('|')
    const key = `${access} ${cpuMilli} ${memoryMiB} ${diskMiB} ${offer.runSeconds} ${offer.collateralBp} ${gpus} ${banned.join()} ${bundle < 0 ? '' : at}`
    const known = byKey.get(key)
    if (known === undefined) byKey.set(key, { row, jobs: new Array<number>(copiesOf(row)).fill(at), access, banned, bundle })
    else known.jobs.push(at)
  }
  const limit = (at: number): number => (market.jobs[at] as JobRow).offer.limit
  for (const { jobs } of byKey.values()) jobs.sort((left, right) => limit(right) - limit(left) || left - right)
  return { classes: [...byKey.values()], accesses, narrowed }
}

/** Providers that a job needs. */
export function copiesOf ({ offer: { verification } }: JobRow): number {
  return 'replicas' in verification ? verification.replicas : 1
}

const INCOMPLETE = -2

/** Jobs that are matched all or none, by number: members of a group, and jobs for several providers. */
function bundlesOf (market: Market): Map<number, number> {
  const groups = new Map<string, number[]>()
  market.jobs.forEach(({ account, offer: { group } }, at) => {
    if (group.size > 1) groups.set(`${account} ${group.id}`, [...groups.get(`${account} ${group.id}`) ?? [], at])
  })
  const bundles = new Map<number, number>()
  let next = 0
  for (const members of groups.values()) {
    const size = (market.jobs[members[0] as number] as JobRow).offer.group.size
    const places = new Set(members.map((at) => (market.jobs[at] as JobRow).offer.group.index))
    const whole = members.length === size && places.size === size && members.every((at) => (market.jobs[at] as JobRow).offer.group.size === size)
    for (const at of members) bundles.set(at, whole ? next : INCOMPLETE)
    next++
  }
  market.jobs.forEach((row, at) => {
    if (copiesOf(row) > 1 && !bundles.has(at)) bundles.set(at, next++)
  })
  return bundles
}

/** Of the offers of one job, the one of the largest limit; in canonical order. */
function heads (market: Market): number[] {
  const best = new Int32Array(market.tasks).fill(-1)
  market.jobs.forEach((row, at) => {
    const task = market.taskOf[at] as number
    const other = best[task] as number
    if (other < 0 || row.offer.limit > (market.jobs[other] as JobRow).offer.limit) best[task] = at
  })
  return [...best].sort((left, right) => left - right)
}

function keyOfAccess ({ account, offer }: JobRow, market: Market, { accounts, mediators, modules, starts }: Interests): string {
  const latest = offer.deadline - (offer.stageSeconds + offer.runSeconds) * 1000
  let reach = 0
  while (reach < starts.length && (starts[reach] as number) <= latest) reach++
  const verified = 'replicas' in offer.verification ? 'several' : offer.verification.strategy
  return [
    accounts.has(account) || mediators.has(account) ? account : '', offer.engine, modules.has(offer.module) ? offer.module : '', offer.market, reach, verified,
    verified === 'audit' ? `${offer.mediators.join()}/${offer.mediatorSets.join()}` : '', offer.sealKey, offer.minReputationBp, offer.locality.join()
  ].join(' ')
}
