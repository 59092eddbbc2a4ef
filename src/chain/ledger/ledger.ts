import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import type { Address } from '../../wire/shapes.ts'
import type { Chain, ChainEvent } from '../chain.ts'
import type { ChainStore } from '../chain-store.ts'
import type { Projection } from '../projections.ts'
import { difference, nothing, type Holdings, type LedgerView } from './entry.ts'
import { entriesOf } from './entries.ts'
import { decodeFact, encodeFact, inOrder, isKept, needsData, type Fact } from './fact.ts'
import { movedBy, type Moved } from './moved.ts'

/** protocol/ledger.md: the facts of one account on disk, and its entries. */
export interface Ledger extends Startable {
  /** Everything up to the newest block that counts. Rejects with ChainError when the chain is away. */
  view: () => Promise<LedgerView>
}

export interface LedgerComponents {
  chain: Pick<Chain, 'project' | 'transactionData' | 'caughtUp' | 'status' | 'account' | 'session' | 'deployment' | 'domain'>
  datastore: ChainStore, clock: Clock, logger: Logger
}

/** The data of a transaction is asked for again after this while the chain is away, or while who answers does not know it yet. */
const RETRY_MS = 1000
/** So often; nodes do not know transactions of long ago. */
const MOST_UNKNOWN = 30

/** An event whose turn has not ended. `isVoid`: its block was taken back meanwhile. */
interface Turn { readonly event: ChainEvent, isVoid: boolean }

/** Start it before the chain: then it misses no event. */
export function createLedger ({ chain, datastore, clock, logger }: LedgerComponents, { account }: { account: Address }): Ledger {
  const { chainId, contracts, parameters } = chain.deployment
  const prefix = `chain/ledger/${chainId}/${contracts.market}/${account}/`
  const rules = { account, rewards: contracts.rewards, minMediatorBond: parameters.minMediatorBond }
  /** By event id. */
  const facts = new Map<string, Fact>()
  const deals = new Set<string>()
  const stopping = new AbortController()
  let work: Promise<void> = Promise.resolve()
  const turns = new Set<Turn>()
  let unproject = (): void => undefined

  const dataOf = async (turn: Turn): Promise<Moved | undefined> => {
    const { event } = turn
    for (let unknown = 0; !turn.isVoid && unknown < MOST_UNKNOWN;) {
      try {
        const data = await chain.transactionData(event.transactionHash)
        if (data !== undefined) return movedBy(event, data, { account, domain: chain.domain, batches: contracts.batches })
        unknown++
      } catch (error) {
        logger.debug('ledger.data', { transactionHash: event.transactionHash, error: errorMessage(error) })
      }
      await clock.wait(RETRY_MS, stopping.signal)
    }
    return undefined
  }
  const remember = (fact: Fact): void => {
    const { event } = fact
    facts.set(event.id, fact)
    if (event.name === 'DealOpened' || (event.name === 'VerdictGiven' && event.args.mediator === account)) deals.add(event.args.dealId)
  }
  const keep = async (turn: Turn): Promise<void> => {
    const { event } = turn
    const moved = needsData(event) ? await dataOf(turn) : undefined
    const fact: Fact = moved === undefined ? { event } : { event, moved }
    if (turn.isVoid || !isKept(account, fact, deals)) return
    await datastore.put(prefix + event.id, encodeFact(fact))
    remember(fact)
  }
  const dropAfter = async (block: number): Promise<void> => {
    for (const [id, { event }] of facts) {
      if (event.blockNumber <= block) continue
      facts.delete(id)
      await datastore.delete(prefix + id)
    }
  }
  /** One after the other, in the order of the chain. Never settles once the node stops: its block does not count as done then. */
  const inTurn = async (task: () => Promise<void>): Promise<void> => {
    const done = work.then(task)
    work = done.catch(() => undefined)
    await done.catch(async (error: unknown) => {
      if (stopping.signal.aborted) await new Promise<never>(() => undefined)
      throw error
    })
  }
  const projection: Projection = {
    take: async (event) => {
      const turn: Turn = { event, isVoid: false }
      turns.add(turn)
      await inTurn(async () => { await keep(turn).finally(() => { turns.delete(turn) }) })
    },
    rewind: async (block) => {
      for (const turn of turns) if (turn.event.blockNumber > block) turn.isVoid = true
      await inTurn(async () => { await dropAfter(block) })
    }
  }
  const held = async (numbers: readonly number[], block: number): Promise<Holdings> => {
    const [money, funds] = await Promise.all([chain.account(account, block), Promise.all(numbers.map(async (number) => [number, (await chain.session(account, number, block)).funds] as const))])
    return { ...money, sessions: Object.fromEntries(funds.filter(([, amount]) => amount > 0)) }
  }

  return {
    view: async () => {
      await chain.caughtUp()
      const upTo = chain.status().eventsUpTo
      await work
      const counted = [...facts.values()].filter(({ event }) => event.blockNumber <= upTo).sort(inOrder)
      const { entries, sums } = entriesOf(rules, counted)
      const numbers = [...new Set(entries.flatMap(({ number }) => number ?? []))]
      const now = upTo < chain.deployment.startBlock ? nothing() : await held(numbers, upTo)
      return { account, upTo, entries: [...entries], sums, chain: now, isEqual: Object.keys(difference(sums, now)).length === 0 }
    },
    start: async () => {
      for await (const [, bytes] of datastore.entries(prefix)) remember(decodeFact(bytes))
      unproject = chain.project(projection)
    },
    stop: async () => {
      stopping.abort(new Error('the ledger stops'))
      unproject()
      await work
    }
  }
}
