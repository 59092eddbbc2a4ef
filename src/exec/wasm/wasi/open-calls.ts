import { fault } from './errno.ts'
import { ALL_FD_FLAGS } from './descriptor-calls.ts'
import { type DirectoryDescriptor } from './descriptors.ts'
import { type GuestWorld, type HostCalls } from './guest-world.ts'
import { MAX_PATH_BYTES, resolvePath, type Resolved } from './resolve.ts'
import { DIRECTORY_RIGHTS, FILE_RIGHTS, RIGHT_PATH_SET_SIZE, RIGHT_WRITE } from './rights.ts'
import { type FileNode, type TreeNode } from './tree.ts'

const CREATE = 1
const DIRECTORY = 2
const EXCLUSIVE = 4
const TRUNCATE = 8
const FOLLOW = 1

/** Opening and creating files. */
export function createOpenCalls (world: GuestWorld): HostCalls {
  const { memory, descriptors, tree } = world

  const create = (at: Resolved): FileNode => {
    if (at.name === undefined || at.trailingSlash) throw fault('ISDIR')
    const node = tree.file()
    tree.link(at.parent, at.name, node)
    return node
  }
  const check = (node: TreeNode, from: DirectoryDescriptor, openFlags: number, writes: boolean): void => {
    if (node.kind === 'symlink') throw fault((openFlags & DIRECTORY) === 0 ? 'LOOP' : 'NOTDIR')
    const truncates = (openFlags & TRUNCATE) !== 0
    if (node.kind === 'directory') {
      if (writes || truncates || (openFlags & CREATE) !== 0) throw fault('ISDIR')
      return
    }
    if ((openFlags & DIRECTORY) !== 0) throw fault('NOTDIR')
    if (truncates && (from.rights & RIGHT_PATH_SET_SIZE) === 0n) throw fault('PERM')
    if (node.readOnly && (writes || truncates)) throw fault('ROFS')
  }
  return {
    path_open: (fd: number, lookup: number, pointer: number, length: number, openFlags: number, rights: bigint, inheriting: bigint, flags: number, out: number) => {
      const from = descriptors.directory(fd)
      const path = memory.text(pointer, length, MAX_PATH_BYTES)
      memory.bytes(out, 4)
      if (flags >>> 0 > ALL_FD_FLAGS || openFlags >>> 0 > 15 || (openFlags & (CREATE | DIRECTORY)) === (CREATE | DIRECTORY)) throw fault('INVAL')
      const wanted = BigInt.asUintN(64, rights) & from.inheriting
      const exclusive = (openFlags & (CREATE | EXCLUSIVE)) === (CREATE | EXCLUSIVE)
      // An exclusive create never follows the last link, as O_EXCL.
      const at = resolvePath(from.node, path, { followLast: (lookup & FOLLOW) !== 0 && !exclusive })
      if (at.node === undefined && (openFlags & CREATE) === 0) throw fault('NOENT')
      if (at.node !== undefined && exclusive) throw fault('EXIST')
      if (at.node !== undefined) check(at.node, from, openFlags, (wanted & RIGHT_WRITE) !== 0n)
      const node = at.node ?? create(at)
      if (node.kind === 'symlink') throw fault('LOOP')
      if (node.kind === 'directory') {
        memory.writeU32(out, descriptors.open({ kind: 'directory', node, preopen: undefined, listing: [], flags, rights: wanted & DIRECTORY_RIGHTS, inheriting: BigInt.asUintN(64, inheriting) & from.inheriting }))
        return
      }
      if ((openFlags & TRUNCATE) !== 0) node.content.resize(0)
      memory.writeU32(out, descriptors.open({ kind: 'file', node, offset: 0, flags, rights: wanted & FILE_RIGHTS, inheriting: BigInt.asUintN(64, inheriting) & from.inheriting & FILE_RIGHTS }))
    }
  }
}
