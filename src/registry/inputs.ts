import { RegistryError } from './errors.ts'

/** The input directory of a job: inputs.json with the K=V pairs, files/ with the user's folder. */
const PAIRS_FILE = 'inputs.json'
const FILES_PREFIX = 'files/'

/** Builds the directory; equal inputs give equal bytes. */
export function inputsTree (values: Readonly<Record<string, string>>, files: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  const sorted = Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)))
  const tree = new Map<string, Uint8Array>([[PAIRS_FILE, new TextEncoder().encode(`${JSON.stringify(sorted)}\n`)]])
  for (const [path, bytes] of files) tree.set(`${FILES_PREFIX}${path}`, bytes)
  return tree
}

/** Reads a fetched input directory. Throws RegistryError REGISTRY_BAD_INPUT when it is not one. */
export function parseInputs (tree: ReadonlyMap<string, Uint8Array>): { values: Record<string, string>, files: Map<string, Uint8Array> } {
  const values: Record<string, string> = {}
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(tree.get(PAIRS_FILE)))
    if (typeof parsed !== 'object' || parsed === null) throw new Error('not an object')
    for (const [name, value] of Object.entries(parsed)) {
      if (typeof value !== 'string') throw new Error(`value of ${name} is not a string`)
      values[name] = value
    }
  } catch (error) {
    throw new RegistryError('REGISTRY_BAD_INPUT', 'the input directory has no valid inputs.json', { cause: error })
  }
  const files = new Map<string, Uint8Array>()
  for (const [path, bytes] of tree) if (path.startsWith(FILES_PREFIX)) files.set(path.slice(FILES_PREFIX.length), bytes)
  return { values, files }
}
