import type { OpeningMessage } from '../../wire/opening.ts'
import type { Hash } from '../../wire/shapes.ts'
import { toAmount } from '../amounts.ts'
import type { Opening } from './layout.ts'

const word = (value: bigint): Hash => `0x${value.toString(16).padStart(64, '0')}`

/** An opening as nodes tell it to each other. */
export function openingToMessage ({ solver, slot, committedAt, expiry, root, voided, owners, leaf, rows, others, proof }: Opening): OpeningMessage {
  return { solver, slot, committedAt: toAmount(committedAt), expiry: toAmount(expiry), root, voided: word(voided), owners: owners.map(word), leaf: Number(leaf), rows: rows.map(word), others: [...others], proof: [...proof] }
}

/** The same as calls and hashes take it. */
export function messageToOpening (message: OpeningMessage): Opening {
  const { committedAt, expiry, voided, owners, leaf, rows } = message
  return { ...message, committedAt: BigInt(committedAt), expiry: BigInt(expiry), voided: BigInt(voided), owners: owners.map(BigInt), leaf: BigInt(leaf), rows: rows.map(BigInt) }
}
