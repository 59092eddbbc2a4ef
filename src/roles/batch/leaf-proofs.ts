import { answerDisownCall } from '../../chain/batch/fault-calls.ts'
import { claimCall } from '../../chain/batch/calls.ts'
import { openingOf, type Batch, type Opening } from '../../chain/batch/layout.ts'
import { leafHash, rootFrom } from '../../chain/batch/tree.ts'
import type { ContractCall } from '../../chain/chain.ts'
import { isBatched, leastExpiry } from '../../deal/batched.ts'
import type { Deal } from '../../deal/deal.ts'
import { DealError } from '../../deal/errors.ts'
import type { LeafPlace } from '../../wire/deal-room.ts'
import { dealTermsDigest } from '../../wire/deal-terms.ts'
import type { Hash } from '../../wire/shapes.ts'
import type { Domain } from '../../wire/typed-data.ts'
import type { DealBook } from '../deal-book.ts'
import type { KnownBatches } from './known-batches.ts'

/** What one role knows of its deals' leaves: the batch by the chain, the proof by the solver, and what both allow to do. Throws DealError DEAL_NO_BATCH where one of them is missing. */
export interface LeafProofs {
  /** A place and proof that somebody told: opens the deal, or waits for the batch. Throws DealError DEAL_BAD_PROOF, DEAL_BAD_BATCH. */
  told: (deal: Deal, place: LeafPlace) => Promise<void>
  /** The chain showed the batch: opens the deal with a proof that came before. Throws as `told`. */
  openEarly: (deal: Deal) => Promise<void>
  /** Forgets proofs of deals that are over. */
  sweep: () => void
  batchOf: (deal: Deal) => Promise<Batch>
  openingOf: (deal: Deal) => Promise<Opening>
  claimCall: (deal: Deal) => Promise<ContractCall>
  /** Shows both signatures where the other side disowned the leaf. */
  answerCall: (deal: Deal) => Promise<ContractCall>
}

export function createLeafProofs ({ deals, known }: { deals: DealBook, known: Pick<KnownBatches, 'get'> }, { domain }: { domain: Domain }): LeafProofs {
  /** Proofs that came before their batch. */
  const early = new Map<Hash, LeafPlace>()

  const batchOf = async (deal: Deal): Promise<Batch> => {
    const batch = deal.batch === undefined ? undefined : await known.get(deal.batch.id)
    if (batch === undefined) throw new DealError('DEAL_NO_BATCH', 'the deal stands in no batch that this node knows', { data: { dealId: deal.dealId } })
    return batch
  }
  const provenLeaf = async (deal: Deal): Promise<Parameters<typeof claimCall>> => {
    const { terms, creatorSignature, providerSignature, batch } = deal
    if (batch?.proof === undefined || creatorSignature === undefined || providerSignature === undefined) throw new DealError('DEAL_NO_BATCH', 'the deal has no proven leaf', { data: { dealId: deal.dealId } })
    return [openingOf(await batchOf(deal), batch.leaf, batch.proof), terms, creatorSignature, providerSignature]
  }
  const openProven = async (deal: Deal, { leaf, proof }: LeafPlace): Promise<void> => {
    const { batch } = deal
    if (batch === undefined || batch.proof !== undefined) return
    const { root } = await batchOf(deal)
    const { openBy } = deal.terms.core
    if (leaf !== batch.leaf || rootFrom(leafHash(leaf, dealTermsDigest(domain, deal.terms)), proof) !== root) throw new DealError('DEAL_BAD_PROOF', 'the proof does not lead from these terms to the batch\'s root', { data: { dealId: deal.dealId, batch: batch.id, leaf } })
    if (batch.committedAt > openBy || batch.expiry < leastExpiry(deal.terms)) throw new DealError('DEAL_BAD_BATCH', 'the batch was committed after openBy or expires too early', { data: { dealId: deal.dealId, committedAt: batch.committedAt, openBy, expiry: batch.expiry, least: leastExpiry(deal.terms) } })
    // What waited may have been overtaken: a re-org gave the deal another batch.
    if (deal.batch !== batch) return
    await deals.apply(deal, 'opened', (changed) => { changed.batch = { ...batch, proof: [...proof] }; changed.openedAt ??= batch.committedAt })
  }
  return {
    told: async (deal, place) => {
      if (!isBatched(deal.terms)) throw new DealError('DEAL_BAD_BATCH', 'the deal is none of a batch by its terms', { data: { dealId: deal.dealId } })
      if (deal.batch?.id === place.batch) await openProven(deal, place)
      else if (deals.open().includes(deal)) early.set(deal.dealId, place)
    },
    openEarly: async (deal) => {
      const place = early.get(deal.dealId)
      early.delete(deal.dealId)
      if (place !== undefined && place.batch === deal.batch?.id) await openProven(deal, place)
    },
    sweep: () => { for (const dealId of early.keys()) if (deals.open().every((deal) => deal.dealId !== dealId)) early.delete(dealId) },
    batchOf,
    openingOf: async (deal) => openingOf(await batchOf(deal), deal.batch?.leaf ?? 0, deal.batch?.proof ?? []),
    claimCall: async (deal) => claimCall(...await provenLeaf(deal)),
    answerCall: async (deal) => answerDisownCall(...await provenLeaf(deal))
  }
}
