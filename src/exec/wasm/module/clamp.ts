import { BinaryReader, toLeb } from './binary.ts'
import { invalid } from './module-fault.ts'
import { checkImports, clampMemories, clampTables, readTypes } from './sections.ts'

const SECTION = { type: 1, import: 2, table: 4, memory: 5, tag: 13 } as const
const MAGIC = [0x00, 0x61, 0x73, 0x6d]
const CORE_VERSION = [1, 0, 0, 0]
const COMPONENT_VERSION = [0x0d, 0, 1, 0]

/**
 * Checks a core module and returns it with its memory and tables clamped, every other section as it was.
 * It is no validator: V8 validates what comes out. It refuses what V8 would allow and a job may not have.
 * Throws ModuleFault.
 */
export function clampModule (bytes: Uint8Array, options: { maxPages: number }): Uint8Array<ArrayBuffer> {
  checkHeader(bytes)
  const reader = new BinaryReader(bytes, 8)
  const parts: Uint8Array[] = [bytes.subarray(0, 8)]
  let types: string[] = []
  while (!reader.done) {
    const start = reader.position
    const id = reader.byte()
    const section = reader.window(reader.u32())
    let replaced: number[] | undefined
    if (id === SECTION.type) types = readTypes(section)
    if (id === SECTION.import) checkImports(section, types)
    if (id === SECTION.table) replaced = clampTables(section)
    if (id === SECTION.memory) replaced = clampMemories(section, options.maxPages)
    if (id === SECTION.tag) throw invalid('the module uses exceptions, which are not supported; build it without them (for C++: -fno-exceptions)')
    if (id > SECTION.tag) throw invalid(`the module has a section of the unknown kind ${id}`)
    if (replaced !== undefined && !section.done) throw invalid('the module has a section with bytes left over')
    parts.push(replaced === undefined ? bytes.subarray(start, reader.position) : Uint8Array.from([id, ...toLeb(replaced.length), ...replaced]))
  }
  return concat(parts)
}

function checkHeader (bytes: Uint8Array): void {
  const starts = (at: number, expected: readonly number[]): boolean => expected.every((byte, index) => bytes[at + index] === byte)
  if (!starts(0, MAGIC)) {
    const isText = Buffer.from(bytes.subarray(0, 64)).toString('latin1').trimStart().startsWith('(module')
    throw invalid(isText ? 'the module is WebAssembly text; translate it to binary first (wat2wasm)' : 'the file is not a WebAssembly module')
  }
  if (starts(4, COMPONENT_VERSION)) throw invalid('the file is a WebAssembly component; build a core module for wasm32-wasi (preview 1)')
  if (!starts(4, CORE_VERSION)) throw invalid('the module has an unknown WebAssembly version')
}

function concat (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
