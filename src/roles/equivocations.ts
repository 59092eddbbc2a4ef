import { verdictAnswers } from '../chain/dispute-answers.ts'
import { slashEquivocationCall } from '../chain/dispute-calls.ts'
import type { Chain, ChainEvent } from '../chain/chain.ts'
import type { Clock } from '../core/clock.ts'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import { verdictDigest } from '../wire/deal-messages.ts'
import { recoverSigner } from '../wire/signature.ts'
import { createEventTurns } from './batch/event-turns.ts'
import type { DealBook } from './deal-book.ts'

/** Brings a mediator before the Court that told this node one thing of a result and the Court another: its bond is for that (protocol/deal.md, Between nodes). */
export function createEquivocations (components: { books: ReadonlyArray<Pick<DealBook, 'get'>>, chain: Pick<Chain, 'domain' | 'onEvent' | 'transactionData' | 'account' | 'send'>, clock: Clock, logger: Logger }): Startable {
  const { books, chain, logger } = components
  const stopping = new AbortController()
  const { signal } = stopping
  const inTurn = createEventTurns(components, { name: 'court.equivocation', signal })
  let unwatch = (): void => undefined

  const look = async ({ args: { dealId, mediator, outcome, evidence }, transactionHash }: ChainEvent & { name: 'VerdictGiven' }): Promise<void> => {
    const deals = books.flatMap(({ get }) => get(dealId) ?? [])
    const manifest = deals[0]?.result?.manifest
    const word = deals.flatMap(({ votes = [], verdict }) => verdict === undefined ? votes : [...votes, verdict]).find((each) => each.mediator === mediator && each.outcome !== outcome)
    if (word === undefined || manifest === undefined || (await chain.account(mediator)).bond === 0) return
    const told = { dealId, manifest, outcome, evidence }
    const digest = verdictDigest(chain.domain, told)
    const signature = verdictAnswers(await chain.transactionData(transactionHash) ?? '0x').find((each) => recoverSigner(digest, each) === mediator)
    if (signature === undefined) return
    try {
      const { hash } = await chain.send(slashEquivocationCall(chain, mediator, { ...told, signature }, { dealId, manifest, ...word }), { name: 'slash-equivocation', signal })
      logger.warn('court.equivocation', { dealId, mediator, hash })
    } catch (error) {
      if (errorCode(error) !== 'CHAIN_REVERTED') throw error
      logger.warn('court.equivocation', { dealId, mediator, error: errorMessage(error) })
    }
  }
  return {
    start: async () => {
      unwatch = chain.onEvent(async (event) => { if (event.name === 'VerdictGiven') await inTurn(async () => { await look(event) }) })
      await Promise.resolve()
    },
    stop: async () => {
      unwatch()
      stopping.abort(new Error('the node is stopping'))
      await Promise.resolve()
    }
  }
}
