import { expireCall } from '../../chain/batch/calls.ts'
import { concludeDisownCall, disownCall } from '../../chain/batch/fault-calls.ts'
import type { Batch } from '../../chain/batch/layout.ts'
import type { Chain, ChainEvent, ContractCall } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import { DEADLINE_SKEW_SECONDS } from '../../deal/timeouts.ts'
import type { Signer } from '../../identity/signer.ts'
import type { Consent } from '../../wire/deal-terms.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import { disownDigest } from '../../wire/statement.ts'
import { createAskingTerms } from './asking-terms.ts'
import { createCommitData } from './commit-data.ts'
import { createEventTurns } from './event-turns.ts'
import type { ForeignLeaf } from './foreign-leaves.ts'
import { createForeignWatch, type ForeignWatchComponents } from './foreign-watch.ts'
import { isResolved } from './resolved.ts'
import { ACCUSER_STAKE, answerSeconds } from './stake.ts'

export interface DisowningComponents extends Omit<ForeignWatchComponents, 'dataOf'> {
  chain: ForeignWatchComponents['chain'] & Pick<Chain, 'send' | 'onEvent' | 'onLost' | 'account' | 'transactionData' | 'speaksFor'>
  /** What a solver shows of a deal that it says both signed. */
  askConsent: (solver: Address, dealId: Hash) => Promise<Consent>
  signer: Signer
  clock: Clock
  logger: Logger
}

const RETRY_MS = 5_000
const TICK_MS = 1_000

/**
 * Watches every batch for locks of this account's money that it never signed for: asks their solver, disowns what that cannot show, and takes the
 * money back, at the batch's expiry at the latest (protocol/batches.md, Disowned leaves). `leastSlash`: less is not worth the transactions, nLILY.
 */
export function createDisowning (components: DisowningComponents, options: { leastSlash: number }): Startable {
  const { chain, leaves, signer, clock, logger } = components
  const { unbondSeconds } = chain.deployment.parameters
  const stopping = new AbortController()
  const { signal } = stopping
  const isShown = createAskingTerms(components, { signal })
  const inTurn = createEventTurns({ clock, logger }, { name: 'batch.foreign', signal })
  const noteCommit = createForeignWatch({ ...components, dataOf: createCommitData(components, { signal }) })
  const restUntilMs = new Map<Hash, number>()
  const running = new Map<Hash, Promise<void>>()
  const stops: Array<() => void> = []
  let loop: Promise<void> = Promise.resolve()

  const onEvent = async (event: ChainEvent): Promise<void> => {
    if (event.name === 'BatchCommitted') await inTurn(async () => { await noteCommit(event) })
    else if (event.name === 'Accused') await inTurn(async () => { await leaves.change(event.args.key, { answerBy: event.args.answerBy }) })
    else if (event.name === 'Answered') await inTurn(async () => { await leaves.change(event.args.key, { isShown: true }) })
  }
  const onLost = async (event: ChainEvent): Promise<void> => {
    if (event.name === 'Accused') await inTurn(async () => { await leaves.change(event.args.key, { answerBy: 0 }) })
    else if (event.name === 'Answered') await inTurn(async () => { await leaves.change(event.args.key, { isShown: false }) })
  }
  const send = async (name: string, call: ContractCall): Promise<void> => {
    for (const event of (await chain.send(call, { name, signal })).events) await onEvent(event)
  }
  const forget = async (foreign: ForeignLeaf): Promise<void> => {
    restUntilMs.delete(foreign.key)
    await leaves.forget(foreign)
  }
  const isAccused = ({ answerBy, isShown }: ForeignLeaf): boolean => answerBy > 0 && !isShown
  const disown = async ({ key, id, leaf, dealId }: ForeignLeaf, batch: Batch, blockTime: number): Promise<void> => {
    if ((await chain.account(signer.address)).free < ACCUSER_STAKE) {
      restUntilMs.set(key, clock.now() + RETRY_MS)
      return
    }
    const leftSeconds = Number(batch.expiry) - answerSeconds(unbondSeconds) - blockTime
    if (await isShown(batch, leaf, dealId, leftSeconds)) {
      await leaves.change(key, { isShown: true })
      return
    }
    logger.warn('batch.disown', { batch: id, leaf, dealId, solver: batch.solver })
    await send('disown', disownCall(batch, leaf, signer.address, signer.sign(disownDigest(chain.domain, id, leaf))))
  }
  const conclude = async (foreign: ForeignLeaf, batch: Batch): Promise<void> => {
    try {
      await send('conclude-disown', concludeDisownCall(batch, foreign.leaf))
    } catch (error) {
      if (errorCode(error) !== 'CHAIN_REVERTED') throw error
      // Somebody else ended it, or a re-org took it back: the leaf is as one that was never accused.
      await leaves.change(foreign.key, { answerBy: 0 })
    }
  }
  /** All of the batch at once: a lock costs its solver less than a transaction its owner. */
  const expire = async (batch: Batch, mates: readonly ForeignLeaf[]): Promise<void> => {
    await send('expire', expireCall(batch, mates.reduce((bits, { leaf }) => bits | 1n << BigInt(leaf), 0n)))
    for (const mate of mates) await forget(mate)
  }
  /** Reads the chain only when something is due: there may be many such locks, for days. */
  const act = async (foreign: ForeignLeaf, blockTime: number): Promise<void> => {
    const { id, leaf, sum, answerBy } = foreign
    const batch = await leaves.batchOf(foreign)
    const isOver = blockTime > Number(batch.expiry) + DEADLINE_SKEW_SECONDS
    if (isAccused(foreign)) {
      if (blockTime <= answerBy + DEADLINE_SKEW_SECONDS) return
      await conclude(foreign, batch)
      if (await isResolved(chain, batch, id, leaf)) await forget(foreign)
    } else if (isOver) {
      const mates = leaves.all().filter((other) => other.id === id && !isAccused(other))
      if (mates[0]?.leaf !== leaf) return
      if (await isResolved(chain, batch, id, leaf)) await forget(foreign)
      else await expire(batch, mates)
    } else if (!foreign.isShown && Math.min(sum, ACCUSER_STAKE) >= options.leastSlash && blockTime + answerSeconds(unbondSeconds) < Number(batch.expiry)) {
      if (await isResolved(chain, batch, id, leaf)) await forget(foreign)
      else await disown(foreign, batch, blockTime)
    }
  }
  const tick = async (): Promise<void> => {
    const idle = leaves.all().filter(({ key }) => !running.has(key) && clock.now() >= (restUntilMs.get(key) ?? 0))
    if (idle.length === 0) return
    const blockTime = await chain.blockTime()
    for (const foreign of idle) {
      const step = act(foreign, blockTime).catch((error: unknown) => {
        restUntilMs.set(foreign.key, clock.now() + RETRY_MS)
        if (!signal.aborted) logger.warn('batch.foreign', { batch: foreign.id, leaf: foreign.leaf, error: errorMessage(error) })
      })
      running.set(foreign.key, step)
      void step.then(() => running.delete(foreign.key))
    }
  }
  /** What was not taken in before the node stops comes again. */
  const listener = (take: (event: ChainEvent) => Promise<void>) => async (event: ChainEvent): Promise<void> => {
    await take(event).catch(async () => { await new Promise<never>(() => undefined) })
  }

  return {
    start: async () => {
      await leaves.load()
      stops.push(chain.onEvent(listener(onEvent)), chain.onLost(listener(onLost)))
      loop = (async () => {
        while (!signal.aborted) {
          await tick().catch((error: unknown) => { logger.debug('batch.foreign', { error: errorMessage(error) }) })
          await clock.wait(TICK_MS, signal).catch(() => undefined)
        }
      })()
    },
    stop: async () => {
      for (const stop of stops) stop()
      stopping.abort(new Error('the node is stopping'))
      await loop
      await Promise.all(running.values())
    }
  }
}
