import { zeroHash } from 'viem'
import { z } from 'zod'
import { keccakHex } from './keccak.ts'
import { addressShape, amountShape, type Address, type Hash } from './shapes.ts'
import { encodeType, hashStruct, typedDigest, typeHashOf, type Domain, type StructType } from './typed-data.ts'

/** protocol/batches.md. What is signed about a committed batch. */

/** A payee beside provider and solver; the zero address: the pool. `amount` in nLILY. */
export interface Line { readonly payee: Address, readonly amount: number }
export const lineShape = z.strictObject({ payee: addressShape, amount: amountShape.min(1) })
/** Of a deal at most: a version of a module and what it descends from, and the pool. */
export const MAX_LINES = 9
/** The lines of each leaf that a statement names, in the order of the leaves. */
export const leafLinesShape = z.array(z.array(lineShape).max(MAX_LINES).transform((lines): readonly Line[] => lines)).max(256).transform((leaves): ReadonlyArray<readonly Line[]> => leaves)

/** The creator's word: pay these leaves of the batch, bit i for leaf i. */
export interface Statement { readonly batch: Hash, readonly creator: Address, readonly leaves: bigint, readonly lines: readonly Line[] }

const LINE = [['payee', 'address'], ['amount', 'uint64']] as const satisfies StructType
const LINE_TYPE = encodeType('Line', LINE)
const LINE_TYPE_HASH = typeHashOf(LINE_TYPE)
/** EIP-712 hashes an array as the hash of its elements' hashes, so the lines enter as one word. */
const STATEMENT = [['batch', 'bytes32'], ['creator', 'address'], ['leaves', 'uint256'], ['lines', 'bytes32']] as const satisfies StructType
const STATEMENT_TYPE_HASH = typeHashOf(`Statement(bytes32 batch,address creator,uint256 leaves,Line[] lines)${LINE_TYPE}`)
const DISOWN = [['batch', 'bytes32'], ['leaf', 'uint256']] as const satisfies StructType
const DISOWN_TYPE_HASH = typeHashOf(encodeType('Disown', DISOWN))

/** The digest that the creator signs. */
export function statementDigest (domain: Domain, { batch, creator, leaves, lines }: Statement): Hash {
  return typedDigest(domain, hashStruct(STATEMENT_TYPE_HASH, STATEMENT, { batch, creator, leaves, lines: linesHash(lines) }))
}

/** What terms pin of a deal's lines (`linesRoot`): the hash by which they enter a statement; zero for none. */
export function linesRootOf (lines: readonly Line[]): Hash {
  return lines.length === 0 ? zeroHash : linesHash(lines)
}

function linesHash (lines: readonly Line[]): Hash {
  return keccakHex(Buffer.from(lines.map((line) => hashStruct(LINE_TYPE_HASH, LINE, line).slice(2)).join(''), 'hex'))
}

/** The digest that an owner signs to say that it knows of no terms for this lock. */
export function disownDigest (domain: Domain, batch: Hash, leaf: number): Hash {
  return typedDigest(domain, disownKey(batch, leaf))
}

/** The key of that accusation on chain: the hash of what is signed, without the domain. */
export function disownKey (batch: Hash, leaf: number): Hash {
  return hashStruct(DISOWN_TYPE_HASH, DISOWN, { batch, leaf })
}
