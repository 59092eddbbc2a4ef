import { isOpened, openedBatchId } from '../chain/batch/layout.ts'
import { messageToOpening } from '../chain/batch/opening-message.ts'
import type { Chain } from '../chain/chain.ts'
import { isBatched } from '../deal/batched.ts'
import { DealError } from '../deal/errors.ts'
import type { DealTerms } from '../wire/deal-terms.ts'
import type { OpeningMessage } from '../wire/opening.ts'
import { isResolved } from './batch/resolved.ts'

type LiveChain = Pick<Chain, 'domain' | 'deployment' | 'blockTime' | 'stateOf' | 'slot'>

/**
 * Whether the chain holds the escrow of the deal with exactly these terms, and whether it is disputed; undefined: not, or no more, and then
 * never again. `opening`: of its leaf, which counts as long as it can be claimed. Rejects as Chain.stateOf, and with DealError DEAL_BAD_PROOF
 * where the opening's leaf is another deal.
 */
export async function liveState (chain: LiveChain, terms: DealTerms, opening?: OpeningMessage): Promise<'open' | 'disputed' | undefined> {
  // The leaf first: a claim between the two reads must not hide the deal from both.
  const isLeaf = opening !== undefined && await isOpenLeaf(chain, terms, opening)
  const state = await chain.stateOf(terms)
  if (state === 'Challenged' || state === 'Drawn') return 'disputed'
  return isLeaf || state === 'Open' || state === 'Submitted' ? 'open' : undefined
}

async function isOpenLeaf (chain: LiveChain, terms: DealTerms, message: OpeningMessage): Promise<boolean> {
  const { domain, deployment } = chain
  const opening = messageToOpening(message)
  const { solver, slot, leaf, expiry } = message
  if (!isBatched(terms) || !isOpened(domain, opening, terms)) throw new DealError('DEAL_BAD_PROOF', 'the leaf is not the deal with these terms', { data: { solver, slot, leaf } })
  return await chain.blockTime() <= expiry && !await isResolved(chain, { solver, slot }, openedBatchId(domain.chainId, deployment.contracts.batches, opening), leaf)
}
