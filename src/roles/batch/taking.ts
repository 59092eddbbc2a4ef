import { DealError } from '../../deal/errors.ts'
import { dealIdOf, dealTermsDigest, type DealCore } from '../../wire/deal-terms.ts'
import type { Hash } from '../../wire/shapes.ts'
import type { Domain } from '../../wire/typed-data.ts'
import type { BondRoom } from './bond-room.ts'
import type { Committing } from './committing.ts'
import type { GatheredDeal } from './own-batch.ts'
import type { OwnBatches } from './own-batches.ts'
import type { OwnStore } from './own-store.ts'

type DealKey = Pick<DealCore, 'creator' | 'jobNumber' | 'attempt'>

/** Takes deals that this solver then has to commit: a promise that is not kept costs its bond. */
export interface Taking {
  /** Resolves when the consents are on disk, once for each deal. Throws DealError DEAL_TERMS_DIFFER where other terms of this deal are held, and as BondRoom.assertRoom. */
  take: (deal: GatheredDeal) => Promise<void>
  isKnown: (deal: GatheredDeal) => boolean
}

export function createTaking (components: { own: Pick<OwnBatches, 'dealOf'>, store: Pick<OwnStore, 'gather'>, committing: Pick<Committing, 'waiting' | 'add'>, bond: BondRoom }, { domain }: { domain: Domain }): Taking {
  const { own, store, committing, bond } = components
  const taking = new Map<Hash, { deal: GatheredDeal, done: Promise<void> }>()
  const idOf = ({ creator, jobNumber, attempt }: DealKey): Hash => dealIdOf(domain, creator, jobNumber, attempt)
  const held = ({ creator, jobNumber, attempt }: DealKey): GatheredDeal | undefined =>
    committing.waiting.find(({ terms: { core } }) => core.jobNumber === jobNumber && core.attempt === attempt && core.creator === creator) ?? own.dealOf(idOf({ creator, jobNumber, attempt }))
  const assertSame = (dealId: Hash, one: GatheredDeal, other: GatheredDeal): void => {
    // Both promised, one of them would be broken: only one can be committed.
    if (dealTermsDigest(domain, one.terms) !== dealTermsDigest(domain, other.terms)) throw new DealError('DEAL_TERMS_DIFFER', 'this solver has promised to open the deal by other terms', { data: { dealId } })
  }
  return {
    isKnown: ({ terms: { core } }) => held(core) !== undefined,
    take: async (deal) => {
      const { core } = deal.terms
      const dealId = idOf(core)
      const [running, known] = [taking.get(dealId), held(core)]
      if (known !== undefined) {
        assertSame(dealId, known, deal)
        return
      }
      if (running !== undefined) {
        assertSame(dealId, running.deal, deal)
        await running.done
        return
      }
      const done = (async () => {
        await bond.assertRoom(deal)
        await store.gather(deal)
        committing.add(deal)
      })()
      taking.set(dealId, { deal, done })
      try {
        await done
      } finally {
        taking.delete(dealId)
      }
    }
  }
}
