/** Bits of the WASI preview 1 `rights` type, in its order. */
const BIT = {
  fdDatasync: 0, fdRead: 1, fdSeek: 2, fdSetFlags: 3, fdSync: 4, fdTell: 5, fdWrite: 6, fdAdvise: 7, fdAllocate: 8,
  pathCreateDirectory: 9, pathCreateFile: 10, pathLinkSource: 11, pathLinkTarget: 12, pathOpen: 13, fdReaddir: 14, pathReadlink: 15,
  pathRenameSource: 16, pathRenameTarget: 17, pathStatGet: 18, pathSetSize: 19, pathSetTimes: 20, fdStatGet: 21, fdSetSize: 22,
  fdSetTimes: 23, pathSymlink: 24, pathRemoveDirectory: 25, pathUnlinkFile: 26, pollReadWrite: 27
} as const

function rights (...names: Array<keyof typeof BIT>): bigint {
  return names.reduce((set, name) => set | (1n << BigInt(BIT[name])), 0n)
}

/** The three rights this sandbox enforces; the others are kept and reported, since programs look at them. */
export const RIGHT_READ = rights('fdRead')
export const RIGHT_WRITE = rights('fdWrite')
export const RIGHT_PATH_SET_SIZE = rights('pathSetSize')

/** What a regular file may carry. */
export const FILE_RIGHTS = rights('fdDatasync', 'fdRead', 'fdSeek', 'fdSetFlags', 'fdSync', 'fdTell', 'fdWrite', 'fdAdvise', 'fdAllocate', 'fdStatGet', 'fdSetSize', 'fdSetTimes', 'pollReadWrite')

/** What a directory may carry. */
export const DIRECTORY_RIGHTS = rights('fdDatasync', 'fdSetFlags', 'fdSync', 'pathCreateDirectory', 'pathCreateFile', 'pathLinkSource', 'pathLinkTarget', 'pathOpen', 'fdReaddir', 'pathReadlink',
  'pathRenameSource', 'pathRenameTarget', 'pathStatGet', 'pathSetSize', 'pathSetTimes', 'fdStatGet', 'fdSetTimes', 'pathSymlink', 'pathRemoveDirectory', 'pathUnlinkFile', 'pollReadWrite')

/** Standard input, output and error: no seek and no tell, which is how wasi-libc recognises a terminal. */
export const INPUT_RIGHTS = rights('fdRead', 'fdStatGet', 'fdSetFlags', 'pollReadWrite')
export const OUTPUT_RIGHTS = rights('fdWrite', 'fdStatGet', 'fdSetFlags', 'fdSync', 'fdDatasync', 'pollReadWrite')
