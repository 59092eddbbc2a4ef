import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { Deal } from '../../deal/deal.ts'
import { isTerminal } from '../../deal/states.ts'
import type { Blocks } from '../../store/blocks.ts'
import { VerifyError } from '../../verify/errors.ts'
import type { DealBook } from '../deal-book.ts'
import type { DealRoom } from '../deal-room.ts'
import { noteProblem } from '../problem.ts'
import type { Job } from './job.ts'
import type { Judge } from './judge.ts'
import { checkResultMessage, fetchResult, writeResultFolder } from './receive.ts'

export interface ReceiverComponents { deals: DealBook, room: Pick<DealRoom, 'status'>, blocks: Blocks, chain: Pick<Chain, 'domain'>, clock: Clock, logger: Logger, judge: Judge }
export interface ReceiverOptions {
  signal: AbortSignal
  /** Where a deal's result folder goes. */
  pathOf: (deal: Deal) => string
  onComplete: (deal: Deal, result: NonNullable<Job['result']>) => Promise<void>
}

/** One try to fetch a result; large outputs take several. */
const FETCH_TIMEOUT_MS = 60_000
/** A creator that came back asks its providers for what it missed, this often per deal. */
const ASK_AGAIN_MS = 2_000

/** Brings results home: fetches, compares, writes the folder, then lets the judge decide. One task per deal, resumed after a crash. */
export function createReceiver (components: ReceiverComponents, options: ReceiverOptions): { receive: (deal: Deal) => void, resume: (waiting: readonly Deal[]) => void, idle: () => Promise<void> } {
  const { deals, blocks, chain, clock, logger, judge } = components
  const tasks = new Map<string, Promise<void>>()
  const complete = new Set<string>()
  const asked = new Map<string, number>()

  const bringHome = async (deal: Deal): Promise<void> => {
    if (deal.result === undefined) return
    logger.debug('result.heard', { dealId: deal.dealId })
    if (judge.acceptsUnseen(deal)) await judge.accept(deal)
    if (!complete.has(deal.dealId)) {
      try {
        const { manifest, tree } = await fetchResult(blocks, chain.domain, deal, AbortSignal.any([options.signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]))
        logger.debug('result.fetched', { dealId: deal.dealId })
        const path = options.pathOf(deal)
        await writeResultFolder(path, tree)
        complete.add(deal.dealId)
        await options.onComplete(deal, { cid: deal.result.outputsCid, path, exitCode: manifest.exitCode, reason: manifest.reason, guestMs: manifest.meter.wallMs })
      } catch (error) {
        if (!(error instanceof VerifyError)) throw error
        logger.warn('result.wrong', { dealId: deal.dealId, code: error.code, error: error.message })
        await judge.dispute(deal)
        return
      }
    }
    // Kept here too before the provider is paid and may let go of it.
    const { outputsCid, manifestCid } = deal.result
    await Promise.all([outputsCid, manifestCid].map(async (cid) => { await blocks.pin(cid, { signal: options.signal }) }))
    if (!isTerminal(deal.state)) await judge.judge(deal)
  }

  const receive = (deal: Deal): void => {
    if (tasks.has(deal.dealId)) return
    const task = bringHome(deal)
      .catch(async (error: unknown) => {
        if (options.signal.aborted) return
        logger.info('result.retry', { dealId: deal.dealId, code: errorCode(error), error: errorMessage(error) })
        await noteProblem({ deals, logger }, deal, error)
      })
      .finally(() => { tasks.delete(deal.dealId) })
    tasks.set(deal.dealId, task)
  }

  /** Asks the provider what became of a deal that should have moved: its message may have come while we were away. */
  const ask = async (deal: Deal): Promise<void> => {
    const answer = await components.room.status(deal)
    if (answer.result === undefined || deal.result !== undefined) return
    await noteResult(deals, deal, checkResultMessage(chain.domain, deal, answer.result))
    receive(deal)
  }

  return {
    receive,
    resume: (waiting) => {
      for (const deal of waiting) {
        const last = asked.get(deal.dealId) ?? deal.updatedAtMs
        if (clock.now() - last < ASK_AGAIN_MS || tasks.has(deal.dealId)) continue
        asked.set(deal.dealId, clock.now())
        if (deal.result !== undefined) receive(deal)
        else if (deal.state !== 'DealNegotiating') void ask(deal).catch((error: unknown) => { logger.debug('deal.status', { dealId: deal.dealId, error: errorMessage(error) }) })
      }
    },
    idle: async () => { await Promise.allSettled(tasks.values()) }
  }
}

/** Journals a checked result; the deal may be over on chain already when the creator was away. */
export async function noteResult (deals: DealBook, deal: Deal, result: NonNullable<Deal['result']>): Promise<void> {
  const applied = await deals.apply(deal, 'delivered', (changed) => { changed.result = result })
  if (!applied) await deals.update(deal, (changed) => { changed.result = result })
}
