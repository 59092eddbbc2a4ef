import type { Book } from '../book/book.ts'
import type { Chain } from '../chain/chain.ts'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import { NODE_SESSION } from '../deal/batched.ts'
import type { Address } from '../wire/shapes.ts'

/** Below this share of the free tier nobody is displaced, and nothing is read. */
const WATCH_SHARE = 0.5
const LOOK_MS = 5_000
/** Accounts read in one look: some 100 a second, which RPC endpoints take for the minutes that it lasts. */
const READS_PER_LOOK = 500
/** An account is read again after this; money moves, but a book lives an hour. */
const MAX_AGE_MS = 10 * 60_000
/** With this much in the vault, its session's funds included, or bonded an account is no stranger: 1 LILY. */
const LEAST_STAKE = 1_000_000_000
/** Accounts remembered: as many as the book has registers. */
const MAX_ACCOUNTS = 200_000

/**
 * What accounts have at stake, as weights for a book that fills up: 0 for strangers, else 1 and 1 more for each doubling of
 * the bond beyond 1 LILY. Weights matter only when the book is full; two nodes that read at different heights then differ
 * in the records of accounts whose money moved in between, until both have read again.
 */
export interface Standing extends Startable {
  weight: (account: Address) => number
}

export function createStanding (components: { chain: Pick<Chain, 'account' | 'session'>, clock: Clock, logger: Logger }, options: { book: () => Pick<Book, 'fullest' | 'members' | 'reweigh'>, maxFree: number }): Standing {
  const { chain, clock, logger } = components
  const known = new Map<Address, { weight: number, atMs: number }>()
  let cancel: (() => void) | undefined
  let looking: Promise<void> = Promise.resolve()

  const look = async (): Promise<void> => {
    const book = options.book()
    if (book.fullest < options.maxFree * WATCH_SHARE) return
    const accounts = new Set<Address>()
    for (const { record } of book.members()) accounts.add(record.account)
    const now = clock.now()
    // Those never read first: among them is who else would be displaced unheard.
    const due = [...accounts].filter((account) => now - (known.get(account)?.atMs ?? 0) > MAX_AGE_MS).sort((a, b) => (known.get(a)?.atMs ?? 0) - (known.get(b)?.atMs ?? 0))
    let isChanged = false
    // One that cannot be read is due again; what the others have at stake counts all the same.
    await Promise.allSettled(due.slice(0, READS_PER_LOOK).map(async (account) => {
      const { free, locked, bond } = await chain.account(account)
      const own = weightOf(free + locked, bond)
      // Who has batches keeps half of its money there; what is no stranger without it is not asked for it.
      const weight = own > 0 ? own : weightOf(free + locked + (await chain.session(account, NODE_SESSION)).funds, bond)
      isChanged ||= weight !== (known.get(account)?.weight ?? 0)
      known.delete(account)
      known.set(account, { weight, atMs: now })
      if (known.size > MAX_ACCOUNTS) known.delete(known.keys().next().value as Address)
    }))
    if (isChanged) book.reweigh()
  }
  const schedule = (): void => {
    cancel = clock.after(LOOK_MS, () => {
      looking = look()
        .catch((error: unknown) => { logger.debug('book.standing', { error: errorMessage(error) }) })
        .finally(schedule)
    })
  }
  return {
    weight: (account) => known.get(account)?.weight ?? 0,
    start: async () => { schedule() },
    stop: async () => {
      await looking
      cancel?.()
    }
  }
}

function weightOf (vault: number, bond: number): number {
  if (bond >= LEAST_STAKE) return 2 + Math.floor(Math.log2(bond / LEAST_STAKE))
  return vault >= LEAST_STAKE ? 1 : 0
}
