import { sha256 } from 'viem'
import type { Chain, ChainEvent } from '../chain/chain.ts'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { MediatorVerdict } from '../deal/deal.ts'
import { DealError } from '../deal/errors.ts'
import type { Executor } from '../exec/executor.ts'
import type { Signer } from '../identity/signer.ts'
import type { Mesh } from '../mesh/mesh.ts'
import type { Blocks } from '../store/blocks.ts'
import type { Datastore } from '../store/datastore.ts'
import { drawPanel, neededVerdicts } from '../verify/panel.ts'
import { drawAudit } from '../verify/strategy.ts'
import { decodeMessage, encodeMessage, MAX_DEAL_MESSAGE_BYTES, MEDIATE_PROTOCOL, mediateRequestShape, type MediateRequest } from '../wire/deal-room.ts'
import { drawSeed, mediatorRoot, OUTCOMES, resultCommitDigest, verdictDigest } from '../wire/deal-messages.ts'
import { dealIdOf, dealTermsDigest } from '../wire/deal-terms.ts'
import { jobOfferShape } from '../wire/job-offer.ts'
import { decodeBody, decodeRecord } from '../wire/record.ts'
import { decodeResultManifest } from '../wire/result-manifest.ts'
import type { Hash } from '../wire/shapes.ts'
import { recoverSigner } from '../wire/signature.ts'
import type { Contacts } from './contacts.ts'
import { createGivenVerdicts, type VerdictSubject } from './given-verdicts.ts'
import { liveState } from './live-deal.ts'
import { createReruns } from './reruns.ts'
import { createSeats } from './seats.ts'
import { cidDigest, executionOf, resultTree, stageJob } from './run-job.ts'

export interface MediatorComponents { mesh: Pick<Mesh, 'requests'>, contacts: Pick<Contacts, 'peerOf'>, blocks: Blocks, executor: Executor, chain: Pick<Chain, 'domain' | 'deployment' | 'mediators' | 'onEvent' | 'blockTime' | 'stateOf' | 'slot'>, datastore: Pick<Datastore, 'get' | 'put' | 'delete' | 'entries'>, signer: Signer, clock: Clock, logger: Logger }

const STAGE_TIMEOUT_MS = 30_000
/** Between two looks for verdicts and seats that can be forgotten. */
const SWEEP_MS = 3_600_000
/** protocol/deal-room.md: an asker holds its place while it waits, and has a job of a minute looked at within one request. */
const LIMITS = { maxBytes: MAX_DEAL_MESSAGE_BYTES, perPeerPerSecond: 5, concurrency: 32, perPeer: 4, timeoutMs: 120_000 }
const NO_EVIDENCE: Hash = `0x${'0'.repeat(64)}`

/** The mediator role: re-executes the deals on chain that it was drawn for, and signs what it found. */
export function createMediator (components: MediatorComponents): Startable {
  const { blocks, executor, chain, signer, clock, logger } = components
  const { domain } = chain
  const stopping = new AbortController()
  const given = createGivenVerdicts(components)
  const seats = createSeats(components)
  const reruns = createReruns({ signal: stopping.signal })
  let release = (): void => undefined
  let sweeping = Promise.resolve()

  /** Believes nothing of the request but what signatures and the draw prove. */
  const check = async (request: MediateRequest): Promise<VerdictSubject> => {
    const { terms } = request
    const { core, rest } = terms
    const digest = dealTermsDigest(domain, terms)
    if (recoverSigner(digest, request.creatorSignature) !== core.creator || recoverSigner(digest, request.providerSignature) !== core.provider) {
      throw new DealError('DEAL_BAD_SIGNATURE', 'the terms are not signed by both parties')
    }
    const dealId = dealIdOf(domain, core.creator, core.jobNumber, core.attempt)
    if (mediatorRoot(request.mediators) !== rest.mediatorRoot) throw new DealError('DEAL_TERMS_DIFFER', 'the mediator list is not the one in the terms', { data: { field: 'mediatorRoot' } })
    const { mediator } = drawAudit(dealId, rest, { creator: request.creatorSalt, provider: request.providerSalt }, request.mediators)
    if (mediator !== signer.address && !await hasSeat(request, dealId)) throw new DealError('DEAL_NOT_DRAWN', `the drawn mediator is ${mediator ?? 'nobody'}, not ${signer.address}`, { data: { dealId } })
    const manifest = sha256(request.manifest)
    const commit = resultCommitDigest(domain, { dealId, manifest, outputRoot: request.outputRoot })
    if (recoverSigner(commit, request.resultSignature) !== core.provider) throw new DealError('DEAL_BAD_SIGNATURE', 'the result is not signed by the provider', { data: { dealId } })
    const record = decodeRecord(domain, request.jobRecord)
    if (record.id !== rest.jobOfferId) throw new DealError('DEAL_UNKNOWN_OFFER', 'the job record is not the one in the terms', { data: { dealId } })
    return { dealId, manifest, terms }
  }

  /** In the dispute's first panel, as far as that can be told before the chain draws it, or by the chain's own word. */
  const hasSeat = async ({ terms: { rest }, mediators, creatorSalt, providerSalt }: MediateRequest, dealId: Hash): Promise<boolean> => {
    if (await seats.has(dealId)) return true
    const live = new Set((await chain.mediators()).map(({ address }) => address))
    return drawPanel(drawSeed(creatorSalt, providerSalt, dealId), mediators, 2 * neededVerdicts(rest) - 1, (each) => live.has(each)).includes(signer.address)
  }

  const rerun = async (request: MediateRequest, dealId: Hash, peer: string): Promise<{ outcome: number, evidence: Hash }> => {
    const job = decodeBody(jobOfferShape, decodeRecord(domain, request.jobRecord))
    const claimed = decodeResultManifest(request.manifest)
    try {
      // The creator may hold no more than the module's name; who ran it holds all of it.
      const provider = components.contacts.peerOf(request.terms.core.provider)
      const from = provider === undefined ? [peer] : [peer, provider]
      const staged = await stageJob(blocks, job, { signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(STAGE_TIMEOUT_MS + job.stageSeconds * 1000)]), from })
      const outcome = await executor.run(executionOf(job, staged, dealId), { signal: stopping.signal })
      // A deadline is wall time: two machines need not agree on it, so it decides nothing.
      if (outcome.reason === 'timeout' || claimed.reason === 'timeout') return { outcome: OUTCOMES.inconclusive, evidence: NO_EVIDENCE }
      const evidence = cidDigest(await blocks.addTree(resultTree(outcome), { pin: false, signal: stopping.signal }))
      return { outcome: evidence === request.outputRoot && outcome.exitCode === claimed.exitCode ? OUTCOMES.correct : OUTCOMES.wrong, evidence }
    } catch (error) {
      // A run that this node ended by itself tells nothing of the result.
      if (stopping.signal.aborted) throw error
      logger.warn('mediator.rerun', { dealId, error: errorMessage(error) })
      return { outcome: OUTCOMES.inconclusive, evidence: NO_EVIDENCE }
    }
  }

  const mediate = async (request: MediateRequest, peer: string): Promise<MediatorVerdict> => {
    const subject = await check(request)
    const { dealId, manifest, terms } = subject
    return await given.of(subject, async () => {
      const state = await liveState(chain, terms, request.leaf)
      if (state === undefined) throw new DealError('DEAL_NOT_LIVE', 'the chain holds no open deal with these terms', { data: { dealId }, hint: 'A leaf that nobody claimed is shown by its opening.' })
      const { outcome, evidence } = await reruns.run({ dealId, creator: terms.core.creator, isDisputed: state === 'disputed' }, async () => await rerun(request, dealId, peer))
      logger.info('mediator.verdict', { dealId, outcome })
      return { mediator: signer.address, outcome, evidence, signature: signer.sign(verdictDigest(domain, { dealId, manifest, outcome, evidence })) }
    })
  }

  const sweep = async (): Promise<void> => {
    try {
      await seats.sweep()
      await given.sweep()
    } catch (error) {
      logger.warn('mediator.sweep', { error: errorMessage(error) })
    }
  }

  return {
    start: async () => {
      await sweep()
      const unwatch = chain.onEvent(async (event: ChainEvent) => {
        if (event.name !== 'MediatorDrawn' || event.args.mediator !== signer.address) return
        reruns.urge(event.args.dealId)
        await seats.add(event.args.dealId, event.blockTime)
      })
      const unserve = components.mesh.requests.serve(MEDIATE_PROTOCOL, LIMITS, async (payload, { peer }) => encodeMessage(await mediate(decodeMessage(mediateRequestShape, payload, 'mediation request'), peer)))
      let cancel = (): void => undefined
      const again = (): void => { cancel = clock.after(SWEEP_MS, () => { sweeping = sweep().then(again) }) }
      again()
      release = () => { unserve(); unwatch(); cancel() }
    },
    stop: async () => {
      release()
      stopping.abort(new Error('the node is stopping'))
      await given.settled()
      await sweeping
      release()
    }
  }
}
