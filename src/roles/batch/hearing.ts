import type { Clock } from '../../core/clock.ts'
import { inTurns } from '../../core/in-turns.ts'
import { DealError } from '../../deal/errors.ts'
import { assertLines, linesByLeaf } from '../../deal/lines.ts'
import type { OpenRequestOf } from '../../wire/deal-room.ts'
import { recoverSigner } from '../../wire/signature.ts'
import { statementDigest } from '../../wire/statement.ts'
import type { Domain } from '../../wire/typed-data.ts'
import type { OwnBatch } from './own-batch.ts'
import type { OwnBatches } from './own-batches.ts'
import type { OwnStore } from './own-store.ts'

/** What creators tell a solver to pay. */
export interface Hearing {
  /** Resolves to the batch when the statement is on disk, to undefined where an earlier one said all of it, or all is paid. Throws DealError DEAL_UNKNOWN, DEAL_BAD_STATEMENT, DEAL_BAD_LINES, DEAL_BAD_SIGNATURE. */
  hear: (message: Omit<OpenRequestOf<'statement'>, 'type'>) => Promise<OwnBatch | undefined>
}

export function createHearing ({ own, store, clock }: { own: Pick<OwnBatches, 'find'>, store: Pick<OwnStore, 'statement'>, clock: Clock }, { domain }: { domain: Domain }): Hearing {
  const take = async ({ batch: id, creator, leaves, signature, lines }: Parameters<Hearing['hear']>[0]): ReturnType<Hearing['hear']> => {
    const batch = own.find(id)
    if (batch === undefined) throw new DealError('DEAL_UNKNOWN', 'no such batch of ours, or all of it is resolved', { data: { batch: id } })
    const held = batch.statements.get(creator)
    const named = BigInt(leaves)
    const known = BigInt(held?.leaves ?? 0n)
    const isOwn = named !== 0n && (named & ~batch.leavesOfCreator(creator)) === 0n
    if (isOwn && ((named & batch.live) === 0n || (held !== undefined && (named & ~known) === 0n && batch.isPayable(held)))) return undefined
    // One that leaves out what an earlier one paid would take that back.
    if (!isOwn || (known & batch.live & ~named) !== 0n) throw new DealError('DEAL_BAD_STATEMENT', 'a statement names leaves of its creator, and all that an earlier one does', { data: { batch: id, leaves } })
    const byLeaf = linesByLeaf(leaves, lines)
    for (const [leaf, own] of byLeaf) {
      const deal = batch.deals[leaf]
      if (deal !== undefined) assertLines(deal.terms, own)
    }
    const statement = { batch: id, creator, leaves, signature, lines: [...byLeaf.values()], atMs: clock.now() }
    if (!batch.isPayable(statement)) throw new DealError('DEAL_BAD_STATEMENT', 'lines of a leaf that is paid already would be paid out of another', { data: { batch: id, leaves } })
    if (recoverSigner(statementDigest(domain, { batch: id, creator, leaves: named, lines: statement.lines.flat() }), signature) !== creator) throw new DealError('DEAL_BAD_SIGNATURE', 'the statement is not signed by the creator', { data: { batch: id } })
    // What an earlier one said and is not paid yet has waited since then.
    const waiting = (known & batch.live) === 0n ? statement : { ...statement, atMs: held?.atMs ?? statement.atMs }
    await store.statement(batch.slot, waiting)
    // A re-org meanwhile gave the batch another id, which the creator has to sign anew.
    if (own.find(id) === batch) batch.say(waiting)
    return batch
  }
  // Two at once, both checked against what was held before: the one that says less could be the one that stays.
  const inTurn = inTurns()
  return { hear: async (message) => await inTurn(`${message.batch} ${message.creator}`, async () => await take(message)) }
}
