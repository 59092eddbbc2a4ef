import { expireCall } from '../../chain/batch/calls.ts'
import { committedBatch } from '../../chain/batch/committed.ts'
import { concludeDisownCall, disownCall } from '../../chain/batch/fault-calls.ts'
import { leafOf, ownerIndex, rowOf, type Batch } from '../../chain/batch/layout.ts'
import type { Chain, ChainEvent, ContractCall } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import { hasLeaf } from '../../deal/batched.ts'
import { DEADLINE_SKEW_SECONDS } from '../../deal/timeouts.ts'
import type { Signer } from '../../identity/signer.ts'
import { dealIdOf, dealTermsDigest, type Consent } from '../../wire/deal-terms.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import { recoverSigner } from '../../wire/signature.ts'
import { disownDigest } from '../../wire/statement.ts'
import type { DealBook } from '../deal-book.ts'
import type { ForeignLeaf, ForeignLeaves } from './foreign-leaves.ts'
import { ACCUSER_STAKE, answerSeconds } from './stake.ts'

export interface DisowningComponents {
  chain: Pick<Chain, 'domain' | 'deployment' | 'address' | 'send' | 'onEvent' | 'blockTime' | 'account' | 'slot' | 'transactionData'>
  /** Of every role of this node. */
  books: ReadonlyArray<Pick<DealBook, 'get'>>
  leaves: ForeignLeaves
  /** What a solver shows of a deal that it says both signed. */
  askConsent: (solver: Address, dealId: Hash) => Promise<Consent>
  signer: Signer
  clock: Clock
  logger: Logger
}

/** How often a solver is asked before it is accused: it may be restarting. */
const ASKS = 3
const RETRY_MS = 5_000
const TICK_MS = 1_000
/** An endpoint may know an event before its transaction. */
const MAX_LOOKS = 60

/**
 * Watches every batch for locks of this account's money that it never signed for: asks their solver, disowns what that cannot show, and takes the
 * money back, at the batch's expiry at the latest (protocol/batches.md, Disowned leaves). `leastSlash`: less is not worth the transactions, nLILY.
 */
export function createDisowning (components: DisowningComponents, options: { leastSlash: number }): Startable {
  const { chain, books, leaves, signer, clock, logger } = components
  const { domain } = chain
  const account = signer.address
  const { contracts: { batches }, parameters: { unbondSeconds } } = chain.deployment
  const stopping = new AbortController()
  const { signal } = stopping
  const restUntilMs = new Map<string, number>()
  let loop: Promise<void> = Promise.resolve()
  let unwatch = (): void => undefined

  /** Whether these terms are what the leaf locks money for. */
  const fits = (batch: Batch, leaf: number, { core }: Consent['terms']): boolean => core.feeTo === batch.solver && leafOf(batch, core) === leaf
  const isSigned = (batch: Batch, leaf: number, dealId: Hash): boolean => books.some(({ get }) => {
    const deal = get(dealId)
    return deal !== undefined && fits(batch, leaf, deal.terms)
  })
  /** Another node of the account may have signed, or this one before it lost its disk. */
  const isShown = async (batch: Batch, leaf: number, dealId: Hash): Promise<boolean> => {
    for (let ask = 0; ask < ASKS; ask++) {
      try {
        const { terms, creatorSignature, providerSignature } = await components.askConsent(batch.solver, dealId)
        const digest = dealTermsDigest(domain, terms)
        return fits(batch, leaf, terms) && recoverSigner(digest, creatorSignature) === terms.core.creator && recoverSigner(digest, providerSignature) === terms.core.provider
      } catch (error) {
        logger.debug('batch.ask-consent', { dealId, solver: batch.solver, error: errorMessage(error) })
        if (ask < ASKS - 1) await clock.wait(RETRY_MS, signal)
      }
    }
    return false
  }
  const dataOf = async (hash: Hash): Promise<Hash | undefined> => {
    for (let look = 0; look < MAX_LOOKS; look++) {
      const data = await chain.transactionData(hash)
      if (data !== undefined) return data
      await clock.wait(RETRY_MS, signal)
    }
    return undefined
  }
  const onCommitted = async (event: ChainEvent & { name: 'BatchCommitted' }): Promise<void> => {
    const { id, solver, voided } = event.args
    const data = await dataOf(event.transactionHash)
    // Most commits name others: that is told without reading them as calls.
    if (data?.includes(account.slice(2)) !== true) return
    const batch = committedBatch(data, { chainId: domain.chainId, batches, id, solver, committedAt: event.blockTime, voided })
    if (batch === undefined || ownerIndex(batch, account) < 0 || Number(batch.expiry) < await chain.blockTime() && await isResolved(batch, id)) return
    for (const leaf of batch.rows.keys()) {
      const row = rowOf(batch, leaf)
      if (row === undefined || hasLeaf(voided, leaf) || (row.creator !== account && row.provider !== account)) continue
      const dealId = dealIdOf(domain, row.creator, row.jobNumber, row.attempt)
      if (isSigned(batch, leaf, dealId)) continue
      await leaves.add({ id, leaf, dealId, sum: row.sum }, batch)
    }
  }
  const isResolved = async (batch: Batch, id: Hash, leaf?: number): Promise<boolean> => {
    const held = await chain.slot(batch.solver, batch.slot)
    return held.id !== id || (leaf === undefined ? held.resolved === (1n << 256n) - 1n : hasLeaf(held.resolved, leaf))
  }

  const onEvent = async (event: ChainEvent): Promise<void> => {
    if (event.name === 'BatchCommitted') await onCommitted(event)
    else if (event.name === 'Accused') await leaves.change(event.args.key, { answerBy: event.args.answerBy })
    else if (event.name === 'Answered') await leaves.change(event.args.key, { isShown: true })
  }
  const send = async (name: string, call: ContractCall): Promise<void> => {
    for (const event of (await chain.send(call, { name, signal })).events) await onEvent(event)
  }
  const act = async (foreign: ForeignLeaf, batch: Batch, blockTime: number): Promise<void> => {
    const { id, leaf, dealId, sum, answerBy } = foreign
    const isOpen = answerBy !== undefined && foreign.isShown !== true
    if (await isResolved(batch, id, leaf)) {
      // What the stake was for is gone, the stake is not.
      if (isOpen && blockTime > answerBy + DEADLINE_SKEW_SECONDS) await send('conclude-disown', concludeDisownCall(batch, leaf)).catch(() => undefined)
      if (!isOpen || blockTime > answerBy + DEADLINE_SKEW_SECONDS) await leaves.forget(foreign)
    } else if (isOpen && blockTime > answerBy + DEADLINE_SKEW_SECONDS) await send('conclude-disown', concludeDisownCall(batch, leaf))
    else if (blockTime > Number(batch.expiry) + DEADLINE_SKEW_SECONDS) await send('expire', expireCall(batch, 1n << BigInt(leaf)))
    else if (answerBy === undefined && foreign.isShown !== true && blockTime + answerSeconds(unbondSeconds) < Number(batch.expiry)) {
      if (await isShown(batch, leaf, dealId)) await leaves.change(foreign.key, { isShown: true })
      else if (Math.min(sum, ACCUSER_STAKE) >= options.leastSlash && (await chain.account(account)).free >= ACCUSER_STAKE) {
        logger.warn('batch.disown', { batch: id, leaf, dealId, solver: batch.solver })
        await send('disown', disownCall(batch, leaf, account, signer.sign(disownDigest(domain, id, leaf))))
      }
    }
  }
  const tick = async (): Promise<void> => {
    const all = leaves.all()
    if (all.length === 0) return
    const blockTime = await chain.blockTime()
    await Promise.all(all.map(async (foreign) => {
      if (clock.now() < (restUntilMs.get(foreign.key) ?? 0)) return
      try {
        await act(foreign, await leaves.batchOf(foreign), blockTime)
      } catch (error) {
        restUntilMs.set(foreign.key, clock.now() + RETRY_MS)
        if (!signal.aborted) logger.warn('batch.foreign', { batch: foreign.id, leaf: foreign.leaf, error: errorMessage(error) })
      }
    }))
  }

  return {
    start: async () => {
      await leaves.load()
      unwatch = chain.onEvent(async (event) => {
        await onEvent(event).catch(async (error: unknown) => {
          // Its block does not count as done: the event comes again when the node does.
          if (signal.aborted) await new Promise<never>(() => undefined)
          logger.error('batch.foreign', { error: errorMessage(error) })
        })
      })
      loop = (async () => {
        while (!signal.aborted) {
          await tick().catch((error: unknown) => { logger.debug('batch.foreign', { error: errorMessage(error) }) })
          await clock.wait(TICK_MS, signal).catch(() => undefined)
        }
      })()
    },
    stop: async () => {
      unwatch()
      stopping.abort(new Error('the node is stopping'))
      await loop
    }
  }
}
