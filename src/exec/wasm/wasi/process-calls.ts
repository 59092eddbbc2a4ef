import { fault } from './errno.ts'
import { GuestStop } from './guest-stop.ts'
import { type GuestWorld, type HostCalls } from './guest-world.ts'

/** Largest exit code a result can carry; WASI has 32 bits. */
const MAX_EXIT_CODE = 255

/** Arguments, environment, randomness and the end of the process. */
export function createProcessCalls (world: GuestWorld): HostCalls {
  const { memory } = world
  const toStrings = (texts: readonly string[]): Uint8Array[] => texts.map((text) => Buffer.from(`${text}\0`))
  const args = toStrings(world.args)
  const env = toStrings(world.env)

  const writeSizes = (strings: readonly Uint8Array[], countPointer: number, bytesPointer: number): void => {
    memory.writeU32(countPointer, strings.length)
    memory.writeU32(bytesPointer, strings.reduce((sum, bytes) => sum + bytes.length, 0))
  }
  const writeStrings = (strings: readonly Uint8Array[], table: number, buffer: number): void => {
    let at = buffer >>> 0
    for (const [index, bytes] of strings.entries()) {
      memory.writeU32((table >>> 0) + index * 4, at)
      memory.bytes(at, bytes.length).set(bytes)
      at += bytes.length
    }
  }
  return {
    args_sizes_get: (count: number, bytes: number) => { writeSizes(args, count, bytes) },
    args_get: (table: number, buffer: number) => { writeStrings(args, table, buffer) },
    environ_sizes_get: (count: number, bytes: number) => { writeSizes(env, count, bytes) },
    environ_get: (table: number, buffer: number) => { writeStrings(env, table, buffer) },
    random_get: (pointer: number, length: number) => { world.fillRandom(memory.bytes(pointer, length)) },
    sched_yield: () => undefined,
    proc_exit: (code: number) => { throw new GuestStop('exited', Math.min(code >>> 0, MAX_EXIT_CODE)) },
    proc_raise: () => { throw fault('NOTSUP') }
  }
}
