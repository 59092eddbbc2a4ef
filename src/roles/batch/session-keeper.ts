import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import { NODE_SESSION } from '../../deal/batched.ts'
import type { Hash } from '../../wire/shapes.ts'
import type { Orders } from '../orders.ts'

/** Keeps the session that batches lock this account's money from: alive, and with a share of its money (protocol/batches.md, Between nodes). */
export interface SessionKeeper extends Startable {
  /** Looks now: money has come. */
  look: () => Promise<void>
}

const DAY_SECONDS = 86_400
const LIFE_SECONDS = 30 * DAY_SECONDS
const RENEW_SECONDS = 7 * DAY_SECONDS
/** As much as a message can name: what a batch may lock is bounded by the funds. */
const CAP = Number.MAX_SAFE_INTEGER
const ANY_SOLVER: Hash = `0x${'0'.repeat(64)}`
const LOOK_MS = 30_000
/** What a node's start waits for the first look. */
const FIRST_MS = 5_000

export function createSessionKeeper (components: { chain: Pick<Chain, 'address' | 'account' | 'session' | 'blockTime'>, orders: Pick<Orders, 'authorise' | 'fund'>, clock: Clock, logger: Logger }): SessionKeeper {
  const { chain, orders, clock, logger } = components
  const account = chain.address
  const stopping = new AbortController()
  let looking: Promise<void> | undefined
  let cancel = (): void => undefined

  const ensure = async (): Promise<void> => {
    const [{ free }, { funds, expiry }, now] = await Promise.all([chain.account(account), chain.session(account, NODE_SESSION), chain.blockTime()])
    const all = free + funds
    if (all === 0) return
    const { signal } = stopping
    const work: Array<Promise<unknown>> = []
    if (expiry < now + RENEW_SECONDS) {
      const session = { account, operator: account, cap: CAP, windowSeconds: DAY_SECONDS, solversRoot: ANY_SOLVER, notBefore: 0, expiry: now + LIFE_SECONDS, nonce: now * 256 + NODE_SESSION }
      work.push(orders.authorise(session, { name: 'authorise', signal }))
    }
    if (funds < all / 4) {
      work.push(orders.fund(NODE_SESSION, Math.floor(all / 2) - funds, { name: 'fund-session', signal }))
    }
    await Promise.all(work)
    if (work.length > 0) logger.info('session.kept', { funds: Math.max(funds, Math.floor(all / 2)), until: expiry < now + RENEW_SECONDS ? now + LIFE_SECONDS : expiry })
  }
  const look = async (): Promise<void> => {
    looking ??= ensure()
      .catch((error: unknown) => { if (!stopping.signal.aborted) logger.warn('session', { error: errorMessage(error) }) })
      .finally(() => { looking = undefined })
    await looking
  }
  const schedule = (): void => {
    cancel = clock.after(LOOK_MS, () => { void look().finally(schedule) })
  }
  return {
    look,
    start: async () => {
      await Promise.race([look(), clock.wait(FIRST_MS, stopping.signal).catch(() => undefined)])
      schedule()
    },
    stop: async () => {
      stopping.abort(new Error('the node is stopping'))
      cancel()
      await looking
    }
  }
}
