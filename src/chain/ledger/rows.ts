import { dealIdOf } from '../../wire/deal-terms.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import type { Domain } from '../../wire/typed-data.ts'
import { toAmount } from '../amounts.ts'
import { ownerIndex, type Batch } from '../batch/layout.ts'
import type { Moved } from './moved.ts'

/** protocol/batches.md, Layout and What happens: what the leaves of a batch move of one account's money. Pure. */

interface Row { bit: number, creator: number, provider: number, price: bigint, fee: bigint, reserve: bigint, collateral: bigint }
interface Statements {
  readonly statements: ReadonlyArray<{ owner: bigint | number }>
  readonly lines: ReadonlyArray<{ statement: bigint | number, payee: Address, amount: bigint }>
}

/** What a commit locks. `leaves`: those that are not void. */
export function lockedOf (batch: Batch, leaves: bigint, account: Address, domain: Domain): Moved {
  const rows = rowsOf(batch, leaves)
  return movedOf(batch, { account, domain }, rows, fromOwner(batch, rows, account))
}

/** What goes back to the owners when leaves expire or are disowned: the same amounts. */
export const backTo = lockedOf

/** What a settlement of `leaves` pays: to owners as providers and, less their lines, as creators; to payees of lines; to the solver. */
export function paidTo (batch: Batch, leaves: bigint, { statements, lines }: Statements, account: Address, domain: Domain): Moved {
  const rows = rowsOf(batch, leaves)
  const to = batch.owners.map((_, owner) => rows.reduce((sum, row) => sum + (row.provider === owner ? row.price + row.collateral : 0n) + (row.creator === owner ? row.reserve : 0n), 0n))
  let toPayee = 0n
  for (const { statement, payee, amount } of lines) {
    const creator = Number(statements[Number(statement)]?.owner ?? -1)
    const left = to[creator] ?? 0n
    if (amount > left || !rows.some((row) => row.creator === creator)) continue
    to[creator] = left - amount
    if (payee.toLowerCase() === account) toPayee += amount
  }
  return { ...movedOf(batch, { account, domain }, rows, to[ownerIndex(batch, account)] ?? 0n), ...(toPayee === 0n ? {} : { lines: toAmount(toPayee) }) }
}

function rowsOf ({ rows }: Batch, leaves: bigint): Row[] {
  return rows.flatMap((row, leaf) => (leaves >> BigInt(leaf) & 1n) === 0n
    ? []
    : [{ bit: Number(row >> 16n & 0xffn), creator: Number(row & 0xffn), provider: Number(row >> 8n & 0xffn), price: amountAt(row, 24n), fee: amountAt(row, 80n), reserve: amountAt(row, 136n), collateral: row >> 192n }])
}

function amountAt (row: bigint, bit: bigint): bigint {
  return BigInt.asUintN(56, row >> bit)
}

/** The id of a row's deal: its creator, and the job and attempt that its bit in the nullifier word stands for. */
function dealOf ({ owners }: Batch, { creator, bit }: Row, domain: Domain): Hash {
  const word = owners[creator] ?? 0n
  const account: Address = `0x${BigInt.asUintN(160, word).toString(16).padStart(40, '0')}`
  return dealIdOf(domain, account, Number(BigInt.asUintN(64, word >> 168n)) * 32 + (bit >> 3), bit & 7)
}

function fromOwner (batch: Batch, rows: readonly Row[], account: Address): bigint {
  const owner = ownerIndex(batch, account)
  return rows.reduce((sum, row) => sum + (row.creator === owner ? row.price + row.fee + row.reserve : 0n) + (row.provider === owner ? row.collateral : 0n), 0n)
}

function movedOf (batch: Batch, { account, domain }: { account: Address, domain: Domain }, rows: readonly Row[], amount: bigint): Moved {
  const owner = ownerIndex(batch, account)
  const number = Number(BigInt.asUintN(8, (batch.owners[owner] ?? 0n) >> 160n))
  return {
    ...(amount === 0n ? {} : { owner: { number, amount: toAmount(amount), isProvider: rows.some(({ provider }) => provider === owner), deals: rows.flatMap((row) => row.creator === owner || row.provider === owner ? dealOf(batch, row, domain) : []) } }),
    ...(batch.solver !== account || rows.length === 0
      ? {}
      : { solver: { escrow: toAmount(rows.reduce((sum, row) => sum + row.price + row.fee + row.reserve + row.collateral, 0n)), fees: toAmount(rows.reduce((sum, row) => sum + row.fee, 0n)) } })
  }
}
