/** WASI preview 1 error numbers that this sandbox returns (`errno` of wasi_snapshot_preview1). */
export const ERRNO = {
  SUCCESS: 0, BADF: 8, EXIST: 20, FAULT: 21, FBIG: 22, ILSEQ: 25, INVAL: 28, ISDIR: 31, LOOP: 32, MFILE: 33, NAMETOOLONG: 37,
  NOENT: 44, NOSPC: 51, NOTDIR: 54, NOTEMPTY: 55, NOTSOCK: 57, NOTSUP: 58, PERM: 63, PIPE: 64, ROFS: 69, SPIPE: 70, XDEV: 75, NOTCAPABLE: 76
} as const

/**
 * What a host call fails with; it becomes the call's return value and never reaches the guest as an exception.
 * No Error: a guest that fails in a loop should not make us record stacks.
 */
export class WasiFault {
  readonly errno: number

  constructor (errno: number) {
    this.errno = errno
  }
}

/** A fault for `throw fault('NOENT')`. */
export function fault (name: keyof typeof ERRNO): WasiFault {
  return new WasiFault(ERRNO[name])
}
