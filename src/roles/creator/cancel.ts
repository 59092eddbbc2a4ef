import { nullifyCall } from '../../chain/calls.ts'
import type { Chain } from '../../chain/chain.ts'
import { isBatched } from '../../deal/batched.ts'
import type { Deal } from '../../deal/deal.ts'
import { isTerminal } from '../../deal/states.ts'
import type { Signer } from '../../identity/signer.ts'
import { nullifyDigest } from '../../wire/deal-messages.ts'
import { dealIdOf } from '../../wire/deal-terms.ts'
import type { DealBook } from '../deal-book.ts'
import { RoleError } from '../errors.ts'
import { isJobOver, type Job } from './job.ts'
import type { JobTable } from './job-table.ts'
import type { Listing } from './listing.ts'

export interface CancelComponents {
  table: JobTable
  listing: Listing
  deals: Pick<DealBook, 'get' | 'apply' | 'onUpdate'>
  chain: Pick<Chain, 'domain' | 'deployment' | 'send' | 'stateOf'>
  signer: Signer
}

/**
 * Takes a job back. Where consent may be out already, the nullifier on chain makes sure that nobody can open the deal any
 * more, unless it was faster. RoleError JOB_UNKNOWN, JOB_OVER, JOB_BOUND.
 */
export async function cancelJob (components: CancelComponents, jobId: string, signal: AbortSignal): Promise<Job> {
  const { table, listing, deals, chain, signer } = components
  const job = table.find(jobId)
  if (job === undefined) throw new RoleError('JOB_UNKNOWN', `no job ${jobId} here`, { data: { job: jobId }, hint: 'List them with "lilynode jobs".' })
  if (isJobOver(job)) throw new RoleError('JOB_OVER', `job ${jobId} is already ${job.state}`, { data: { job: jobId, state: job.state }, hint: 'There is nothing left to cancel; "lilynode job ID" shows how it ended.' })
  // The deal may be so new that the job does not name it yet.
  const latest = deals.get(dealIdOf(chain.domain, signer.address, job.jobNumber, job.offer.attempt))
  const deal = latest === undefined || isTerminal(latest.state) ? undefined : latest
  const bound = (state: string): RoleError => new RoleError('JOB_BOUND', `job ${jobId} is ${state}: its deal is open and will end by itself`, { data: { job: jobId, state }, hint: 'Wait for its result, or for the refund after its deadline.' })
  if (deal !== undefined && deal.state !== 'DealNegotiating') throw bound(deal.state)
  if (deal !== undefined) {
    await table.save(job, (changed) => { changed.isNullified = true })
    try {
      const { jobNumber } = job
      await chain.send(nullifyCall(chain, { creator: signer.address, jobNumber, signature: signer.sign(nullifyDigest(chain.domain, { jobNumber })) }), { name: 'nullify', signal })
    } catch (error) {
      await table.save(job, (changed) => { changed.isNullified = false })
      throw error
    }
    // The chain says which was first; a batch shows by its event, which comes before that of the nullifier.
    if (isBatched(deal.terms)) await untilDecided(deals, deal, signal)
    const onChain = await chain.stateOf(deal.terms)
    if (onChain !== 'None') throw bound(`${onChain} on chain`)
    if (deal.batch !== undefined) throw bound('in a batch')
  }
  // At once, before anything waits: a consent that is being negotiated looks at it before it signs.
  await table.save(job, (changed) => { changed.state = 'Cancelled' })
  await listing.withdraw(job)
  if (deal !== undefined) await deals.apply(deal, 'nullified')
  return job
}

async function untilDecided (deals: Pick<DealBook, 'onUpdate'>, deal: Deal, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      if (deal.batch === undefined && deal.state === 'DealNegotiating' && !signal.aborted) return
      stop()
      signal.removeEventListener('abort', look)
      if (signal.aborted) reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      else resolve()
    }
    const stop = deals.onUpdate(look)
    signal.addEventListener('abort', look)
    look()
  })
}
