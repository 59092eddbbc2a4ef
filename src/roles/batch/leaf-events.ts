import { committedBatch } from '../../chain/batch/committed.ts'
import { leafOf } from '../../chain/batch/layout.ts'
import type { Chain, ChainEvent } from '../../chain/chain.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { hasLeaf, isBatched } from '../../deal/batched.ts'
import type { Deal } from '../../deal/deal.ts'
import { takeBack } from '../../deal/take-back.ts'
import type { Hash } from '../../wire/shapes.ts'
import { disownKey } from '../../wire/statement.ts'
import type { DealBook } from '../deal-book.ts'
import { recordTransaction } from '../transactions.ts'
import type { KnownBatches } from './known-batches.ts'
import type { LeafProofs } from './leaf-proofs.ts'

export interface LeafEventsComponents {
  deals: DealBook
  chain: Pick<Chain, 'domain' | 'deployment' | 'slot'>
  known: Pick<KnownBatches, 'get' | 'add'>
  proofs: LeafProofs
  /** See commit-data.ts. */
  dataOf: (hash: Hash) => Promise<Hash | undefined>
  logger: Logger
}

/** What the chain tells of batches, as one role's deals take it. Reject where chain or disk is away: the event is to come again then. */
export interface LeafEvents {
  take: (event: ChainEvent) => Promise<void>
  /** A re-org took the event of this batch back. */
  lose: (event: ChainEvent) => Promise<void>
}

export function createLeafEvents ({ deals, chain, known, proofs, dataOf, logger }: LeafEventsComponents): LeafEvents {
  const { domain } = chain
  const batches = chain.deployment.contracts.batches

  const onCommitted = async (event: ChainEvent & { name: 'BatchCommitted' }): Promise<void> => {
    const { id, solver, voided } = event.args
    // One that has a batch already is in this one where a re-org moved the commit: the nullifier takes a deal once. One that was given up may have been void in time all the same.
    const isOurs = (deal: Deal): boolean => isBatched(deal.terms) && deal.terms.core.feeTo === solver && deal.creatorSignature !== undefined
    const waiting = deals.open().filter((deal) => isOurs(deal) && deal.batch?.id !== id && deal.batch?.claimedAt === undefined)
    const givenUp = deals.all().filter((deal) => isOurs(deal) && deal.state === 'Cancelled' && deal.voidIn === undefined && event.blockTime <= deal.terms.core.openBy)
    if (waiting.length + givenUp.length === 0) return
    const data = await dataOf(event.transactionHash)
    const batch = data === undefined ? undefined : committedBatch(data, { chainId: domain.chainId, batches, id, solver, committedAt: event.blockTime, voided })
    if (batch === undefined) {
      logger.warn('batch.unreadable', { batch: id, hash: event.transactionHash })
      return
    }
    const placed = (some: readonly Deal[]): Array<{ deal: Deal, leaf: number }> => some.flatMap((deal) => {
      const leaf = leafOf(batch, deal.terms.core)
      return leaf < 0 ? [] : [{ deal, leaf }]
    })
    const opened = placed(waiting).filter(({ leaf }) => !hasLeaf(voided, leaf))
    const inTime = placed([...waiting, ...givenUp]).filter(({ deal, leaf }) => hasLeaf(voided, leaf) && event.blockTime <= deal.terms.core.openBy)
    await Promise.all(inTime.map(async ({ deal }) => { await deals.update(deal, (changed) => { changed.voidIn = id }) }))
    if (opened.length === 0) return
    await known.add(id, batch)
    await Promise.all(opened.map(async ({ deal, leaf }) => {
      const before = deal.batch === undefined ? undefined : await known.get(deal.batch.id)
      const proof = before?.root === batch.root && deal.batch?.leaf === leaf ? deal.batch.proof : undefined
      await deals.update(deal, (changed) => {
        changed.batch = { id, leaf, committedAt: event.blockTime, expiry: Number(batch.expiry), ...(proof === undefined ? {} : { proof }) }
        recordTransaction({ name: 'commit', hash: event.transactionHash, gas: event.gas ?? 0, from: event.from ?? solver }, batch.rows.length)(changed)
      })
      await proofs.openEarly(deal).catch((error: unknown) => { logger.warn('batch.proof', { dealId: deal.dealId, error: errorMessage(error) }) })
    }))
  }

  const onResolved = async (event: ChainEvent & { name: 'BatchSettled' | 'BatchExpired' }): Promise<void> => {
    const { id, leaves } = event.args
    const [name, dealEvent] = event.name === 'BatchSettled' ? ['settle', 'settled'] as const : ['expire', 'refunded'] as const
    const count = [...leaves.toString(2)].filter((bit) => bit === '1').length
    await Promise.all(deals.all().filter(({ batch }) => batch?.id === id && hasLeaf(leaves, batch.leaf)).map(async (deal) => {
      await deals.apply(deal, dealEvent, recordTransaction({ name, hash: event.transactionHash, gas: event.gas ?? 0, from: event.from ?? deal.terms.core.feeTo }, count))
    }))
  }

  const onClaimed = async (event: ChainEvent & { name: 'LeafClaimed' }): Promise<void> => {
    const deal = deals.get(event.args.dealId)
    if (deal?.batch === undefined || deal.batch.id !== event.args.id || deal.batch.claimedAt !== undefined) return
    await deals.update(deal, (changed) => {
      changed.batch = { ...deal.batch as NonNullable<Deal['batch']>, claimedAt: event.blockTime }
      recordTransaction({ name: 'claim', hash: event.transactionHash, gas: event.gas ?? 0, from: event.from ?? deal.terms.core.creator })(changed)
    })
  }

  const onAccused = async (key: Hash, answerBy: number | undefined): Promise<void> => {
    const deal = deals.open().find(({ batch }) => batch !== undefined && disownKey(batch.id, batch.leaf) === key)
    if (deal?.batch === undefined) return
    const { answerBy: _, ...batch } = deal.batch
    await deals.update(deal, (changed) => { changed.batch = answerBy === undefined ? batch : { ...batch, answerBy } })
  }

  const onLost = async (id: Hash, name: ChainEvent['name']): Promise<void> => {
    if (name === 'BatchCommitted') for (const deal of deals.all().filter(({ voidIn }) => voidIn === id)) await deals.update(deal, (changed) => { delete changed.voidIn })
    for (const deal of deals.all().filter(({ batch }) => batch?.id === id)) {
      const { batch } = deal
      const whole = await known.get(id)
      if (batch === undefined || whole === undefined) continue
      const { id: held, resolved } = await chain.slot(whole.solver, whole.slot)
      const isLeafAgain = held === id && !hasLeaf(resolved, batch.leaf)
      if (name === 'BatchCommitted' && held !== id) await deals.update(deal, (changed) => { takeBack(changed, 'None') })
      else if (name !== 'BatchCommitted' && isLeafAgain) {
        await deals.update(deal, (changed) => {
          takeBack(changed, 'Open')
          const { claimedAt: _, ...leaf } = batch
          changed.batch = leaf
        })
      }
    }
  }
  return {
    take: async (event) => {
      if (event.name === 'BatchCommitted') await onCommitted(event)
      else if (event.name === 'BatchSettled' || event.name === 'BatchExpired') await onResolved(event)
      else if (event.name === 'LeafClaimed') await onClaimed(event)
      else if (event.name === 'Accused') await onAccused(event.args.key, event.args.answerBy)
      else if (event.name === 'Answered') await onAccused(event.args.key, undefined)
    },
    lose: async (event) => {
      if (event.contract === 'batches' && 'id' in event.args) await onLost(event.args.id, event.name)
      else if (event.name === 'Accused') await onAccused(event.args.key, undefined)
    }
  }
}
