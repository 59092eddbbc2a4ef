import type { Hex } from 'viem'
import type { Address, Hash } from '../../wire/shapes.ts'
import { disownKey } from '../../wire/statement.ts'
import type { Domain } from '../../wire/typed-data.ts'
import { batchCalls } from '../batch/batch-calls.ts'
import { batchId, type Batch } from '../batch/layout.ts'
import { committedBatch } from '../batch/committed.ts'
import type { ChainEvent } from '../decode-events.ts'
import { backTo, lockedOf, paidTo } from './rows.ts'

/** What a batch's transaction moved of one account's money, nLILY. */
export interface Moved {
  /** As an owner of the batch: out of or into the session of this number. */
  readonly owner?: { readonly number: number, readonly amount: number, readonly isProvider: boolean, readonly deals: readonly Hash[] }
  /** By lines of others' statements, into free money. */
  readonly lines?: number
  /** As its solver: the escrow, and of it the fees. */
  readonly solver?: { readonly escrow: number, readonly fees: number }
  /** Whom a promise that was not kept is compensated to. */
  readonly victim?: Address
}
export interface Reading { readonly account: Address, readonly domain: Domain, readonly batches: Address }

/** Reads an event's part in the data of its transaction, called directly or by `multicall`; undefined where the account has none in it. */
export function movedBy (event: ChainEvent, data: Hex, { account, domain, batches }: Reading): Moved | undefined {
  const isBatch = (batch: Batch, id: Hash): boolean => batchId(domain.chainId, batches, batch) === id
  switch (event.name) {
    case 'BatchCommitted': {
      const { id, solver, voided } = event.args
      const batch = committedBatch(data, { chainId: domain.chainId, batches, id, solver, committedAt: event.blockTime, voided })
      return batch && some(lockedOf(batch, ~voided, account, domain))
    }
    case 'BatchSettled':
      for (const call of batchCalls(data)) {
        if (call.functionName !== 'settle') continue
        const [batch, statements, lines] = call.args
        const named = statements.reduce((bits, { leaves }) => bits | leaves, 0n)
        if ((named & event.args.leaves) === event.args.leaves && isBatch(lower(batch), event.args.id)) return some(paidTo(lower(batch), event.args.leaves, { statements, lines }, account, domain))
      }
      return undefined
    case 'BatchExpired':
      for (const call of batchCalls(data)) {
        if (call.functionName === 'expire' && isBatch(lower(call.args[0]), event.args.id)) return some(backTo(lower(call.args[0]), event.args.leaves, account, domain))
      }
      return undefined
    case 'Concluded':
      for (const call of batchCalls(data)) {
        if (call.functionName === 'concludePromise') return { victim: call.args[2].creator.toLowerCase() as Address }
        if (call.functionName !== 'concludeDisown') continue
        const [batch, leaf] = [lower(call.args[0]), call.args[1]]
        if (disownKey(batchId(domain.chainId, batches, batch), Number(leaf)) === event.args.key) return some(backTo(batch, 1n << leaf, account, domain))
      }
      return undefined
    default:
      return undefined
  }
}

const some = (moved: Moved): Moved | undefined => moved.owner === undefined && moved.lines === undefined && moved.solver === undefined ? undefined : moved
const lower = (batch: Batch): Batch => ({ ...batch, solver: batch.solver.toLowerCase() as Address })
