// `npm run vectors`: writes protocol/vectors/*.json anew from fixed keys. With --check nothing is written, and the exit code is 1 when a file differs.
import { readFileSync, writeFileSync } from 'node:fs'
import { bookVectors } from './vectors/book.ts'
import { dealVectors } from './vectors/deal.ts'
import { matchingVectors } from './vectors/matching.ts'

/** Each gives file names and their content. A new set of vectors is added here. */
const SETS: ReadonlyArray<() => Record<string, unknown>> = [bookVectors, dealVectors, matchingVectors]

const isCheck = process.argv.includes('--check')
const differing: string[] = []
for (const set of SETS) {
  for (const [name, content] of Object.entries(set())) {
    const path = new URL(`../protocol/vectors/${name}`, import.meta.url)
    const text = `${JSON.stringify(content, undefined, 2)}\n`
    if (!isCheck) writeFileSync(path, text)
    else if (readText(path) !== text) differing.push(name)
  }
}
if (differing.length > 0) {
  process.stderr.write(`protocol/vectors: ${differing.join(', ')} differ from what the code makes; run "npm run vectors" if the protocol was meant to change\n`)
  process.exitCode = 1
}

function readText (path: URL): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
