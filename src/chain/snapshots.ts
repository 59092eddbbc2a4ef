import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Logger } from '../core/logger.ts'

/**
 * The embedded chain's states on disk, as numbered generations. anvil's own `--state` file is not written atomically and a truncated one
 * keeps it from starting; here a generation is whole or absent, and gzip's checksum tells a damaged one.
 */
export interface Snapshots {
  /** Writes the next generation (gzip bytes of `anvil_dumpState`) and removes all but the newest two. */
  save: (compressed: Uint8Array) => Promise<void>
  /** Generations by number, newest first, valid or not. */
  list: () => Promise<number[]>
  /** Unpacks a generation to a file that exists while `use` runs; undefined when the generation is damaged. */
  withUnpacked: <T>(generation: number, use: (jsonPath: string) => Promise<T>) => Promise<T | undefined>
}

const NAME = /^chain-(\d{1,12})\.json\.gz$/
const GENERATIONS = 2
const unzip = promisify(gunzip)

/** Keeps snapshots in the folder `path`, which is made on the first save. */
export function createSnapshots (components: { logger: Logger }, options: { path: string }): Snapshots {
  const nameOf = (generation: number): string => join(options.path, `chain-${generation}.json.gz`)
  const list = async (): Promise<number[]> => {
    const names = await readdir(options.path).catch(absentAsEmpty)
    return names.flatMap((name) => { const match = NAME.exec(name); return match === null ? [] : [Number(match[1])] }).sort((a, b) => b - a)
  }
  return {
    list,
    save: async (compressed) => {
      await mkdir(options.path, { recursive: true })
      const known = await list()
      const generation = (known[0] ?? 0) + 1
      const temporary = `${nameOf(generation)}.tmp`
      await writeDurably(temporary, compressed)
      await rename(temporary, nameOf(generation))
      await syncFolder(options.path)
      for (const old of known.slice(GENERATIONS - 1)) await rm(nameOf(old), { force: true })
    },
    withUnpacked: async (generation, use) => {
      const json = await readFile(nameOf(generation)).then(unzip).catch((error: unknown) => {
        components.logger.warn('chain.snapshot-damaged', { generation, error })
        return undefined
      })
      if (json === undefined) return undefined
      const jsonPath = join(options.path, 'loading.json')
      try {
        await writeFile(jsonPath, json)
        return await use(jsonPath)
      } finally {
        await rm(jsonPath, { force: true })
      }
    }
  }
}

async function writeDurably (path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The rename itself must reach the disk; some platforms cannot open folders, and there it does in its own time. */
async function syncFolder (path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined)
  try {
    await folder?.sync()
  } finally {
    await folder?.close()
  }
}

function absentAsEmpty (error: unknown): string[] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
  throw error
}
