import { sha256, zeroHash } from 'viem'
import type { Clock } from '../../core/clock.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { Chain } from '../../chain/chain.ts'
import type { Deal, DealResult } from '../../deal/deal.ts'
import { DealError } from '../../deal/errors.ts'
import { DEADLINE_SKEW_SECONDS } from '../../deal/timeouts.ts'
import { isTerminal } from '../../deal/states.ts'
import type { ExecutionOutcome, Executor } from '../../exec/executor.ts'
import type { Signer } from '../../identity/signer.ts'
import type { Blocks } from '../../store/blocks.ts'
import { resultCommitDigest, startReceiptDigest } from '../../wire/deal-messages.ts'
import { jobOfferShape, type JobOffer } from '../../wire/job-offer.ts'
import { decodeBody, decodeRecord } from '../../wire/record.ts'
import { encodeResultManifest } from '../../wire/result-manifest.ts'
import { recoverSigner } from '../../wire/signature.ts'
import type { DealBook } from '../deal-book.ts'
import type { DealRoom } from '../deal-room.ts'
import { noteProblem } from '../problem.ts'
import { cidDigest, executionOf, resultTree, type StagedJob } from '../run-job.ts'
import { createStaging } from './staging.ts'

export interface WorkComponents { deals: DealBook, room: Pick<DealRoom, 'start' | 'deliver'>, blocks: Blocks, executor: Executor, chain: Pick<Chain, 'domain'>, signer: Signer, clock: Clock, logger: Logger }

/** A fault a devnet provider can be told to commit, so that its detection can be shown. */
export type Fault = 'wrong-result'

/** How long a provider tries to reach a creator before it looks again. */
const RETRY_MS = 500

/**
 * Does the work of open deals: stages, exchanges the start receipt, runs, pins and signs the result, delivers it.
 * Every step is journalled, so `resume` after a crash goes on where the disk says.
 */
export function createWorker (components: WorkComponents, options: { signal: AbortSignal, fault?: Fault }): { stage: (deal: Deal) => void, work: (deal: Deal) => void, idle: () => Promise<void> } {
  const { deals, blocks, executor, signer, clock, logger, chain } = components
  const { domain } = chain
  const staging = createStaging({ blocks, clock, logger }, options)
  const running = new Map<string, Promise<void>>()

  const jobOf = (deal: Deal): JobOffer => decodeBody(jobOfferShape, decodeRecord(domain, deal.jobRecord))
  const run = async (deal: Deal): Promise<void> => {
    const job = jobOf(deal)
    if (deal.result === undefined) {
      const input = await staging.stage(deal, job)
      logger.debug('deal.staged', { dealId: deal.dealId })
      const execution = executionOf(job, input, deal.dealId)
      // Before the clock starts: from then on a run that cannot be made costs the collateral.
      executor.check(execution)
      await exchangeStartReceipt(deal, input)
      logger.info('deal.running', { dealId: deal.dealId, module: job.moduleName })
      const outcome = await executor.run(execution, { signal: options.signal })
      logger.debug('deal.ran', { dealId: deal.dealId, reason: outcome.reason, exitCode: outcome.exitCode })
      const result = await publishResult(deal, job, options.fault === 'wrong-result' ? falsify(outcome) : outcome)
      logger.debug('deal.pinned', { dealId: deal.dealId })
      await deals.apply(deal, 'delivered', (changed) => { changed.result = result })
    }
    // The blocks are on disk; pinning keeps them there and need not be waited for by the creator.
    const { outputsCid, manifestCid } = deal.result ?? {}
    const pinned = Promise.all([outputsCid, manifestCid].map(async (cid) => { if (cid !== undefined) await blocks.pin(cid, { signal: options.signal }) }))
    await Promise.all([deliverUntilHeard(deal), pinned])
    logger.debug('deal.delivered', { dealId: deal.dealId })
  }

  const exchangeStartReceipt = async (deal: Deal, input: StagedJob): Promise<void> => {
    if (deal.start?.creatorSignature !== undefined) return
    const latest = deal.terms.rest.startBy - DEADLINE_SKEW_SECONDS
    for (;;) {
      const startedAt = Math.floor(clock.now() / 1000)
      if (startedAt > latest) throw new DealError('DEAL_NOT_STARTED', 'the creator did not sign the start receipt in time')
      const receipt = { dealId: deal.dealId, inputRoot: input.inputRoot, sealedRoot: zeroHash, startedAt }
      const digest = startReceiptDigest(domain, receipt)
      const providerSignature = signer.sign(digest)
      const answer = await components.room.start(deal, { ...receipt, providerSignature }).catch((error: unknown) => { logger.debug('deal.start.retry', { dealId: deal.dealId, error: errorMessage(error) }) })
      if (answer !== undefined) {
        if (recoverSigner(digest, answer.creatorSignature) !== deal.terms.core.creator) throw new DealError('DEAL_BAD_SIGNATURE', 'the start receipt is not signed by the creator')
        await deals.apply(deal, 'started', (changed) => { changed.start = { inputRoot: receipt.inputRoot, sealedRoot: receipt.sealedRoot, startedAt, providerSignature, creatorSignature: answer.creatorSignature } })
        return
      }
      await clock.wait(RETRY_MS, options.signal)
    }
  }

  const publishResult = async (deal: Deal, job: JobOffer, outcome: ExecutionOutcome): Promise<DealResult> => {
    const outputsCid = await blocks.addTree(resultTree(outcome), { pin: false, signal: options.signal })
    const { bytes, digest } = encodeResultManifest({
      version: 1, dealId: deal.dealId, job: deal.terms.rest.jobOfferId, module: job.module, inputs: job.inputs, sealedInputs: '', outputs: outputsCid,
      reason: outcome.reason, exitCode: outcome.exitCode, message: outcome.message.slice(0, 1024),
      stdoutDigest: sha256(outcome.stdout), stderrDigest: sha256(outcome.stderr), meter: { wallMs: Math.round(outcome.meter.wallMs), memoryMiB: Math.ceil(outcome.meter.memoryMiB), fuel: 0 }, sealedOutputs: '',
      executor: executor.fingerprint, finishedAtMs: clock.now()
    })
    const manifestCid = await blocks.addBytes(bytes, { pin: false, signal: options.signal })
    const outputRoot = cidDigest(outputsCid)
    const signature = signer.sign(resultCommitDigest(domain, { dealId: deal.dealId, manifest: digest, outputRoot }))
    return { manifest: digest, outputRoot, manifestCid, outputsCid, manifestBytes: bytes, signature }
  }

  const deliverUntilHeard = async (deal: Deal): Promise<void> => {
    while (!isTerminal(deal.state) && deal.acceptance === undefined) {
      try {
        await components.room.deliver(deal)
        return
      } catch (error) {
        logger.debug('deal.deliver.retry', { dealId: deal.dealId, error: errorMessage(error) })
      }
      await clock.wait(RETRY_MS, options.signal)
    }
  }

  return {
    stage: (deal) => { staging.stage(deal, jobOf(deal)).catch((error: unknown) => { logger.debug('deal.stage', { dealId: deal.dealId, error: errorMessage(error) }) }) },
    work: (deal) => {
      if (running.has(deal.dealId)) return
      const task = run(deal).catch(async (error: unknown) => {
        if (options.signal.aborted) return
        logger.warn('deal.failed', { dealId: deal.dealId, code: errorCode(error), error: errorMessage(error) })
        await noteProblem({ deals, logger }, deal, error)
      }).finally(() => { running.delete(deal.dealId); staging.forget(deal) })
      running.set(deal.dealId, task)
    },
    idle: async () => { await Promise.allSettled(running.values()) }
  }
}

function falsify (outcome: ExecutionOutcome): ExecutionOutcome {
  return { ...outcome, stdout: new TextEncoder().encode('a result that was never computed\n') }
}
