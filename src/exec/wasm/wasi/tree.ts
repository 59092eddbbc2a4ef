import { fault } from './errno.ts'
import { FORBIDDEN_IN_NAMES } from './resolve.ts'
import { createChunkedContent, type FileContent } from './content.ts'
import { type Quota } from './quota.ts'

interface NodeBase {
  readonly ino: bigint
  /** Inputs and the directories that hold them: no change to them or their entries. */
  readonly readOnly: boolean
  /** Names that lead here; a node without names lives on while descriptors hold it. */
  links: number
  /** Open descriptors. */
  opens: number
  accessedNs: bigint
  modifiedNs: bigint
  changedNs: bigint
}
export interface DirectoryNode extends NodeBase { readonly kind: 'directory', readonly entries: Map<string, TreeNode>, parent: DirectoryNode | undefined, listing: readonly string[] | undefined }
export interface FileNode extends NodeBase { readonly kind: 'file', readonly content: FileContent }
export interface SymlinkNode extends NodeBase { readonly kind: 'symlink', readonly target: string }
export type TreeNode = DirectoryNode | FileNode | SymlinkNode

/** Makes and unmakes nodes of one job's tree, within its quota; there is no host file system behind it. */
export interface Tree {
  readonly root: DirectoryNode
  /** A new, unlinked node. File content is chunked unless given. */
  directory: (readOnly: boolean) => DirectoryNode
  file: (content?: FileContent) => FileNode
  symlink: (target: string) => SymlinkNode
  /** Enters `node` as `name`. Throws EROFS, ENOSPC, EILSEQ for a name that results cannot hold, and ENOENT when the directory itself was removed. */
  link: (parent: DirectoryNode, name: string, node: TreeNode) => void
  /** Removes the name, and the content with the last of names and descriptors. Throws EROFS. */
  unlink: (parent: DirectoryNode, name: string) => void
  /** Called when a descriptor on `node` closes. */
  released: (node: TreeNode) => void
}

/** An empty tree whose times come from `nowNs` (virtual time). */
export function createTree (components: { quota: Quota, nowNs: () => bigint }): Tree {
  const { quota, nowNs } = components
  let lastIno = 0n
  const base = (readOnly: boolean): NodeBase => {
    const now = nowNs()
    return { ino: ++lastIno, readOnly, links: 0, opens: 0, accessedNs: now, modifiedNs: now, changedNs: now }
  }
  const directory = (readOnly: boolean): DirectoryNode => ({ ...base(readOnly), kind: 'directory', entries: new Map(), parent: undefined, listing: undefined })
  const touch = (parent: DirectoryNode): void => {
    parent.listing = undefined
    parent.modifiedNs = parent.changedNs = nowNs()
  }
  const drop = (node: TreeNode): void => {
    if (node.kind === 'file' && !node.readOnly && node.links === 0 && node.opens === 0) node.content.resize(0)
  }
  const root = { ...directory(false), links: 1 }
  return {
    root,
    directory,
    file: (content) => ({ ...base(content !== undefined), kind: 'file', content: content ?? createChunkedContent(quota) }),
    symlink: (target) => ({ ...base(false), kind: 'symlink', target }),
    link: (parent, name, node) => {
      if (parent.readOnly) throw fault('ROFS')
      if (parent.links === 0) throw fault('NOENT')
      if (FORBIDDEN_IN_NAMES.test(name)) throw fault('ILSEQ')
      quota.takeName()
      parent.entries.set(name, node)
      if (node.kind === 'directory') node.parent = parent
      node.links++
      touch(parent)
    },
    unlink: (parent, name) => {
      const node = parent.entries.get(name)
      if (parent.readOnly || node?.readOnly === true) throw fault('ROFS')
      if (node === undefined) return
      parent.entries.delete(name)
      quota.giveName()
      node.links--
      touch(parent)
      drop(node)
    },
    released: (node) => {
      node.opens--
      drop(node)
    }
  }
}

/** The names of a directory in order of their UTF-16 units, the same on every machine. Made once per change. */
export function listNames (directory: DirectoryNode): readonly string[] {
  directory.listing ??= [...directory.entries.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return directory.listing
}
