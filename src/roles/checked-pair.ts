import { betterPairOf } from '../match/better-pair.ts'
import { decodeEvidence } from '../wire/auction.ts'
import type { Hash } from '../wire/shapes.ts'
import type { Pairing } from './decision.ts'
import { RoleError } from './errors.ts'
import type { HeldEpochs } from './held-epochs.ts'
import type { NetworkClock } from './network-clock.ts'

/** A pair that the best verified solution does not speak against. `better`: that of the best solution by which its provider takes the job, where it is another. */
export interface CheckedPair { readonly pairing: Pairing, readonly better?: Pairing }
/** Checks the pair of a proposal: adopts the evidence, refuses what a better verified solution leaves out. Throws RoleError AUCTION_*. */
export type PairCheck = (proposal: { epoch: number, evidence: Uint8Array, job: Hash, offer: Hash, isPassedOver?: (better: Pairing) => boolean }) => CheckedPair

export function createPairCheck (components: { held: Pick<HeldEpochs, 'competition' | 'isFixed' | 'decide'>, clock: Pick<NetworkClock, 'now' | 'isSound' | 'measuredMs'> }): PairCheck {
  const { held, clock } = components
  return ({ epoch, evidence, job, offer, isPassedOver }) => {
    if (!clock.isSound()) throw new RoleError('AUCTION_CLOCK', `this node's clock is ${clock.measuredMs() ?? 0} ms behind its peers'`, { data: { behindMs: clock.measuredMs() }, hint: 'Set the clock.' })
    const competition = held.competition(epoch)
    if (competition === undefined || !held.isFixed(epoch)) throw new RoleError('AUCTION_EPOCH', `epoch ${epoch} is not open for consent here`, { data: { epoch } })
    const opened = decodeEvidence(evidence)
    const judgement = competition.adopt(opened, clock.now())
    if (judgement.verdict !== 'accept' && judgement.code !== 'AUCTION_DUPLICATE') throw new RoleError(judgement.code ?? 'AUCTION_REFUSED', 'the evidence of the solution does not hold here', { data: { epoch } })
    const decision = held.decide(epoch)
    const pairings = decision?.pairingsOf(job) ?? []
    if (pairings.length === 0) throw new RoleError('AUCTION_NOT_BEST', 'the best solution that this node verified leaves this job out', { data: { epoch, best: decision?.ranking[0]?.solutionId } })
    const wanted = pairings.find((pairing) => pairing.offer.id === offer && pairing.solver === opened.reveal.solver)
    if (wanted === undefined) throw new RoleError('AUCTION_NO_SUCH_PAIR', 'the solution does not match this pair, or this node does not hold its records', { data: { epoch, job, offer } })
    const better = betterPairOf(pairings, wanted, isPassedOver)
    return { pairing: wanted, ...(better === undefined ? {} : { better }) }
  }
}
