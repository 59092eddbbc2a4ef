import { explainJob, explainOffer, type Explanation } from '../match/explain.ts'
import type { Snapshot, Solution } from '../match/problem.ts'
import { RoleError } from '../roles/errors.ts'
import type { Hash } from '../wire/shapes.ts'
import type { NodeParts } from './components.ts'

/** How long free collateral and limits may be looked up on the chain before those known last count. */
const REFRESH_MS = 1_000

/** Why a job offer or a resource offer of the book matches or does not, as this node would count it. */
export interface Explainer {
  job: (jobOfferId: Hash) => Promise<Explanation>
  /** By an id or the start of one, of 10 characters (0x included) or more. RoleError OFFER_UNKNOWN. */
  offer: (id: string) => Promise<Explanation>
}

const SHORTEST_PREFIX = 10

export function createExplainer ({ replica, auction, eligibility }: Pick<NodeParts, 'replica' | 'auction' | 'eligibility'>): Explainer {
  /** Who lost in the last auctions is held against their best solution; all else against the book of the next epoch. */
  const explainBy = async (explain: (snapshot: Snapshot, solution?: Solution) => Explanation): Promise<Explanation> => {
    const entries = [...replica.book.live('job'), ...replica.book.live('offer')]
    await eligibility.refresh(entries.map((entry) => entry.record.account), REFRESH_MS)
    const epoch = auction.currentEpoch()
    for (const decided of [epoch, epoch - 1]) {
      const best = auction.decision(decided)?.ranking.find(({ winner }) => winner)
      const explanation = best === undefined ? undefined : explain(auction.snapshot(decided, 'verify'), best.solution)
      if (explanation?.state === 'outbid') return explanation
    }
    return explain(auction.snapshot(epoch + 1, 'verify'))
  }
  return {
    job: async (id) => await explainBy((snapshot, solution) => explainJob(snapshot, id, solution)),
    offer: async (id) => {
      const entry = id.length < SHORTEST_PREFIX ? undefined : replica.book.live('offer').find(({ record }) => record.id.startsWith(id))
      if (entry === undefined) throw new RoleError('OFFER_UNKNOWN', `no offer ${id} in the book here`, { data: { offer: id }, hint: 'List them with "lilynode book".' })
      return await explainBy((snapshot, solution) => explainOffer(snapshot, entry.record.id, solution))
    }
  }
}
