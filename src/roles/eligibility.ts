import type { Chain } from '../chain/chain.ts'
import type { Clock } from '../core/clock.ts'
import { NODE_SESSION } from '../deal/batched.ts'
import type { AuctionRules } from '../match/options.ts'
import { FULL_REPUTATION } from '../match/score.ts'
import type { Address } from '../wire/shapes.ts'
import { standingFigure } from './standing-figure.ts'

/**
 * What the vault says of accounts, read once per account and epoch. Nodes may read at different blocks: membership in the
 * book is untouched by it, only who counts in an epoch, and differences between nodes end in the better verified solution.
 */
export interface Eligibility {
  /** What an account can lock for one deal, of free money or of its session, nLILY; 0 while unknown. */
  free: (account: Address) => number
  bond: (account: Address) => number
  /** What is known of an account's deals and bond, 0 to 10,000 (protocol/matching.md, Reputation). */
  reputationBp: (account: Address) => number
  /** Bonded mediators and their bonds. */
  mediators: () => Promise<ReadonlyMap<Address, number>>
  /** Reads these accounts anew unless they were read within `maxAgeMs`. */
  refresh: (accounts: Iterable<Address>, maxAgeMs: number) => Promise<void>
}

/** Mediators join and leave rarely, unbonding takes days. */
const MEDIATORS_MAX_AGE_MS = 5_000

/**
 * `historyBp` is where a source of what is known of deals comes in: one that every node computes alike from what all hold. Until there is one every account
 * has all of it.
 */
export function createEligibility (
  components: { chain: Pick<Chain, 'account' | 'session' | 'mediators'>, clock: Clock, historyBp?: (account: Address) => number },
  options: { rules: Pick<AuctionRules, 'stakeBp' | 'fullStake'> }
): Eligibility {
  const { chain, clock, historyBp = () => FULL_REPUTATION } = components
  const accounts = new Map<Address, { free: number, bond: number, atMs: number }>()
  let mediators: { map: Map<Address, number>, atMs: number } | undefined
  return {
    free: (account) => accounts.get(account)?.free ?? 0,
    bond: (account) => accounts.get(account)?.bond ?? 0,
    reputationBp: (account) => standingFigure({ historyBp: historyBp(account), bond: accounts.get(account)?.bond ?? 0 }, options.rules),
    mediators: async () => {
      if (mediators === undefined || clock.now() - mediators.atMs > MEDIATORS_MAX_AGE_MS) {
        const list = await chain.mediators()
        mediators = { map: new Map(list.map(({ address, bond }) => [address, bond])), atMs: clock.now() }
      }
      return mediators.map
    },
    refresh: async (wanted, maxAgeMs) => {
      const now = clock.now()
      const stale = [...new Set(wanted)].filter((account) => now - (accounts.get(account)?.atMs ?? 0) > maxAgeMs)
      await Promise.all(stale.map(async (account) => {
        const [{ free, bond }, { funds, allowed }] = await Promise.all([chain.account(account), chain.session(account, NODE_SESSION)])
        // A deal goes one way or the other, so the two pots do not add up.
        accounts.set(account, { free: Math.max(free, Math.min(funds, allowed)), bond, atMs: clock.now() })
      }))
    }
  }
}
