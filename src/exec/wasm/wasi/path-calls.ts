import { fault } from './errno.ts'
import { FILETYPE, setTimes, writeFilestat } from './filestat.ts'
import { type GuestWorld, type HostCalls } from './guest-world.ts'
import { FORBIDDEN_IN_NAMES, MAX_PATH_BYTES, resolvePath, type Resolved } from './resolve.ts'
import { type DirectoryNode, type TreeNode } from './tree.ts'

const FOLLOW = 1

/** Calls that name files by path. None can leave the tree: there is nothing behind it. */
export function createPathCalls (world: GuestWorld): HostCalls {
  const { memory, descriptors, tree, clock } = world
  const at = (fd: number, pointer: number, length: number, followLast = false): Resolved =>
    resolvePath(descriptors.directory(fd).node, memory.text(pointer, length, MAX_PATH_BYTES), { followLast })
  const existing = (resolved: Resolved): TreeNode => {
    if (resolved.node === undefined) throw fault('NOENT')
    return resolved.node
  }
  /** The name for a new entry that is no directory. */
  const freeName = (resolved: Resolved): string => {
    if (resolved.node !== undefined || resolved.name === undefined) throw fault('EXIST')
    if (resolved.trailingSlash) throw fault('NOENT')
    return resolved.name
  }
  return {
    path_create_directory: (fd: number, pointer: number, length: number) => {
      const { parent, name, node } = at(fd, pointer, length)
      if (node !== undefined || name === undefined) throw fault('EXIST')
      tree.link(parent, name, tree.directory(false))
    },
    path_remove_directory: (fd: number, pointer: number, length: number) => {
      const resolved = at(fd, pointer, length)
      const node = existing(resolved)
      if (node.kind !== 'directory') throw fault('NOTDIR')
      if (resolved.name === undefined) throw fault('INVAL')
      if (node.entries.size > 0) throw fault('NOTEMPTY')
      tree.unlink(resolved.parent, resolved.name)
    },
    path_unlink_file: (fd: number, pointer: number, length: number) => {
      const resolved = at(fd, pointer, length)
      if (existing(resolved).kind === 'directory' || resolved.name === undefined) throw fault('ISDIR')
      tree.unlink(resolved.parent, resolved.name)
    },
    path_filestat_get: (fd: number, lookup: number, pointer: number, length: number, out: number) => {
      const node = existing(at(fd, pointer, length, (lookup & FOLLOW) !== 0))
      writeFilestat(memory, out, FILETYPE[node.kind], node)
    },
    path_filestat_set_times: (fd: number, lookup: number, pointer: number, length: number, accessed: bigint, modified: bigint, flags: number) => {
      setTimes(existing(at(fd, pointer, length, (lookup & FOLLOW) !== 0)), clock, accessed, modified, flags)
    },
    path_symlink: (targetPointer: number, targetLength: number, fd: number, pointer: number, length: number) => {
      const target = memory.text(targetPointer, targetLength, MAX_PATH_BYTES)
      if (target === '') throw fault('NOENT')
      if (target.startsWith('/')) throw fault('PERM')
      const resolved = at(fd, pointer, length)
      tree.link(resolved.parent, freeName(resolved), tree.symlink(target))
    },
    path_readlink: (fd: number, pointer: number, length: number, buffer: number, bufferLength: number, usedOut: number) => {
      const node = existing(at(fd, pointer, length))
      if (node.kind !== 'symlink') throw fault('INVAL')
      const text = Buffer.from(node.target).subarray(0, bufferLength >>> 0)
      memory.bytes(buffer, bufferLength).set(text)
      memory.writeU32(usedOut, text.length)
    },
    path_link: (fromFd: number, lookup: number, fromPointer: number, fromLength: number, toFd: number, toPointer: number, toLength: number) => {
      if ((lookup & FOLLOW) !== 0) throw fault('INVAL')
      const node = existing(at(fromFd, fromPointer, fromLength))
      const to = at(toFd, toPointer, toLength)
      const name = freeName(to)
      if (node.kind === 'directory') throw fault('PERM')
      if (node.readOnly) throw fault('ROFS')
      tree.link(to.parent, name, node)
      node.changedNs = clock.peekNs()
    },
    path_rename: (fromFd: number, fromPointer: number, fromLength: number, toFd: number, toPointer: number, toLength: number) => {
      const from = at(fromFd, fromPointer, fromLength)
      const node = existing(from)
      const to = at(toFd, toPointer, toLength)
      if (from.name === undefined || to.name === undefined) throw fault('INVAL')
      if (to.node === node) return
      if (node.readOnly || from.parent.readOnly || to.parent.readOnly || to.node?.readOnly === true) throw fault('ROFS')
      // Checked before the old name goes: a descriptor may hold a directory that was removed.
      if (to.parent.links === 0) throw fault('NOENT')
      if (FORBIDDEN_IN_NAMES.test(to.name)) throw fault('ILSEQ')
      if (node.kind === 'directory') checkDirectoryMove(node, to)
      else if (to.node?.kind === 'directory') throw fault('ISDIR')
      else if (to.trailingSlash) throw fault('NOTDIR')
      if (to.node !== undefined) tree.unlink(to.parent, to.name)
      // Held while it has no name, so that its content is not dropped between the two steps.
      node.opens++
      tree.unlink(from.parent, from.name)
      tree.link(to.parent, to.name, node)
      tree.released(node)
    }
  }
}

/** Throws ENOTDIR, ENOTEMPTY, and EINVAL when a directory would move into itself. */
function checkDirectoryMove (node: DirectoryNode, to: Resolved): void {
  if (to.node !== undefined && to.node.kind !== 'directory') throw fault('NOTDIR')
  if (to.node?.kind === 'directory' && to.node.entries.size > 0) throw fault('NOTEMPTY')
  for (let above: DirectoryNode | undefined = to.parent; above !== undefined; above = above.parent) {
    if (above === node) throw fault('INVAL')
  }
}
