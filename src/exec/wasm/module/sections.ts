import { type BinaryReader, toLeb } from './binary.ts'
import { invalid, ModuleFault } from './module-fault.ts'
import { HOST_MODULE, SIGNATURES } from './signatures.ts'

const PAGE_BYTES = 65_536
const PAGES_PER_MIB = 16
const TYPE_LETTERS: Readonly<Record<number, string>> = { 0x7f: 'i', 0x7e: 'I', 0x7d: 'f', 0x7c: 'F', 0x7b: 'v', 0x70: 'r', 0x6f: 'x' }
const FUNCTION_TYPE = 0x60
const REFERENCE_TYPES = [0x70, 0x6f]
const HAS_MAXIMUM = 1

/** Most functions a module may import; there are 46 to import. */
const MAX_IMPORTS = 1000
/** Entries over all tables; an entry takes some 31 bytes of the host. Large interpreters use tens of thousands. */
export const MAX_TABLE_ENTRIES = 1_000_000
/** More tables than compilers make. */
const MAX_TABLES = 16

/** The signatures of a type section, as in SIGNATURES. Only functions over plain values: no garbage-collected types. */
export function readTypes (section: BinaryReader): string[] {
  const letters = (): string => {
    let text = ''
    for (let left = section.u32(); left > 0; left--) text += TYPE_LETTERS[section.byte()] ?? fail('a value type')
    return text
  }
  const types: string[] = []
  for (let left = section.u32(); left > 0; left--) {
    if (section.byte() !== FUNCTION_TYPE) fail('a kind of type')
    types.push(`${letters()}:${letters()}`)
  }
  return types
}

/** Checks that every import is a host function with its own type. */
export function checkImports (section: BinaryReader, types: readonly string[]): void {
  const count = section.u32()
  if (count > MAX_IMPORTS) throw invalid(`the module has ${count} imports; at most ${MAX_IMPORTS} are allowed`)
  for (let left = count; left > 0; left--) {
    const from = section.name()
    const name = section.name()
    const kind = section.byte()
    const label = `${from}.${name}`
    if (kind !== 0) throw invalid(`the module imports ${['', 'the table', 'the memory', 'the global', 'the tag'][kind] ?? 'the unknown thing'} ${label}; only ${HOST_MODULE} functions can be imported`)
    const type = types[section.u32()]
    const expected = from === HOST_MODULE && Object.hasOwn(SIGNATURES, name) ? SIGNATURES[name] : undefined
    if (expected === undefined) throw invalid(`the module imports ${label}, which this sandbox does not have; build it for wasm32-wasi (preview 1)`)
    if (type !== expected) throw invalid(`the module imports ${label} with another type than WASI preview 1 gives it`)
  }
}

interface Limits { readonly min: number, readonly max: number | undefined }

/** Flags other than "has a maximum" mean shared memory, 64-bit memory or custom page sizes. */
function readLimits (section: BinaryReader, what: string): Limits {
  const flags = section.byte()
  if (flags > HAS_MAXIMUM) throw invalid(`the module declares a shared or 64-bit ${what}; threads and memory64 are not supported`)
  const min = section.u32()
  return { min, max: flags === HAS_MAXIMUM ? section.u32() : undefined }
}

/** A memory section whose maximum is at most `maxPages`. Throws ModuleFault `memory` when it starts larger. */
export function clampMemories (section: BinaryReader, maxPages: number): number[] {
  const count = section.u32()
  if (count > 1) throw invalid('the module has more than one memory')
  if (count === 0) return [0]
  const { min, max } = readLimits(section, 'memory')
  if (min > maxPages) throw new ModuleFault('memory', `the module starts with ${Math.ceil(min / PAGES_PER_MIB)} MiB of memory and the job has ${maxPages / PAGES_PER_MIB} MiB`)
  return [1, HAS_MAXIMUM, ...toLeb(min), ...toLeb(Math.min(max ?? maxPages, maxPages))]
}

/** A table section in which no table can grow past its share of MAX_TABLE_ENTRIES. */
export function clampTables (section: BinaryReader): number[] {
  const count = section.u32()
  if (count > MAX_TABLES) throw invalid(`the module has ${count} tables; at most ${MAX_TABLES} are allowed`)
  const share = Math.floor(MAX_TABLE_ENTRIES / Math.max(1, count))
  const bytes = toLeb(count)
  for (let left = count; left > 0; left--) {
    const type = section.byte()
    if (!REFERENCE_TYPES.includes(type)) fail('a kind of table')
    const { min, max } = readLimits(section, 'table')
    if (min > share) throw invalid(`the module has a table of ${min} entries; at most ${share} are allowed`)
    bytes.push(type, HAS_MAXIMUM, ...toLeb(min), ...toLeb(Math.min(max ?? share, share)))
  }
  return bytes
}

/** Memory in whole MiB, rounded up. */
export function toMebibytes (bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES / PAGES_PER_MIB)
}

/** Pages of a memory limit. */
export function toPages (memoryMiB: number): number {
  return memoryMiB * PAGES_PER_MIB
}

function fail (what: string): never {
  throw invalid(`the module uses ${what} that this sandbox does not support`)
}
