import { fault } from './errno.ts'

/** What a guest may store: bytes of file content, and names (files, directories, links). */
export interface Quota {
  /** Throws ENOSPC and takes nothing when fewer are left. */
  takeBytes: (count: number) => void
  giveBytes: (count: number) => void
  /** Throws ENOSPC when none is left. */
  takeName: () => void
  giveName: () => void
}

/** A quota over everything the guest writes, wherever in the tree. */
export function createQuota (limits: { bytes: number, names: number }): Quota {
  let { bytes, names } = limits
  return {
    takeBytes: (count) => {
      if (count > bytes) throw fault('NOSPC')
      bytes -= count
    },
    giveBytes: (count) => { bytes += count },
    takeName: () => {
      if (names === 0) throw fault('NOSPC')
      names--
    },
    giveName: () => { names++ }
  }
}
