import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { assemble, op } from '../exec/fixtures/assembler.ts'
import { callsModule, type Call } from '../exec/fixtures/calls.ts'

const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)
const INNER = 1_000_000
/** local.tee, i32.sub, br_if of the innermost loop. */
const repeat = (local: number, times: number, body: readonly number[]): number[] => [
  ...op.i32(times), ...op.set(local),
  0x03, 0x40, ...body, ...op.get(local), ...op.i32(1), 0x6b, 0x22, local, 0x0d, 0, 0x0b
]

/** A guest that counts for a while on the processor and then prints "done". `rounds` of a million steps each. */
export function countingModule (rounds: number): Uint8Array<ArrayBuffer> {
  return assemble({
    imports: ['fd_write'],
    code: [...repeat(0, rounds, repeat(1, INNER, [])), ...op.i32(1), ...op.i32(0), ...op.i32(1), ...op.i32(8), ...op.call(0), ...op.drop],
    data: [[0, words(100, 5)], [100, 'done\n']]
  })
}

/** Rounds that take about this long here and now. */
export function roundsFor (ms: number): number {
  const sample = 100
  const instance = new WebAssembly.Instance(new WebAssembly.Module(countingModule(sample)), { wasi_snapshot_preview1: { fd_write: () => 0 } })
  const startedAt = performance.now()
  ;(instance.exports['_start'] as () => void)()
  return Math.max(1, Math.round(sample * ms / (performance.now() - startedAt)))
}

/** Writes a guest to a folder; its path. */
export async function writeGuest (folder: string, name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${name}.wasm`)
  await writeFile(path, bytes)
  return path
}

/** Tries to read /etc/passwd by three ways out of its directory, and prints the errno of each step: `..`, an absolute path, a symbolic link. */
export function escapingModule (): Uint8Array<ArrayBuffer> {
  const up = '../../etc/passwd'
  const absolute = '/etc/passwd'
  const link = 'outputs/link'
  const open = (at: number, path: string): Call => ['path_open', 3, 1, at, path.length, 0, 2n, 0n, 0, 0]
  return callsModule([open(100, up), open(200, absolute), ['path_symlink', 100, up.length, 3, 300, link.length], open(300, link)], { data: [[100, up], [200, absolute], [300, link]] })
}
