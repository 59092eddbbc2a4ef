import type { Clock } from '../../core/clock.ts'
import type { Deal } from '../../deal/deal.ts'
import { isTerminal } from '../../deal/states.ts'
import type { Hash } from '../../wire/shapes.ts'
import type { DealBook } from '../deal-book.ts'
import type { Job, JobStore } from './job.ts'

/** This creator's jobs in memory, each on disk before anybody hears of its change, and the way from a deal to its job. */
export interface JobTable {
  all: () => Job[]
  /** By id, or by a prefix of at least 8 characters that only one has. */
  find: (id: string) => Job | undefined
  add: (job: Job) => void
  /** Changes the job, writes it to disk, tells listeners. */
  save: (job: Job, change: (job: Job) => void) => Promise<void>
  onSave: (listener: (job: Job) => void) => () => void
  jobOf: (deal: Deal) => Job | undefined
  bind: (deal: Deal, job: Job) => void
  dealsOf: (job: Job) => Deal[]
  /** The job's deal that has not ended. */
  activeDeal: (job: Job) => Deal | undefined
  /** Deals that still owe this node something: the open ones, and those that ended well while it was away. */
  waitingForResult: () => Deal[]
  load: () => Promise<void>
}

export function createJobTable (components: { jobs: JobStore, deals: Pick<DealBook, 'all' | 'get'>, clock: Clock }): JobTable {
  const { jobs: store, deals, clock } = components
  const jobs = new Map<Hash, Job>()
  const byDeal = new Map<Hash, Job>()
  const listeners = new Set<(job: Job) => void>()
  const dealsOf = (job: Job): Deal[] => job.deals.map((id) => deals.get(id)).filter((deal) => deal !== undefined)
  return {
    all: () => [...jobs.values()],
    find: (id) => {
      const named = jobs.get(id as Hash)
      if (named !== undefined || id.length < 8) return named
      const [found, ...others] = [...jobs.values()].filter((job) => job.id.startsWith(id))
      return others.length === 0 ? found : undefined
    },
    add: (job) => { jobs.set(job.id, job) },
    save: async (job, change) => {
      change(job)
      job.updatedAtMs = clock.now()
      await store.save(job)
      for (const listener of listeners) listener(job)
    },
    onSave: (listener) => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    jobOf: (deal) => byDeal.get(deal.dealId),
    bind: (deal, job) => { byDeal.set(deal.dealId, job) },
    dealsOf,
    activeDeal: (job) => {
      const deal = dealsOf(job).at(-1)
      return deal === undefined || isTerminal(deal.state) ? undefined : deal
    },
    waitingForResult: () => deals.all().filter((deal) => !isTerminal(deal.state) ||
      ((deal.state === 'ResultsAccepted' || deal.state === 'MediationAccepted') && byDeal.get(deal.dealId)?.result === undefined)),
    load: async () => {
      for (const job of await store.load()) jobs.set(job.id, job)
    }
  }
}
