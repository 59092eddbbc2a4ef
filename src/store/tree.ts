import { StoreError } from './errors.ts'
import { MAX_PATH_CHARS, MAX_TREE_DEPTH } from './options.ts'

/** Files by relative path with `/` between names; no empty folders, no links, no modes. */
export type FileTree = ReadonlyMap<string, Uint8Array>

/** Backslash would be a separator elsewhere, control characters reach terminals. */
const FORBIDDEN = /[/\\\u0000-\u001f\u007f]/

/** Throws StoreError STORE_TREE_INVALID unless `name` is safe as one path segment. */
export function assertName (name: string): void {
  if (name === '' || name === '.' || name === '..' || name.length > 255 || FORBIDDEN.test(name)) {
    throw new StoreError('STORE_TREE_INVALID', `the tree holds a name that is not allowed: ${JSON.stringify(name.slice(0, 80))}`, { data: { name: name.slice(0, 80) } })
  }
}

/** Throws StoreError STORE_TREE_INVALID for paths that could leave a folder, are too long or too deep. */
export function assertPath (path: string): void {
  const names = path.split('/')
  if (path.length > MAX_PATH_CHARS || names.length > MAX_TREE_DEPTH) throw new StoreError('STORE_TREE_INVALID', `the tree holds a path that is too long: ${path.slice(0, 80)}...`, { data: { path: path.slice(0, 80) } })
  names.forEach(assertName)
}

/** Throws StoreError STORE_TREE_INVALID when a path is not allowed, or one file's path is a folder of another's. */
export function assertTree (files: FileTree): void {
  for (const path of files.keys()) {
    assertPath(path)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      if (files.has(path.slice(0, at))) throw new StoreError('STORE_TREE_INVALID', `${path.slice(0, at)} is both a file and a folder`, { data: { path } })
    }
  }
}
