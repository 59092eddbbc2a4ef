import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import { isLeaf, leavesWord } from '../../deal/batched.ts'
import type { Deal } from '../../deal/deal.ts'
import { isTerminal } from '../../deal/states.ts'
import type { Signer } from '../../identity/signer.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import { statementDigest } from '../../wire/statement.ts'
import type { DealBook } from '../deal-book.ts'
import type { DealRoom } from '../deal-room.ts'

/** A creator's word to pay leaves, to the solver that settles them (protocol/batches.md, Between nodes). */
export interface Statements {
  /** The statement of all leaves of the deal's batch that are accepted so far; undefined where it is no leaf. */
  sign: (deal: Deal) => Deal['statement']
  /** Tells the solver; a failure is made good by `resend`. */
  send: (deal: Deal) => Promise<void>
  /** Signs and tells again what is not settled: the solver was away, or a re-org gave the batch another id. */
  resend: () => Promise<void>
}

/** A settlement takes a block or two; a solver that has not settled by then may not have heard. */
const RESEND_MS = 3_000

export function createStatements (components: {
  deals: DealBook, room: Pick<DealRoom, 'statement'>, chain: Pick<Chain, 'domain'>, peerOf: (solver: Address) => string | undefined, signer: Signer, clock: Clock, logger: Logger
}): Statements {
  const { deals, room, signer, clock, logger } = components
  const sentAtMs = new Map<Hash, number>()

  const isAccepted = (deal: Deal): boolean => deal.acceptance !== undefined && isLeaf(deal)
  const sign = (deal: Deal): Deal['statement'] => {
    const { batch } = deal
    if (batch === undefined || !isLeaf(deal)) return undefined
    // What is paid already is not named again: its lines would come out of the others' reserve.
    const accepted = deals.all().filter((other) => other === deal || (other.batch?.id === batch.id && isAccepted(other) && !isTerminal(other.state)))
    accepted.sort((one, other) => (one.batch?.leaf ?? 0) - (other.batch?.leaf ?? 0))
    const leaves = leavesWord(accepted.flatMap((other) => other.batch?.leaf ?? []))
    const lines = accepted.map((other) => other.lines ?? [])
    const signature = signer.sign(statementDigest(components.chain.domain, { batch: batch.id, creator: signer.address, leaves: BigInt(leaves), lines: lines.flat() }))
    return { batch: batch.id, leaves, signature, ...(lines.flat().length === 0 ? {} : { lines }), atMs: clock.now() }
  }
  const send = async ({ dealId, statement, solverPeer, terms: { core: { feeTo } } }: Deal): Promise<void> => {
    const peer = solverPeer ?? components.peerOf(feeTo)
    if (statement === undefined || peer === undefined) return
    const { batch, leaves, signature, lines } = statement
    sentAtMs.set(batch, clock.now())
    try {
      await room.statement(peer, { batch, creator: signer.address, leaves, signature, ...(lines === undefined ? {} : { lines }) })
    } catch (error) {
      logger.debug('deal.statement', { dealId, batch, error: errorMessage(error) })
    }
  }
  return {
    sign,
    send,
    resend: async () => {
      const waiting = new Map<Hash, Deal>()
      for (const deal of deals.open()) if (deal.batch !== undefined && isAccepted(deal) && !isTerminal(deal.state)) waiting.set(deal.batch.id, deal)
      for (const batch of sentAtMs.keys()) if (!waiting.has(batch)) sentAtMs.delete(batch)
      await Promise.all([...waiting].map(async ([batch, deal]) => {
        if (clock.now() < (sentAtMs.get(batch) ?? deal.statement?.atMs ?? 0) + RESEND_MS) return
        const statement = sign(deal)
        if (statement !== undefined) await deals.update(deal, (changed) => { changed.statement = statement })
        await send(deal)
      }))
    }
  }
}
