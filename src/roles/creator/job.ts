import { decode } from 'cborg'
import type { Clock } from '../../core/clock.ts'
import type { Datastore } from '../../store/datastore.ts'
import { encodeCbor } from '../../wire/cbor.ts'
import type { JobOffer } from '../../wire/job-offer.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import type { DealState } from '../../deal/states.ts'

/** One job of this creator, over all its attempts. Plain data, journalled like a deal. */
export interface Job {
  /** The deal id of attempt 0: what users name it by. */
  readonly id: Hash
  readonly jobNumber: number
  readonly slot: number
  /** The offer as it is, or was last, in the book. */
  offer: JobOffer
  offerId: Hash
  state: DealState
  /** Deals that were signed for it, oldest first. */
  deals: Hash[]
  /** Providers not to be tried again; `untilMs` 0: never again. */
  avoid: Array<{ provider: Address, untilMs: number }>
  readonly createdAtMs: number
  updatedAtMs: number
  /** When this node knew the winner that matched the job, and when the result folder was complete. */
  matchedAtMs?: number
  completedAtMs?: number
  settledAtMs?: number
  result?: { cid: string, path: string, exitCode: number, reason: string, guestMs: number }
  problem?: { code: string, message: string }
  /** Its number was nullified on chain: no further attempt can be opened. */
  isNullified?: boolean
}

/** A job is over when nothing will happen to it any more. */
export function isJobOver (job: Job): boolean {
  return job.state === 'Cancelled' || job.state === 'ResultsAccepted' || job.state === 'MediationAccepted' || (job.state === 'TimedOut' && job.problem !== undefined)
}

const PREFIX = '/job/'
const COUNTER_KEY = '/job-counter'
/** Jobs that share one word of nullifiers on chain: a fresh count starts at a word of its own. */
const JOBS_PER_WORD = 32

/** Jobs on disk. */
export interface JobStore {
  load: () => Promise<Job[]>
  save: (job: Job) => Promise<void>
  /**
   * A job number that was never given out, on disk before it is returned. A fresh disk counts from the time, so that an account
   * that lost its disk, or runs on two, does not name two jobs alike; `atLeast` lets the chain correct it.
   */
  nextNumber: (atLeast: number) => Promise<number>
}

export function createJobStore (components: { datastore: Pick<Datastore, 'get' | 'put' | 'entries'>, clock: Pick<Clock, 'now'> }): JobStore {
  const { datastore, clock } = components
  let turn: Promise<unknown> = Promise.resolve()
  return {
    load: async () => {
      const jobs: Job[] = []
      for await (const [, value] of datastore.entries(PREFIX)) jobs.push(decode(value) as Job)
      return jobs.sort((a, b) => a.jobNumber - b.jobNumber)
    },
    save: async (job) => {
      const plain = Object.fromEntries(Object.entries(job).filter(([, value]) => value !== undefined))
      await datastore.put(`${PREFIX}${String(job.jobNumber).padStart(16, '0')}`, encodeCbor(plain), { sync: true })
    },
    nextNumber: (atLeast) => {
      const next = turn.then(async () => {
        const stored = await datastore.get(COUNTER_KEY)
        const number = Math.max(atLeast, stored === undefined ? Math.floor(clock.now() / 1000) * JOBS_PER_WORD : (decode(stored) as number))
        await datastore.put(COUNTER_KEY, encodeCbor(number + 1), { sync: true })
        return number
      })
      turn = next.catch(() => undefined)
      return next
    }
  }
}
