import type { Chain } from '../chain/chain.ts'
import type { Clock } from '../core/clock.ts'
import { NODE_SESSION } from '../deal/batched.ts'
import { DEADLINE_SKEW_SECONDS } from '../deal/timeouts.ts'
import { epochAt } from '../match/phases.ts'
import type { AuctionRules } from '../match/options.ts'
import { isPromiseSigned, type BrokenPromise } from '../wire/broken-promise.ts'
import { BATCHED_LANE } from '../wire/deal-terms.ts'
import type { Address } from '../wire/shapes.ts'
import type { CoolDown } from './cool-down.ts'

/** Looks at the chain for a solver's promise that somebody says was not kept. */
export interface Promises {
  /** Notes the solver when it is true; else says why not. Rejects when the chain cannot be asked. */
  judge: (promise: BrokenPromise) => Promise<{ verdict: 'accept' | 'ignore' | 'reject', code?: string }>
}

/** Promises that a node asks the chain about in one epoch: each is three reads. */
const MAX_LOOKS = 8

export function createPromises (
  components: { chain: Pick<Chain, 'domain' | 'blockTime' | 'isNullified' | 'account' | 'session'>, coolDown: CoolDown, clock: Clock, isBonded: (solver: Address) => boolean },
  options: { rules: AuctionRules, genesisTime: number }
): Promises {
  const { chain, coolDown, clock, isBonded } = components
  const { rules, genesisTime } = options
  let looks = { epoch: Number.NEGATIVE_INFINITY, count: 0 }
  const ignore = (code: string): { verdict: 'ignore', code: string } => ({ verdict: 'ignore', code })

  return {
    judge: async (promise) => {
      const { core } = promise
      const solver = core.feeTo
      const now = epochAt(rules, genesisTime, clock.now())
      const stalledAt = epochAt(rules, genesisTime, core.openBy * 1000)
      const isPast = (seconds: number): boolean => seconds > core.openBy + DEADLINE_SKEW_SECONDS
      if (now > stalledAt + rules.coolDownEpochs) return ignore('AUCTION_LATE')
      if (!isPast(clock.now() / 1000)) return ignore('AUCTION_EARLY')
      if (coolDown.isCooling(solver, stalledAt + rules.coolDownEpochs)) return ignore('AUCTION_DUPLICATE')
      if (!isBonded(solver)) return ignore('AUCTION_UNBONDED')
      if (!isPromiseSigned(chain.domain, promise)) return { verdict: 'reject', code: 'AUCTION_SIGNATURE' }
      if (looks.epoch !== now) looks = { epoch: now, count: 0 }
      if (++looks.count > MAX_LOOKS) return ignore('AUCTION_FULL')
      if (!isPast(await chain.blockTime())) return ignore('AUCTION_EARLY')
      if (await chain.isNullified(core.creator, core.jobNumber, core.attempt)) return ignore('AUCTION_KEPT')
      const moneyOf = async (account: Address): Promise<number> => core.lane === BATCHED_LANE ? (await chain.session(account, NODE_SESSION)).funds : (await chain.account(account)).free
      const [creator, provider] = await Promise.all([moneyOf(core.creator), moneyOf(core.provider)])
      if (creator < core.price + core.fee + core.reserve || provider < core.collateral) return ignore('AUCTION_SHORT')
      coolDown.note(solver, stalledAt)
      return { verdict: 'accept' }
    }
  }
}
