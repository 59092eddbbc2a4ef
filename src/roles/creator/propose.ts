import { errorCode, errorMessage } from '../../core/errors.ts'
import type { MatchRules } from '../../match/problem.ts'
import type { BetterAnswer, SignedAnswer } from '../../wire/deal-room.ts'
import type { Hash } from '../../wire/shapes.ts'
import type { AuctionView } from '../auction.ts'
import type { Pairing } from '../decision.ts'
import type { DealRoom } from '../deal-room.ts'
import { RoleError } from '../errors.ts'

/** What of the terms the creator decides. */
export interface Choices { readonly creatorSaltHash: Hash, readonly certificates: Hash[], readonly price: number, readonly fee: number }
/** What both sides came to: the pair, which may be that of a solution the provider knew to be better. */
export interface Proposed { readonly pairing: Pairing, readonly choices: Choices, readonly answer: SignedAnswer }

/**
 * Asks the provider of a pair for terms. Again when it names a better solution for the job, and again when it takes the price from other certificates, once
 * each (protocol/auction.md). Rejects with the provider's refusal, or RoleError AUCTION_WORSE or AUCTION_PRICE_SET.
 */
export async function propose (
  components: { auction: Pick<AuctionView, 'prices' | 'decision' | 'checkPair'>, room: Pick<DealRoom, 'propose'> },
  { pairing, creatorSaltHash, version, rules, mayBatch }: { pairing: Pairing, creatorSaltHash: Hash, version: Hash, rules: Pick<MatchRules, 'minFee'>, mayBatch: (pair: Pairing) => boolean }
): Promise<Proposed> {
  const { auction, room } = components
  const { prices } = auction
  const { epoch, job } = pairing
  const choose = (pair: Pairing, certificates: Hash[]): Choices => {
    const price = prices.priceFor(epoch, pair, certificates)
    return { creatorSaltHash, certificates, price, fee: auction.decision(epoch)?.feeOf(pair.solutionId, price) ?? rules.minFee }
  }
  const ask = async (pair: Pairing, { certificates, fee }: Choices, proofs: Uint8Array[]): ReturnType<DealRoom['propose']> =>
    await room.propose(pair.offer.offer.peer, { epoch, evidence: pair.evidence, jobOfferId: job.id, resourceOfferId: pair.offer.id, creatorSaltHash, fee, version, batched: mayBatch(pair), certificates, proofs })

  let taken = pairing
  let choices = choose(taken, prices.setFor(epoch, taken))
  let answer = await ask(taken, choices, [])
  if ('better' in answer) {
    taken = takeBetter(auction, pairing, answer)
    choices = choose(taken, prices.setFor(epoch, taken))
    answer = await ask(taken, choices, [])
  }
  if ('certificates' in answer) {
    const theirs = answer
    const ours = choices
    prices.adopt(epoch, theirs.proofs)
    choices = choose(taken, [...new Set([...ours.certificates, ...theirs.certificates])].sort())
    answer = await ask(taken, choices, prices.proofs(epoch, ours.certificates.filter((id) => !theirs.certificates.includes(id))))
    if ('certificates' in answer) throw new RoleError('AUCTION_PRICE_SET', 'the provider takes the price from other certificates still', { data: { ours: choices.certificates, theirs: answer.certificates } })
  }
  if ('better' in answer) throw new RoleError('AUCTION_WORSE', 'the provider names yet another solution as the better one', { data: { solutionId: taken.solutionId } })
  return { pairing: taken, choices, answer }
}

/** The pair of the solution that the provider knows, adopted and checked. Which of the two this node would have first does not matter: the price is the same. */
function takeBetter (auction: Pick<AuctionView, 'checkPair'>, { epoch, job, offer }: Pairing, { better, resourceOfferId }: BetterAnswer): Pairing {
  try {
    const { pairing } = auction.checkPair({ epoch, evidence: better, job: job.id, offer: resourceOfferId })
    if (pairing.offer.account === offer.account) return pairing
  } catch (error) {
    throw new RoleError('AUCTION_WORSE', `the solution that the provider takes the job by does not hold here: ${errorMessage(error)}`, { data: { job: job.id, code: errorCode(error) }, cause: error })
  }
  throw new RoleError('AUCTION_WORSE', 'the solution that the provider takes the job by names another provider', { data: { job: job.id, offer: resourceOfferId } })
}
