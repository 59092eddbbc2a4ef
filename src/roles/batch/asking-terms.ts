import type { Batch } from '../../chain/batch/layout.ts'
import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { dealTermsDigest, type Consent } from '../../wire/deal-terms.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import { recoverSigner } from '../../wire/signature.ts'
import { isLeafOf } from './foreign-leaves.ts'

/** How often a solver is asked before it is accused. */
const ASKS = 3
/** Between two asks: an accusation of who was only restarting costs the stake, so of what time there is an eighth, within these. */
const LEAST_PAUSE_SECONDS = 5
const MOST_PAUSE_SECONDS = 60

/**
 * Whether a leaf's solver shows terms that both of its owners signed: another node of the account may have, or this one before it lost its disk.
 * `leftSeconds`: until it is too late for an accusation. Rejects only when the signal aborts.
 */
export function createAskingTerms (
  components: { chain: Pick<Chain, 'domain' | 'speaksFor'>, askConsent: (solver: Address, dealId: Hash) => Promise<Consent>, clock: Clock, logger: Logger }, { signal }: { signal: AbortSignal }
): (batch: Batch, leaf: number, dealId: Hash, leftSeconds: number) => Promise<boolean> {
  const { chain, askConsent, clock, logger } = components
  /** As the contract takes it: the account's own signature, or that of an operator of its sessions. */
  const isWordOf = async (account: Address, signer: Address | undefined): Promise<boolean> => signer !== undefined && (signer === account || await chain.speaksFor(account, signer))
  return async (batch, leaf, dealId, leftSeconds) => {
    for (let ask = 0; ask < ASKS; ask++) {
      try {
        const { terms, creatorSignature, providerSignature } = await askConsent(batch.solver, dealId)
        const digest = dealTermsDigest(chain.domain, terms)
        return isLeafOf(batch, leaf, terms) && await isWordOf(terms.core.creator, recoverSigner(digest, creatorSignature)) && await isWordOf(terms.core.provider, recoverSigner(digest, providerSignature))
      } catch (error) {
        logger.debug('batch.ask-consent', { dealId, solver: batch.solver, error: errorMessage(error) })
        if (ask < ASKS - 1) await clock.wait(1000 * Math.min(MOST_PAUSE_SECONDS, Math.max(LEAST_PAUSE_SECONDS, leftSeconds / 8)), signal)
      }
    }
    return false
  }
}
