import { invalid } from './module-fault.ts'

/** Longest name of an import we read; longer ones are no host function of ours. */
const MAX_NAME_BYTES = 256

/** Reads the WebAssembly binary format within [position, end). Throws ModuleFault at a cut or an overlong number. */
export class BinaryReader {
  readonly bytes: Uint8Array
  readonly end: number
  position: number

  constructor (bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }

  get done (): boolean { return this.position >= this.end }

  byte (): number {
    const value = this.bytes[this.position]
    if (this.position >= this.end || value === undefined) throw invalid('the module is cut off')
    this.position++
    return value
  }

  /** An unsigned LEB128 of at most 32 bits. */
  u32 (): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if ((byte & 0x80) === 0) {
        if (value > 0xffff_ffff) break
        return value
      }
    }
    throw invalid('the module holds a number that is too long')
  }

  /** A window of `length` bytes, which is skipped here. */
  window (length: number): BinaryReader {
    const start = this.position
    if (start + length > this.end) throw invalid('the module is cut off')
    this.position = start + length
    return new BinaryReader(this.bytes, start, start + length)
  }

  name (): string {
    const text = this.window(this.u32())
    if (text.end - text.position > MAX_NAME_BYTES) throw invalid('the module has an import with an overlong name')
    return Buffer.from(this.bytes.subarray(text.position, text.end)).toString('utf8')
  }
}

/** Unsigned LEB128. */
export function toLeb (value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) | 0x80)
  }
}
