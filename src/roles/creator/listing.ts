import type { Author } from '../../book/author.ts'
import type { BookReplica } from '../../book/replica.ts'
import type { Clock } from '../../core/clock.ts'
import type { Address } from '../../wire/shapes.ts'
import type { Job } from './job.ts'
import type { JobTable } from './job-table.ts'

/** How long an offer stands in the book unless it is matched or renewed. */
export const OFFER_VALID_MS = 50 * 60_000
/** A job offer names at most this many providers to leave out; see protocol/job-offer.md. */
const MAX_AVOID = 64

/** A job's offer in the book: put there, renewed, taken out. */
export interface Listing {
  /** Puts the job (back) into the book with what was learnt. */
  publish: (job: Job) => Promise<void>
  withdraw: (job: Job) => Promise<void>
  /** Renews an offer that has grown old or leaves out the wrong providers; ends a job whose deadline passed. */
  renew: (job: Job) => Promise<void>
  /** Ends the job for good, with the reason. */
  giveUp: (job: Job, code: string, message: string) => Promise<void>
}

export function createListing (components: { table: JobTable, author: Author, replica: Pick<BookReplica, 'publish'>, clock: Clock }): Listing {
  const { table, author, replica, clock } = components

  /** Whom the job's offer shall leave out at this moment. */
  const avoidNow = (job: Job): Address[] => {
    const avoid = job.avoid.filter((entry) => entry.untilMs === 0 || entry.untilMs > clock.now()).map((entry) => entry.provider)
    return [...new Set(avoid)].slice(-MAX_AVOID)
  }
  const publish = async (job: Job): Promise<void> => {
    const offer = { ...job.offer, avoid: avoidNow(job), validUntil: clock.now() + OFFER_VALID_MS }
    const record = await author.put('job', job.slot, offer)
    await table.save(job, (changed) => { changed.offer = offer; changed.offerId = record.id })
    await replica.publish(record)
  }
  const withdraw = async (job: Job): Promise<void> => { await replica.publish(await author.cancel(job.slot)) }
  const giveUp = async (job: Job, code: string, message: string): Promise<void> => {
    await table.save(job, (changed) => { changed.state = 'TimedOut'; changed.problem = { code, message } })
    await withdraw(job)
  }
  return {
    publish,
    withdraw,
    giveUp,
    renew: async (job) => {
      if (job.offer.deadline < clock.now()) await giveUp(job, 'JOB_EXPIRED', 'the deadline passed before a provider finished the job')
      else if (job.offer.validUntil - clock.now() < OFFER_VALID_MS / 2 || !sameList(job.offer.avoid, avoidNow(job))) await publish(job)
    }
  }
}

function sameList (a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}
