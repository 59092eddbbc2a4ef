import { ERRNO, WasiFault, fault } from './errno.ts'

/** Most buffers of one scattered read or write, as IOV_MAX of Linux. */
const MAX_IOVECS = 1024
const MAX_U32 = 0xffff_ffff

/**
 * The guest's linear memory as host calls see it. Pointers arrive as signed 32-bit numbers; every access is checked
 * against the memory's present size and fails with EFAULT, so that a wild pointer is the guest's error and not ours.
 */
export class GuestMemory {
  #memory: WebAssembly.Memory | undefined
  #view = new DataView(new ArrayBuffer(0))

  /** Called once after instantiation, with the exported `memory`. */
  attach (memory: WebAssembly.Memory): void {
    this.#memory = memory
  }

  /** The present view: growing detaches the old buffer. */
  #current (): DataView {
    const buffer = this.#memory?.buffer
    if (buffer !== undefined && buffer !== this.#view.buffer) this.#view = new DataView(buffer)
    return this.#view
  }

  #checked (pointer: number, length: number): DataView {
    const view = this.#current()
    if ((pointer >>> 0) + length > view.byteLength) throw fault('FAULT')
    return view
  }

  /** A window into guest memory; valid until the guest runs again. Throws EFAULT. */
  bytes (pointer: number, length: number): Uint8Array {
    const size = length >>> 0
    const view = this.#checked(pointer, size)
    return new Uint8Array(view.buffer, pointer >>> 0, size)
  }

  readU8 (pointer: number): number { return this.#checked(pointer, 1).getUint8(pointer >>> 0) }
  readU16 (pointer: number): number { return this.#checked(pointer, 2).getUint16(pointer >>> 0, true) }
  readU32 (pointer: number): number { return this.#checked(pointer, 4).getUint32(pointer >>> 0, true) }
  readU64 (pointer: number): bigint { return this.#checked(pointer, 8).getBigUint64(pointer >>> 0, true) }
  writeU8 (pointer: number, value: number): void { this.#checked(pointer, 1).setUint8(pointer >>> 0, value) }
  writeU16 (pointer: number, value: number): void { this.#checked(pointer, 2).setUint16(pointer >>> 0, value, true) }
  writeU32 (pointer: number, value: number): void { this.#checked(pointer, 4).setUint32(pointer >>> 0, value, true) }
  writeU64 (pointer: number, value: bigint): void { this.#checked(pointer, 8).setBigUint64(pointer >>> 0, value, true) }

  /** The buffers of an iovec array, all checked before any is used. Throws EFAULT, EINVAL. */
  iovecs (pointer: number, count: number): Uint8Array[] {
    const size = count >>> 0
    if (size > MAX_IOVECS) throw fault('INVAL')
    this.#checked(pointer, size * 8)
    const start = pointer >>> 0
    const buffers = Array.from({ length: size }, (_, index) => this.bytes(this.readU32(start + index * 8), this.readU32(start + index * 8 + 4)))
    if (buffers.reduce((sum, buffer) => sum + buffer.length, 0) > MAX_U32) throw fault('INVAL')
    return buffers
  }

  /** Text without NUL, strictly UTF-8, at most `maxBytes`. Throws EFAULT, EILSEQ, ENAMETOOLONG. */
  text (pointer: number, length: number, maxBytes: number): string {
    const bytes = this.bytes(pointer, length)
    if (bytes.length > maxBytes) throw fault('NAMETOOLONG')
    return strictText(bytes)
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function strictText (bytes: Uint8Array): string {
  if (bytes.includes(0)) throw fault('ILSEQ')
  try {
    return decoder.decode(bytes)
  } catch {
    throw new WasiFault(ERRNO.ILSEQ)
  }
}
