import type { Address } from '../../wire/shapes.ts'
import type { Market } from '../market.ts'
import { trustedBy } from '../mediators.ts'
import type { JobRow } from '../problem.ts'
import { isTickJob } from '../score.ts'

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
  /** Engines leave it out: another offer of the same job stands for it, or a member of its group is narrowed. Bounds count it. */
  readonly idle: boolean
}

export interface JobClasses {
  readonly classes: readonly JobClass[]
  /** A job of each number of access. */
  readonly accesses: readonly JobRow[]
  /** Per job of the market: its limit, nLILY. */
  readonly limits: Float64Array
  /** Jobs that stand alone and only listed providers may serve: each of their pairs counts one tick, so they are placed last and are in no class. */
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

/** Groups the jobs that can be matched at all. */
export function jobClassesOf (market: Market, interests: Interests): JobClasses {
  const accessNumbers = new Map<string, number>()
  const accesses: JobRow[] = []
  const byKey = new Map<string, { row: JobRow, jobs: number[], access: number, banned: number[], bundle: number, idle: boolean }>()
  const narrowed: number[] = []
  const bundleOf = bundlesOf(market)
  const isIdle = idleJobs(market)
  const texts = createTexts()
  const limits = new Float64Array(market.jobs.length)
  market.jobs.forEach((row, at) => {
    const { offer } = row
    limits[at] = offer.limit
    if (row.incomplete === true || offer.validUntil <= market.atMs || offer.matchedUntil > market.atMs) return
    const bundle = bundleOf[at] as number
    const idle = isIdle[at] === 1
    if (isTickJob(row) && bundle < 0 && !idle) {
      narrowed.push(at)
      return
    }
    const accessKey = keyOfAccess(row, market, interests, texts)
    const access = accessNumbers.get(accessKey) ?? accesses.push(row) - 1
    accessNumbers.set(accessKey, access)
    const { cpuMilli, memoryMiB, diskMiB } = offer.resources
    const banned = bannedBy(row, interests)
    const gpus = offer.gpus.map(({ models, vramMiB, shareBp }) => `${models.length === 0 ? '' : texts.numberOf(JSON.stringify(models))}/${vramMiB}/${shareBp}`).join()
    const age = Math.min(row.ageEpochs ?? 0, market.rules.maxAgeEpochs)
    const key = `${access} ${cpuMilli} ${memoryMiB} ${diskMiB} ${offer.runSeconds} ${offer.collateralBp} ${age} ${gpus} ${banned.join()} ${bundle >= 0 || idle ? at : ''}`
    const known = byKey.get(key)
    if (known === undefined) byKey.set(key, { row, jobs: new Array<number>(market.copies[at] as number).fill(at), access, banned, bundle, idle })
    else known.jobs.push(at)
  })
  for (const { jobs } of byKey.values()) jobs.sort((left, right) => (limits[right] as number) - (limits[left] as number) || left - right)
  return { classes: [...byKey.values()], accesses, limits, narrowed }
}

/** Accounts with offers that may not serve the job. */
function bannedBy ({ account, offer }: JobRow, { accounts }: Interests): number[] {
  const own = accounts.get(account)
  if (offer.avoid.length === 0) return own === undefined ? [] : [own]
  return [...new Set([account, ...offer.avoid])].flatMap((other) => accounts.get(other) ?? []).sort((left, right) => left - right)
}

/** Per job: the number of those with which it is matched all or none, members of a group or its own copies; -1: it stands alone. */
function bundlesOf ({ jobs, groupOf, groups, copies }: Market): Int32Array {
  let next = groups.length
  return Int32Array.from(jobs, (_, at) => (groupOf[at] as number) >= 0 ? groupOf[at] as number : (copies[at] as number) > 1 ? next++ : -1)
}

/** 1 for jobs that engines leave out. Of jobs that exclude each other the larger limit stays. */
function idleJobs ({ jobs, tasks, tasksOf, groups }: Market): Uint8Array {
  const idle = new Uint8Array(jobs.length)
  const limit = (at: number): number => (jobs[at] as JobRow).offer.limit
  if (tasks < tasksOf.reduce((sum, own) => sum + own.length, 0)) {
    const taken = new Uint8Array(tasks)
    for (const at of [...jobs.keys()].sort((left, right) => limit(right) - limit(left) || left - right)) {
      const own = tasksOf[at] as readonly number[]
      if (own.some((task) => taken[task] === 1)) idle[at] = 1
      else for (const task of own) taken[task] = 1
    }
  }
  for (const members of groups) {
    if (members.some((at) => idle[at] === 1 || isTickJob(jobs[at] as JobRow))) for (const at of members) idle[at] = 1
  }
  jobs.forEach((row, at) => { if (isTickJob(row) && 'replicas' in row.offer.verification) idle[at] = 1 })
  return idle
}

function keyOfAccess ({ account, offer }: JobRow, { rules }: Market, { mediators, modules, starts }: Interests, { numberOf }: Texts): string {
  const latest = offer.deadline - (offer.stageSeconds + offer.runSeconds) * 1000
  let reach = 0
  while (reach < starts.length && (starts[reach] as number) <= latest) reach++
  const { strategy } = offer.verification
  const verified = 'replicas' in offer.verification ? `${offer.verification.quorum <= offer.verification.replicas}` : strategy
  const trusted = strategy === 'audit' ? trustedBy(offer, rules).map(numberOf).join() : ''
  return `${mediators.has(account) ? numberOf(account) : ''} ${modules.has(offer.module) ? numberOf(offer.module) : ''} ${reach} ${verified} ${trusted} ${numberOf(offer.sealKey)} ${offer.minReputationBp} ${numberOf(offer.engine)} ${numberOf(offer.market)}`
}

/** Long texts by number: keys made of them are short, and strangers' texts cannot make two different jobs have one key. */
interface Texts { numberOf: (text: string) => number }

function createTexts (): Texts {
  const numbers = new Map<string, number>()
  return {
    numberOf: (text) => {
      const found = numbers.get(text)
      if (found !== undefined) return found
      numbers.set(text, numbers.size)
      return numbers.size - 1
    }
  }
}
