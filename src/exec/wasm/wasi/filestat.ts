import { fault } from './errno.ts'
import { type Descriptor } from './descriptors.ts'
import { type GuestMemory } from './guest-memory.ts'
import { type TreeNode } from './tree.ts'
import { type VirtualClock } from './virtual-clock.ts'

/** `filetype` of preview 1. */
export const FILETYPE = { unknown: 0, character: 2, directory: 3, file: 4, symlink: 7 } as const
const FILESTAT_BYTES = 64

/** The filetype of a descriptor. Output streams look like terminals, so that guests print line by line; input does not, so that interpreters do not prompt. */
export function toFiletype (descriptor: Descriptor): number {
  if (descriptor.kind === 'input') return FILETYPE.unknown
  return descriptor.kind === 'stream' ? FILETYPE.character : FILETYPE[descriptor.kind]
}

/** Writes a `filestat`: `node` undefined for the standard streams. Throws EFAULT. */
export function writeFilestat (memory: GuestMemory, pointer: number, filetype: number, node: TreeNode | undefined): void {
  memory.bytes(pointer, FILESTAT_BYTES).fill(0)
  const at = pointer >>> 0
  memory.writeU8(at + 16, filetype)
  memory.writeU64(at + 24, BigInt(node?.links ?? 1))
  if (node === undefined) return
  memory.writeU64(at, 1n)
  memory.writeU64(at + 8, node.ino)
  memory.writeU64(at + 32, BigInt(toSize(node)))
  memory.writeU64(at + 40, node.accessedNs)
  memory.writeU64(at + 48, node.modifiedNs)
  memory.writeU64(at + 56, node.changedNs)
}

function toSize (node: TreeNode): number {
  if (node.kind === 'file') return node.content.size
  return node.kind === 'symlink' ? Buffer.byteLength(node.target) : 0
}

const SET_ACCESSED = 1
const ACCESSED_NOW = 2
const SET_MODIFIED = 4
const MODIFIED_NOW = 8

/** Sets times by `fstflags`. Throws EINVAL for contradictions, EROFS for inputs. */
export function setTimes (node: TreeNode, clock: VirtualClock, accessedNs: bigint, modifiedNs: bigint, flags: number): void {
  const both = (mask: number): boolean => (flags & mask) === mask
  if (both(SET_ACCESSED | ACCESSED_NOW) || both(SET_MODIFIED | MODIFIED_NOW) || flags > 15) throw fault('INVAL')
  if (node.readOnly) throw fault('ROFS')
  const now = clock.peekNs()
  if ((flags & SET_ACCESSED) !== 0) node.accessedNs = BigInt.asUintN(64, accessedNs)
  if ((flags & ACCESSED_NOW) !== 0) node.accessedNs = now
  if ((flags & SET_MODIFIED) !== 0) node.modifiedNs = BigInt.asUintN(64, modifiedNs)
  if ((flags & MODIFIED_NOW) !== 0) node.modifiedNs = now
  node.changedNs = now
}
