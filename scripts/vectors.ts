// `npm run vectors`: writes protocol/vectors/ and protocol/schemas/ anew, from fixed keys and the code's shapes. With --check nothing is written, and the exit code is 1 when a file differs.
import { readFileSync, writeFileSync } from 'node:fs'
import { batchVectors } from './vectors/batch.ts'
import { bookVectors } from './vectors/book.ts'
import { dealVectors } from './vectors/deal.ts'
import { documentVectors } from './vectors/documents.ts'
import { fleetVectors } from './vectors/fleet.ts'
import { certificateVectors } from './vectors/certificate.ts'
import { matchingVectors } from './vectors/matching.ts'
import { schemas } from './vectors/schemas.ts'
import { setVectors } from './vectors/set.ts'
import { voucherVectors } from './vectors/vouchers.ts'

/** Each gives file names and their content, for a folder of protocol/. A new set is added here. */
const SETS: ReadonlyArray<[folder: string, set: () => Record<string, unknown>]> = [
  ['vectors', batchVectors], ['vectors', bookVectors], ['vectors', dealVectors], ['vectors', documentVectors], ['vectors', fleetVectors], ['vectors', matchingVectors], ['vectors', certificateVectors], ['vectors', setVectors], ['vectors', voucherVectors], ['schemas', schemas]
]

const isCheck = process.argv.includes('--check')
const differing: string[] = []
for (const [folder, set] of SETS) {
  for (const [name, content] of Object.entries(set())) {
    const path = new URL(`../protocol/${folder}/${name}`, import.meta.url)
    const text = `${JSON.stringify(content, undefined, 2)}\n`
    if (!isCheck) writeFileSync(path, text)
    else if (readText(path) !== text) differing.push(`${folder}/${name}`)
  }
}
if (differing.length > 0) {
  process.stderr.write(`protocol: ${differing.join(', ')} differ from what the code makes; run "npm run vectors" if the protocol was meant to change\n`)
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
