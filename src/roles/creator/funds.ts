import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { sumOf } from '../../deal/lines.ts'
import type { Signer } from '../../identity/signer.ts'
import { feeFor } from '../../match/price.ts'
import type { JobOffer } from '../../wire/job-offer.ts'
import type { Hash } from '../../wire/shapes.ts'
import type { Line } from '../../wire/statement.ts'
import type { BatchPath } from '../batch/path.ts'
import { findLines } from '../deal-lines.ts'
import { RoleError } from '../errors.ts'
import type { SubmitOptions } from './submit.ts'

export interface FundsComponents { chain: Pick<Chain, 'account' | 'moduleVersion'>, path: Pick<BatchPath, 'spendable'>, signer: Pick<Signer, 'address'>, clock: Pick<Clock, 'now'>, versionOf: (manifest: string) => Promise<Hash> }
type Priced = Pick<JobOffer, 'limit' | 'verification'>

/** All that a job can cost, nLILY: price limit and fee on it; `alone` what an audit holds back, `batched` what its lines at that price are paid of. */
export function worstCost (offer: Priced, lines: readonly Line[], { rules, parameters }: Pick<SubmitOptions, 'rules' | 'parameters'>): { alone: number, batched: number } {
  const cost = offer.limit + feeFor(offer.limit, rules)
  return { alone: cost + (offer.verification.strategy === 'audit' ? parameters.auditFee + parameters.claimFee : 0), batched: cost + sumOf(lines) }
}

/** Rejects with RoleError JOB_UNFUNDED unless free money or the session's covers the worst that the job can cost; with DealError DEAL_WRONG_VERSION, ChainError. */
export async function assertFunded ({ chain, path, signer, clock, versionOf }: FundsComponents, options: Pick<SubmitOptions, 'rules' | 'parameters'>, offer: Priced & Pick<JobOffer, 'module'>): Promise<void> {
  const lines = await findLines({ chain }, { version: await versionOf(offer.module), manifest: offer.module, price: offer.limit, poolBp: options.parameters.poolBp })
  const { alone, batched } = worstCost(offer, lines, options)
  const [{ free }, inSession] = await Promise.all([chain.account(signer.address), path.spendable(signer.address, clock.now() / 1000)])
  // An audited job goes by itself.
  if (free >= alone || (offer.verification.strategy !== 'audit' && inSession >= batched)) return
  throw new RoleError('JOB_UNFUNDED', `the job can cost ${alone} nLILY of free money, or ${batched} of the session's, and the vault account ${signer.address} has ${free} free and ${inSession} in its session`, { data: { need: alone, inBatch: batched, free, inSession, account: signer.address }, hint: 'Deposit with "lilynode deposit AMOUNT", or lower --max-price.' })
}
