import { z } from 'zod'
import { amountShape, uintShape } from '../wire/shapes.ts'

/** Deal parameters of a network. Both parties hold the same ones: their hash is in the terms. Times are seconds. */
export const dealParametersShape = z.strictObject({
  /** From consent to inclusion of `open`. */
  openSeconds: uintShape.min(1),
  /** From `openBy` to the latest start receipt. */
  startSeconds: uintShape.min(1),
  /** From the start receipt to the result, when the job's own limit is shorter. */
  submitSeconds: uintShape.min(1),
  /** How long the creator may look at a result that was put on chain. */
  judgeSeconds: uintShape.min(1),
  /** For each step of a challenge. */
  challengeSeconds: uintShape.min(1),
  /** How long a creator's statement may wait for its solver to settle; then the provider settles. */
  settleSeconds: uintShape.min(1),
  /** What a silent creator, a lost challenge or a slashed provider pays the other side for its costs. */
  claimFee: amountShape,
  /** What a mediator earns for a verdict; what the panel of a dispute earns together. */
  auditFee: amountShape,
  /** Verdicts that must agree in a dispute: 2k - 1 mediators sit for k. Left out: 1. */
  verdicts: uintShape.min(1).max(4).optional(),
  /** What a batched deal pays to the pool, in 1/10,000 of its price. Left out: nothing. */
  poolBp: uintShape.max(1000).optional(),
  /** How long a ruling waits for an appeal, where the deployment names a judge. Left out: as the Court has it by itself. */
  appealSeconds: uintShape.max(4_294_967_295).optional()
})
export type DealParameters = z.output<typeof dealParametersShape>

/** A day's work on a public chain: inclusion within minutes, judges that sleep. */
export const DEFAULT_DEAL_PARAMETERS: DealParameters = {
  openSeconds: 300, startSeconds: 600, submitSeconds: 900, judgeSeconds: 3600, challengeSeconds: 3600, settleSeconds: 600, claimFee: 10_000_000, auditFee: 50_000_000
}

/** Short enough to watch. A machine that runs eight nodes at once may be slow to start the first jobs. */
export const DEVNET_DEAL_PARAMETERS: DealParameters = {
  openSeconds: 10, startSeconds: 20, submitSeconds: 20, judgeSeconds: 10, challengeSeconds: 10, settleSeconds: 2, claimFee: 1_000_000, auditFee: 5_000_000
}

/** Seconds that a run may take beyond the job's own limit before the result counts as late: staging and pinning. */
export const SUBMIT_MARGIN_SECONDS = 10

/** Attempts of a job: the contract's limit, since 8 of them share a word of nullifiers with other jobs. */
export const MAX_ATTEMPTS = 8
