import { concat, keccak256, zeroHash } from 'viem'
import { encodeCbor } from '../wire/cbor.ts'
import { mediatorRoot, type MediatorList } from '../wire/deal-messages.ts'
import { BATCHED_LANE, PLAIN_REST, type DealTerms } from '../wire/deal-terms.ts'
import type { JobOffer } from '../wire/job-offer.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { linesRootOf, type Line } from '../wire/statement.ts'
import { DealError } from './errors.ts'
import { sumOf } from './lines.ts'
import { SUBMIT_MARGIN_SECONDS, type DealParameters } from './options.ts'

/** Everything that decides the terms of a deal. Both sides build them from their own knowledge and compare. */
export interface TermsInput {
  job: JobOffer
  creator: Address
  jobOfferId: Hash
  provider: Address
  resourceOfferId: Hash
  solver: Address
  solutionId: Hash
  price: number
  fee: number
  collateral: number
  /** Whom a batch pays beside provider and solver; a deal by itself pays none. */
  lines: readonly Line[]
  /** Hash of the certificates that the price was taken from; zero: none. */
  certificateSet: Hash
  mediators: MediatorList
  parameters: DealParameters
  parametersHash: Hash
  /** The provider's choices. */
  lane: number
  openBy: number
  providerSaltHash: Hash
  /** The creator's choice. */
  creatorSaltHash: Hash
}

const STRATEGY_NUMBER = { none: 0, receipt: 1, audit: 2, replicate: 3, compare: 4 } as const

/** The one form that terms can have for a match: pure, so that creator, provider and mediator arrive at the same. */
export function buildTerms (input: TermsInput): DealTerms {
  const { job, parameters } = input
  const audited = job.verification.strategy === 'audit'
  const lines = input.lane === BATCHED_LANE ? input.lines : []
  return {
    core: {
      creator: input.creator,
      provider: input.provider,
      feeTo: input.solver,
      price: input.price,
      fee: input.fee,
      // A provider that cheats pays the audit that finds it, beside the fine: the creator shall not.
      collateral: input.collateral + (audited ? parameters.auditFee + parameters.claimFee : 0),
      reserve: (audited ? parameters.auditFee + parameters.claimFee : 0) + sumOf(lines),
      jobNumber: job.jobNumber,
      attempt: job.attempt,
      lane: input.lane,
      openBy: input.openBy
    },
    rest: {
      jobOfferId: input.jobOfferId,
      resourceOfferId: input.resourceOfferId,
      solutionId: input.solutionId,
      verification: STRATEGY_NUMBER[job.verification.strategy],
      auditBp: job.verification.strategy === 'audit' ? job.verification.auditBp : 0,
      mediatorRoot: input.mediators.mediators.length === 0 ? zeroHash : mediatorRoot(input.mediators),
      creatorSaltHash: input.creatorSaltHash,
      providerSaltHash: input.providerSaltHash,
      startBy: input.openBy + parameters.startSeconds + job.stageSeconds,
      submitSeconds: Math.max(parameters.submitSeconds, job.runSeconds + SUBMIT_MARGIN_SECONDS),
      // A mediator fetches and runs the job again, which takes as long as the first time.
      judgeSeconds: parameters.judgeSeconds + (audited ? job.stageSeconds + job.runSeconds : 0),
      challengeSeconds: parameters.challengeSeconds + job.stageSeconds + job.runSeconds,
      claimFee: parameters.claimFee,
      auditFee: parameters.auditFee,
      parameters: input.parametersHash,
      ...PLAIN_REST,
      linesRoot: linesRootOf(lines),
      // 0 and 1 are the same panel; networks that name none have 0 in their terms.
      verdicts: parameters.verdicts ?? 0,
      appealSeconds: parameters.appealSeconds ?? 0,
      certificateSet: input.certificateSet,
      watcher: job.watcher
    }
  }
}

/** Throws DealError DEAL_TERMS_DIFFER naming the first field in which the other side's terms are not ours. */
export function assertSameTerms (ours: DealTerms, theirs: DealTerms): void {
  for (const part of ['core', 'rest'] as const) {
    for (const [field, value] of Object.entries(ours[part])) {
      const other = (theirs[part] as Record<string, unknown>)[field]
      if (other !== value) throw new DealError('DEAL_TERMS_DIFFER', `terms differ in ${field}: ours ${value}, theirs ${String(other)}`, { data: { field, ours: value, theirs: other } })
    }
  }
}

/** Hash of the network's parameters, as terms pin them. */
export function hashParameters (parameters: unknown): Hash {
  return keccak256(encodeCbor(parameters))
}

/** Mediators that a deal names at most (protocol/deal.md): sets may bring in more. */
const MAX_DRAWN = 32

/** The mediators that both sides trust and that have a live bond, with the bond as weight; parties and solver are left out. The first 32 by address. */
export function commonMediators (job: readonly Address[], offer: readonly Address[], bonded: ReadonlyMap<Address, number>, excluded: readonly Address[]): MediatorList {
  const mediators = job.filter((address) => offer.includes(address) && (bonded.get(address) ?? 0) > 0 && !excluded.includes(address)).sort().slice(0, MAX_DRAWN)
  return { mediators, weights: mediators.map((address) => bonded.get(address) as number) }
}

/** A fresh salt per deal from secret and deal: lost state cannot lose it, and no two deals share one. */
export function saltFor (secret: Hash, dealId: Hash): Hash {
  return keccak256(concat([secret, dealId]))
}
