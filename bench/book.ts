import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { NODE_FLAGS } from '../test/support/node-flags.ts'
import { atLeast, atMost, reported, type Bench } from './figure.ts'
import { signRecords, writeRecords } from './records.ts'

const RECORDS = 100_000
const AUTHORS = 1_000
const PROCESS = fileURLToPath(new URL('./baselines/book-process.ts', import.meta.url))
/** Measurements of admission, each with bare recovery in it. */
const TURNS = 3
const RATE_LIMIT = 5_000
const SHARE_OF_RECOVERY = 0.7
const MEMORY_LIMIT_MIB = 250
const RESTART_LIMIT_MS = 3_000

interface Spent { wallMs: number, cpuMs: number }
/** `measured` records of all, after the first ones. */
interface Admitted { size: number, measured: number, admitted: Spent, recovered: Spent }

/** The book at 100,000 records: the way in, memory, and a restart; each beside its physical floor, each in a process of its own. */
export const benchBook: Bench = async ({ progress }) => {
  const root = await mkdtemp(join(tmpdir(), 'lilynode-bench-'))
  try {
    progress(`signing ${RECORDS} records of ${AUTHORS} authors`)
    const file = join(root, 'records')
    await writeRecords(file, signRecords(RECORDS, AUTHORS))
    const run = async <T>(mode: string, ...rest: string[]): Promise<T> => {
      progress(`measuring ${[mode, ...rest.slice(1)].join(' ')}`)
      // As nodes run; but memory that V8 is told not to give back would be there before what is measured grows into it.
      const flags = mode === 'hold' || mode === 'map' ? ['--expose-gc'] : NODE_FLAGS
      const { stdout } = await promisify(execFile)(process.execPath, [...flags, PROCESS, mode, file, ...rest])
      return JSON.parse(stdout) as T
    }
    const alone: Admitted[] = []
    for (let turn = 0; turn < TURNS; turn++) alone.push(await run<Admitted>('admit', '', '0'))
    const threaded = await run<Admitted>('admit', '', '1')
    const held = await run<{ mib: number }>('hold')
    const map = await run<{ mib: number }>('map')
    await run<Spent>('save', join(root, 'datastore'))
    const loaded = await run<Spent & { size: number }>('load', join(root, 'datastore'))
    for (const { size } of [...alone, threaded, loaded]) if (size !== RECORDS) throw new Error(`the book holds ${size} of ${RECORDS} records`)

    const { measured } = threaded
    const perSecond = (ms: number): number => measured / ms * 1000
    const mean = (spent: readonly Spent[], of: keyof Spent): number => perSecond(spent.reduce((sum, each) => sum + each[of], 0) / spent.length)
    const admitted = alone.map((each) => each.admitted)
    const recovered = alone.map((each) => each.recovered)
    const floor = mean(recovered, 'cpuMs')
    const bare = { name: 'bare native recover, a core', value: Math.round(floor) }
    return [
      atLeast('admission, a second of one core, one thread', mean(admitted, 'cpuMs'), RATE_LIMIT, '/s', bare),
      atLeast('the same, share of bare recover', mean(admitted, 'cpuMs') / floor, SHARE_OF_RECOVERY, ''),
      reported('admission, a second of the clock, one thread', mean(admitted, 'wallMs'), '/s', { name: 'bare native recover, the clock', value: Math.round(mean(recovered, 'wallMs')) }),
      reported('admission, a second of one core, with a thread', perSecond(threaded.admitted.cpuMs), '/s', bare),
      reported('admission, a second of the clock, with a thread', perSecond(threaded.admitted.wallMs), '/s', bare),
      atMost('memory for 100,000 records, RSS growth', held.mib, MEMORY_LIMIT_MIB, 'MiB', { name: 'Map of the same bytes', value: Math.round(map.mib) }),
      atMost('restart with 100,000 records, book ready', loaded.wallMs, RESTART_LIMIT_MS, 'ms', { name: 'verifying them again', value: Math.round(RECORDS / floor * 1000) })
    ]
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}
