import { FILETYPE } from './filestat.ts'
import { type DirectoryDescriptor } from './descriptors.ts'
import { type GuestWorld, type HostCalls } from './guest-world.ts'
import { listNames, type TreeNode } from './tree.ts'

const DIRENT_BYTES = 24

/** Listing: `.`, `..`, then names in order; the cookie is the position, so any entry can be resumed after. */
export function createReaddirCalls (world: GuestWorld): HostCalls {
  const { memory, descriptors } = world
  const nodeOf = (directory: DirectoryDescriptor, name: string): TreeNode | undefined => {
    if (name === '.') return directory.node
    // The parent of a descriptor's own start is not the guest's business beyond its type; at the root it is the root.
    return name === '..' ? directory.node.parent ?? directory.node : directory.node.entries.get(name)
  }
  return {
    fd_readdir: (fd: number, pointer: number, length: number, cookie: bigint, usedOut: number) => {
      const directory = descriptors.directory(fd)
      const target = memory.bytes(pointer, length)
      if (cookie === 0n) directory.listing = listNames(directory.node)
      const names = ['.', '..', ...directory.listing]
      const start = BigInt.asUintN(64, cookie)
      let used = 0
      for (let index = start > BigInt(names.length) ? names.length : Number(start); index < names.length && used < target.length; index++) {
        const name = names[index] ?? ''
        const node = nodeOf(directory, name)
        if (node === undefined) continue
        const entry = toDirent(BigInt(index + 1), node, name)
        const part = entry.subarray(0, target.length - used)
        target.set(part, used)
        used += part.length
      }
      memory.writeU32(usedOut, used)
    }
  }
}

function toDirent (next: bigint, node: TreeNode, name: string): Uint8Array {
  const text = Buffer.from(name)
  const bytes = Buffer.alloc(DIRENT_BYTES + text.length)
  bytes.writeBigUInt64LE(next, 0)
  bytes.writeBigUInt64LE(node.ino, 8)
  bytes.writeUInt32LE(text.length, 16)
  bytes.writeUInt8(FILETYPE[node.kind], 20)
  bytes.set(text, DIRENT_BYTES)
  return bytes
}
