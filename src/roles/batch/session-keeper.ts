import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import { NODE_SESSION } from '../../deal/batched.ts'
import type { Datastore } from '../../store/datastore.ts'
import type { Session } from '../../wire/session.ts'
import type { Hash } from '../../wire/shapes.ts'
import type { Orders } from '../orders.ts'

/** What a node's session holds, nLILY, until when (unix seconds), and whether its owner ended it. */
export interface KeptSession { funds: number, allowed: number, expiry: number, isEnded: boolean }

/** Keeps the session that batches lock this account's money from: alive, and with a share of its money (protocol/batches.md, Between nodes). */
export interface SessionKeeper extends Startable {
  /** Looks now: money has come. */
  look: () => Promise<void>
  state: () => Promise<KeptSession>
  /** Ends the session after a notice, also over restarts; its funds become free money then. */
  end: () => Promise<void>
  /** Takes that back. */
  renew: () => Promise<void>
}

const DAY_SECONDS = 86_400
const LIFE_SECONDS = 30 * DAY_SECONDS
const RENEW_SECONDS = 7 * DAY_SECONDS
/** What others consented to is committed within it; the contract's own for a revocation. */
const NOTICE_SECONDS = 600
/** As much as a message can name: what a batch may lock is bounded by the funds. */
const CAP = Number.MAX_SAFE_INTEGER
const ANY_SOLVER: Hash = `0x${'0'.repeat(64)}`
const LOOK_MS = 30_000
/** What a node's start waits for the first look. */
const FIRST_MS = 5_000
const ENDED_KEY = 'batch/session/ended'
const NONCE_KEY = 'batch/session/nonce'

export interface SessionKeeperComponents {
  chain: Pick<Chain, 'address' | 'account' | 'session' | 'blockTime'>
  orders: Pick<Orders, 'authorise' | 'fund' | 'sweep'>
  datastore: Pick<Datastore, 'get' | 'put' | 'delete'>
  clock: Clock
  logger: Logger
}

export function createSessionKeeper (components: SessionKeeperComponents): SessionKeeper {
  const { chain, orders, datastore, clock, logger } = components
  const account = chain.address
  const stopping = new AbortController()
  const { signal } = stopping
  let looking: Promise<void> | undefined
  let cancel = (): void => undefined

  const isEnded = async (): Promise<boolean> => await datastore.get(ENDED_KEY) !== undefined
  /** By the clock, so that a lost disk does no harm, and above the last: two in one second are two. */
  const nextNonce = async (now: number): Promise<number> => {
    const last = await datastore.get(NONCE_KEY)
    const nonce = Math.max(now * 256 + NODE_SESSION, last === undefined ? 0 : Number(new TextDecoder().decode(last)) + 256)
    await datastore.put(NONCE_KEY, new TextEncoder().encode(String(nonce)), { sync: true })
    return nonce
  }
  const authorise = async (name: string, now: number, lifeSeconds: number): Promise<void> => {
    const session: Session = { account, operator: account, cap: CAP, windowSeconds: DAY_SECONDS, solversRoot: ANY_SOLVER, notBefore: 0, expiry: now + lifeSeconds, nonce: await nextNonce(now) }
    await orders.authorise(session, { name, signal })
  }
  const ensure = async (): Promise<void> => {
    const [{ free }, { funds, expiry }, now, ended] = await Promise.all([chain.account(account), chain.session(account, NODE_SESSION), chain.blockTime(), isEnded()])
    if (ended) {
      if (funds > 0 && now >= expiry) await orders.sweep(NODE_SESSION, { name: 'sweep-session', signal })
      return
    }
    const all = free + funds
    if (all === 0) return
    const work: Array<Promise<unknown>> = []
    if (expiry < now + RENEW_SECONDS) work.push(authorise('authorise', now, LIFE_SECONDS))
    if (funds < all / 4) work.push(orders.fund(NODE_SESSION, Math.floor(all / 2) - funds, { name: 'fund-session', signal }))
    await Promise.all(work)
    if (work.length > 0) logger.info('session.kept', { funds: Math.max(funds, Math.floor(all / 2)) })
  }
  const look = async (): Promise<void> => {
    looking ??= ensure()
      .catch((error: unknown) => { if (!signal.aborted) logger.warn('session', { error: errorMessage(error) }) })
      .finally(() => { looking = undefined })
    await looking
  }
  const schedule = (): void => {
    cancel = clock.after(LOOK_MS, () => { void look().finally(schedule) })
  }
  return {
    look,
    state: async () => ({ ...await chain.session(account, NODE_SESSION), isEnded: await isEnded() }),
    end: async () => {
      await datastore.put(ENDED_KEY, new Uint8Array([1]), { sync: true })
      await looking
      const [{ expiry }, now] = await Promise.all([chain.session(account, NODE_SESSION), chain.blockTime()])
      if (expiry > now + NOTICE_SECONDS) await authorise('end-session', now, NOTICE_SECONDS)
    },
    renew: async () => {
      await datastore.delete(ENDED_KEY)
      await looking
      await look()
    },
    start: async () => {
      await Promise.race([look(), clock.wait(FIRST_MS, signal).catch(() => undefined)])
      schedule()
    },
    stop: async () => {
      stopping.abort(new Error('the node is stopping'))
      cancel()
      await looking
    }
  }
}
