import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import type { Address } from '../../wire/shapes.ts'
import type { Chain, ChainEvent } from '../chain.ts'
import type { ChainStore } from '../chain-store.ts'
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
  chain: Pick<Chain, 'onEvent' | 'onLost' | 'transactionData' | 'caughtUp' | 'status' | 'account' | 'session' | 'deployment' | 'domain'>
  datastore: ChainStore, clock: Clock, logger: Logger
}

/** The data of a transaction is asked for again after this while the chain is away. */
const RETRY_MS = 1000

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
  const stops: Array<() => void> = []

  const dataOf = async (event: ChainEvent): Promise<Moved | undefined> => {
    for (;;) {
      try {
        const data = await chain.transactionData(event.transactionHash)
        return data === undefined ? undefined : movedBy(event, data, { account, domain: chain.domain, batches: contracts.batches })
      } catch (error) {
        logger.debug('ledger.data', { transactionHash: event.transactionHash, error: errorMessage(error) })
        await clock.wait(RETRY_MS, stopping.signal)
      }
    }
  }
  const remember = (fact: Fact): void => {
    const { event } = fact
    facts.set(event.id, fact)
    if (event.name === 'DealOpened' || (event.name === 'VerdictGiven' && event.args.mediator === account)) deals.add(event.args.dealId)
  }
  const keep = async (event: ChainEvent): Promise<void> => {
    if (facts.has(event.id)) return
    const moved = needsData(event) ? await dataOf(event) : undefined
    const fact: Fact = moved === undefined ? { event } : { event, moved }
    if (!isKept(account, fact, deals)) return
    await datastore.put(prefix + event.id, encodeFact(fact))
    remember(fact)
  }
  const drop = async (event: ChainEvent): Promise<void> => {
    if (facts.delete(event.id)) await datastore.delete(prefix + event.id)
  }
  /** One after the other, in the order of the chain. Never settles once the node stops: its block does not count as done then. */
  const inTurn = (task: (event: ChainEvent) => Promise<void>) => async (event: ChainEvent): Promise<void> => {
    const done = work.then(async () => { await task(event) })
    work = done.catch(() => undefined)
    await done.catch(async (error: unknown) => {
      if (stopping.signal.aborted) await new Promise<never>(() => undefined)
      throw error
    })
  }
  const held = async (numbers: readonly number[], block: number): Promise<Holdings> => {
    const [money, funds] = await Promise.all([chain.account(account, block), Promise.all(numbers.map(async (number) => [number, (await chain.session(account, number, block)).funds] as const))])
    return { ...money, sessions: Object.fromEntries(funds.filter(([, amount]) => amount > 0)) }
  }

  return {
    view: async () => {
      await chain.caughtUp()
      await work
      const upTo = chain.status().eventsUpTo
      const counted = [...facts.values()].filter(({ event }) => event.blockNumber <= upTo).sort(inOrder)
      const { entries, sums } = entriesOf(rules, counted)
      const numbers = [...new Set(entries.flatMap(({ number }) => number ?? []))]
      const now = upTo < chain.deployment.startBlock ? nothing() : await held(numbers, upTo)
      return { account, upTo, entries: [...entries], sums, chain: now, isEqual: Object.keys(difference(sums, now)).length === 0 }
    },
    start: async () => {
      for await (const [, bytes] of datastore.entries(prefix)) remember(decodeFact(bytes))
      stops.push(chain.onEvent(inTurn(keep)), chain.onLost(inTurn(drop)))
    },
    stop: async () => {
      stopping.abort(new Error('the ledger stops'))
      for (const stop of stops) stop()
      await work
    }
  }
}
