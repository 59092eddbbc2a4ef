import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError } from './errors.ts'

/** Stays until somebody who knows removes it: the next start would not see the damage any more. */
const MARK = 'DAMAGED'

/**
 * LevelDB drops what it cannot read of its write-ahead log, says so in its LOG, and opens all the same. Here lie deals and
 * what was signed, so the owner decides. Call it after each opening. Throws StoreError STORE_CORRUPT, now and until the mark is removed.
 */
export async function assertUndamaged (path: string): Promise<void> {
  const log = await readFile(join(path, 'LOG'), 'utf8').catch(() => '')
  const dropped = log.split('\n').filter((line) => /dropping \d+ bytes/.test(line)).map((line) => line.replace(/^.*?\(ignoring error\) /, ''))
  const mark = join(path, MARK)
  if (dropped.length > 0) await writeFile(mark, `${dropped.join('\n')}\n`)
  const marked = await readFile(mark, 'utf8').catch(() => undefined)
  if (marked === undefined) return
  throw new StoreError('STORE_CORRUPT', `the data in ${path} is damaged, and records were lost: ${marked.trim().split('\n')[0] ?? ''}`, { data: { path, mark }, hint: `Restore it from a backup; or remove ${mark} to go on with what is left.` })
}
