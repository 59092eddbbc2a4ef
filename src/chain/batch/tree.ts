import { keccakHex } from '../../wire/keccak.ts'
import type { Hash } from '../../wire/shapes.ts'

/**
 * protocol/batches.md, Layout: the Merkle tree that OpenZeppelin's MerkleProof verifies, with the leaves in their own order.
 * Their library sorts leaves by hash; a row belongs to a leaf by its place.
 */

/** `levels[0]` are the leaves, the last level is the root alone. */
export interface Tree { readonly root: Hash, readonly levels: ReadonlyArray<readonly Hash[]> }

/** Leaf `index`, hashed twice so that no inner node passes for one. */
export function leafHash (index: number, termsDigest: Hash): Hash {
  return hashHex(hashHex(index.toString(16).padStart(64, '0') + termsDigest.slice(2)).slice(2))
}

/** Of at least one leaf. Pairs are hashed sorted; the last of an odd level moves up unchanged. */
export function buildTree (leaves: readonly Hash[]): Tree {
  const levels = [leaves]
  for (let level = leaves; level.length > 1;) {
    const below = level
    level = Array.from({ length: Math.ceil(below.length / 2) }, (_, place) => pairHash(at(below, 2 * place), below[2 * place + 1]))
    levels.push(level)
  }
  return { root: at(levels[levels.length - 1] ?? [], 0), levels }
}

/** What proves leaf `index` under the root. */
export function proofOf (tree: Tree, index: number): Hash[] {
  return tree.levels.flatMap((level, height) => level[(index >> height) ^ 1] ?? [])
}

/** The root that a proof leads to from a leaf's hash. */
export function rootFrom (leaf: Hash, proof: readonly Hash[]): Hash {
  return proof.reduce((node, other) => pairHash(node, other), leaf)
}

function pairHash (left: Hash, right: Hash | undefined): Hash {
  if (right === undefined) return left
  return left < right ? hashHex(left.slice(2) + right.slice(2)) : hashHex(right.slice(2) + left.slice(2))
}

function at (level: readonly Hash[], index: number): Hash {
  const hash = level[index]
  if (hash === undefined) throw new RangeError(`a tree has no node ${index} on a level of ${level.length}`)
  return hash
}

function hashHex (hex: string): Hash {
  return keccakHex(Buffer.from(hex, 'hex'))
}
