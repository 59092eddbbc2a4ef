import { fault } from './errno.ts'
import { type DirectoryNode, type TreeNode } from './tree.ts'

/** Longest path and longest name, bytes of UTF-8 as on Linux. */
export const MAX_PATH_BYTES = 4096
export const MAX_NAME_BYTES = 255
/** What no name may hold: a backslash separates elsewhere, control characters reach terminals. Results with such names could not be stored. */
export const FORBIDDEN_IN_NAMES = /[\\\u0000-\u001f\u007f]/
/** Symbolic links followed for one path, as Linux. */
const MAX_SYMLINKS = 40

export interface Resolved {
  /** The directory that holds, or would hold, the last component. */
  readonly parent: DirectoryNode
  /** Undefined when the path ends in `.` or `..` or at the start directory itself: there is no entry to change. */
  readonly name: string | undefined
  readonly node: TreeNode | undefined
  readonly trailingSlash: boolean
}

/**
 * Walks `path` from a directory descriptor. A path never leaves that directory: absolute paths, absolute links and `..`
 * above the start fail with EPERM, before and after links are expanded.
 * Throws ENOENT, ENOTDIR, ELOOP, EPERM, ENAMETOOLONG.
 */
export function resolvePath (start: DirectoryNode, path: string, options: { followLast: boolean }): Resolved {
  if (path === '') throw fault('NOENT')
  if (path.startsWith('/')) throw fault('PERM')
  const trailingSlash = path.endsWith('/')
  const pending = toComponents(path).reverse()
  const chain: DirectoryNode[] = [start]
  let linksLeft = MAX_SYMLINKS

  for (;;) {
    const parent = chain.at(-1) ?? start
    const component = pending.pop()
    if (component === undefined) return { parent, name: undefined, node: parent, trailingSlash }
    if (component === '.') continue
    if (component === '..') {
      if (chain.length === 1) throw fault('PERM')
      chain.pop()
      continue
    }
    const node = parent.entries.get(component)
    const isLast = pending.length === 0
    if (node?.kind === 'symlink' && (!isLast || options.followLast || trailingSlash)) {
      if (linksLeft-- === 0) throw fault('LOOP')
      if (node.target.startsWith('/')) throw fault('PERM')
      pending.push(...toComponents(node.target).reverse())
      continue
    }
    if (isLast) {
      if (trailingSlash && node !== undefined && node.kind !== 'directory') throw fault('NOTDIR')
      return { parent, name: component, node, trailingSlash }
    }
    if (node === undefined) throw fault('NOENT')
    if (node.kind !== 'directory') throw fault('NOTDIR')
    chain.push(node)
  }
}

function toComponents (path: string): string[] {
  const components = path.split('/').filter((component) => component !== '')
  if (components.some((component) => Buffer.byteLength(component) > MAX_NAME_BYTES)) throw fault('NAMETOOLONG')
  return components
}
