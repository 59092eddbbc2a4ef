import type { Batch, Opening } from '../../chain/batch/layout.ts'
import type { Chain, ChainEvent, ContractCall, TxReceipt } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { Deal } from '../../deal/deal.ts'
import { hasLeaf, isBatched } from '../../deal/batched.ts'
import type { LeafPlace } from '../../wire/deal-room.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import type { DealBook } from '../deal-book.ts'
import { createCommitData } from './commit-data.ts'
import { createEventTurns } from './event-turns.ts'
import type { Committed, KnownBatches } from './known-batches.ts'
import { createLeafEvents } from './leaf-events.ts'
import { createLeafProofs } from './leaf-proofs.ts'

export interface LeavesComponents {
  deals: DealBook
  chain: Pick<Chain, 'domain' | 'deployment' | 'transactionData' | 'slot'>
  known: KnownBatches
  /** A solver's place and proof for a deal. */
  askLeaf: (deal: Deal) => Promise<LeafPlace>
  clock: Clock
  logger: Logger
}

/** A re-org may still want the batch of a deal that has just ended. */
const SWEEP_MS = 600_000
/** Commits that are remembered, also over restarts: a creator's word may come to its provider after the block that it led to. */
const MOST_PASSED = 64

/** One role's deals in batches: the chain shows the batch, the solver the proof, and both together open the deal. */
export interface Leaves {
  onEvent: (event: ChainEvent) => Promise<void>
  onLost: (event: ChainEvent) => Promise<void>
  /** A place and proof that somebody told. */
  told: (deal: Deal, place: LeafPlace) => Promise<void>
  /** Asks for the proofs that deals in batches lack, and forgets batches whose deals are over. */
  tick: () => Promise<void>
  batchOf: (deal: Deal) => Promise<Batch>
  openingOf: (deal: Deal) => Promise<Opening>
  claimCall: (deal: Deal) => Promise<ContractCall>
  /** Shows both signatures where the other side disowned the leaf. */
  answerCall: (deal: Deal) => Promise<ContractCall>
  /** Takes what a transaction's own events tell, before the follower brings them. */
  takeReceipt: (receipt: TxReceipt) => Promise<void>
  /** Whether the chain has the leaf's money no more: released by a way that names no leaf. */
  isGone: (deal: Deal) => Promise<boolean>
  /** What waits for chain or disk waits no more. */
  stop: () => void
}

export function createLeaves (components: LeavesComponents): Leaves {
  const { deals, chain, known, clock, logger } = components
  const stopping = new AbortController()
  const { signal } = stopping
  const inTurn = createEventTurns({ clock, logger }, { name: 'batch.event', signal })
  const proofs = createLeafProofs({ deals, known }, { domain: chain.domain })
  const events = createLeafEvents({ ...components, proofs, dataOf: createCommitData(components, { signal }) })
  let sweepAtMs = 0
  /** Deals that were looked for in the commits before their consent was whole. */
  let looked = new Set<Hash>()

  /** Solvers of deals that stand in no batch so far. */
  const solversOf = (some: readonly Deal[]): Set<Address> => new Set(some.flatMap(({ terms, batch }) => isBatched(terms) && batch === undefined ? [terms.core.feeTo] : []))
  const passOver = async (event: Committed): Promise<void> => {
    const others = (await known.passed()).filter(({ args }) => args.id !== event.args.id)
    await known.keepPassed([...others.slice(1 - MOST_PASSED), event])
  }
  const forgetPassed = async (isWanted: (event: Committed) => boolean): Promise<void> => {
    const passed = await known.passed()
    const wanted = passed.filter(isWanted)
    if (wanted.length < passed.length) await known.keepPassed(wanted)
  }

  const onEvent = async (event: ChainEvent): Promise<void> => {
    // A commit that came before it makes it void: that is known only when the batch has been read.
    if (event.name === 'JobNullified') await inTurn(async () => { await Promise.resolve() })
    if (event.contract !== 'batches') return
    const isPassed = event.name === 'BatchCommitted' && solversOf(deals.open().filter(({ creatorSignature }) => creatorSignature === undefined)).has(event.args.solver)
    await inTurn(async () => {
      if (isPassed) await passOver(event)
      await events.take(event)
    })
  }
  /** Once for each: commits that come later find it. Not waited for, since deadlines must not wait for a batch to be read. */
  const lookBack = (): void => {
    const open = deals.open().filter(({ terms, creatorSignature }) => isBatched(terms) && creatorSignature !== undefined)
    const solvers = solversOf(open.filter(({ dealId }) => !looked.has(dealId)))
    looked = new Set(open.map(({ dealId }) => dealId))
    if (solvers.size === 0) return
    inTurn(async () => {
      for (const event of await known.passed()) if (solvers.has(event.args.solver)) await events.take(event)
    }).catch(() => undefined)
  }

  return {
    onEvent,
    onLost: async (event) => {
      if (event.contract !== 'batches') return
      await inTurn(async () => {
        if (event.name === 'BatchCommitted') await forgetPassed(({ args }) => args.id !== event.args.id)
        await events.lose(event)
      })
    },
    told: proofs.told,
    batchOf: proofs.batchOf,
    openingOf: proofs.openingOf,
    claimCall: proofs.claimCall,
    answerCall: proofs.answerCall,
    stop: () => { stopping.abort(new Error('the node is stopping')) },
    tick: async () => {
      lookBack()
      if (clock.now() >= sweepAtMs) {
        sweepAtMs = clock.now() + SWEEP_MS
        // In turn with events, one of which may be bringing a batch.
        await inTurn(async () => {
          await known.keepOnly(deals.open())
          const solvers = solversOf(deals.open())
          await forgetPassed(({ args }) => solvers.has(args.solver))
        })
        proofs.sweep()
      }
      await Promise.allSettled(deals.open().filter(({ batch }) => batch !== undefined && batch.proof === undefined && batch.claimedAt === undefined).map(async (deal) => {
        await proofs.told(deal, await components.askLeaf(deal))
      }))
    },
    takeReceipt: async (receipt) => { for (const event of receipt.events) await onEvent(event) },
    isGone: async (deal) => {
      const batch = await proofs.batchOf(deal)
      const { id, resolved } = await chain.slot(batch.solver, batch.slot)
      return id !== deal.batch?.id || hasLeaf(resolved, deal.batch.leaf)
    }
  }
}
