import { createFrozenContent, type FileContent } from './content.ts'
import { listNames, type DirectoryNode, type Tree } from './tree.ts'

/** Builds what a guest finds: `/inputs` read-only with the given files, `/outputs` and `/tmp` empty. Paths were checked by the parent. */
export function stageTree (tree: Tree, inputs: ReadonlyMap<string, Uint8Array>): void {
  const enter = (parent: DirectoryNode, name: string): DirectoryNode => {
    const existing = parent.entries.get(name)
    if (existing?.kind === 'directory') return existing
    const made = tree.directory(true)
    made.links = 1
    made.parent = parent
    parent.entries.set(name, made)
    return made
  }
  const top = enter(tree.root, 'inputs')
  for (const [path, bytes] of inputs) {
    const names = path.split('/')
    const last = names.pop() ?? path
    const node = tree.file(createFrozenContent(bytes))
    node.links = 1
    names.reduce(enter, top).entries.set(last, node)
  }
  for (const name of ['outputs', 'tmp']) {
    const made = tree.directory(false)
    made.links = 1
    made.parent = tree.root
    tree.root.entries.set(name, made)
  }
}

/** What a result directory can hold below `outputs/` (protocol/mesh.md: 16 names, 1,024 characters in all). */
export const MAX_OUTPUT_PATH_CHARS = 1_000
export const MAX_OUTPUT_DEPTH = 15

export interface CollectedFile { readonly path: string, readonly content: FileContent }

/**
 * The regular files under `/outputs`, in order of their paths; links and empty directories are left out.
 * Returns a line for the user instead when they are more than the limits: hard links can multiply what the quota saw once.
 */
export function collectOutputs (tree: Tree, limits: { bytes: number, files: number }): readonly CollectedFile[] | string {
  const outputs = tree.root.entries.get('outputs')
  if (outputs?.kind !== 'directory') return []
  const files: CollectedFile[] = []
  let bytes = 0
  const pending: Array<{ directory: DirectoryNode, prefix: string, depth: number }> = [{ directory: outputs, prefix: '', depth: 0 }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const name of listNames(next.directory)) {
      const node = next.directory.entries.get(name)
      const path = next.prefix + name
      if (path.length > MAX_OUTPUT_PATH_CHARS) return `a path under /outputs is longer than ${MAX_OUTPUT_PATH_CHARS} characters`
      if (next.depth === MAX_OUTPUT_DEPTH) return `a path under /outputs has more than ${MAX_OUTPUT_DEPTH} names`
      if (node?.kind === 'directory') pending.push({ directory: node, prefix: `${path}/`, depth: next.depth + 1 })
      if (node?.kind !== 'file') continue
      files.push({ path, content: node.content })
      bytes += node.content.size
      if (files.length > limits.files) return `more than ${limits.files} files under /outputs`
      if (bytes > limits.bytes) return `more than ${limits.bytes} bytes under /outputs`
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}
