import { fault } from './errno.ts'
import { setTimes, toFiletype, writeFilestat } from './filestat.ts'
import { type GuestWorld, type HostCalls } from './guest-world.ts'

const FDSTAT_BYTES = 24
/** append, dsync, nonblock, rsync, sync. */
export const ALL_FD_FLAGS = 31
const LAST_ADVICE = 5

/** The state of descriptors: stat, flags, rights, closing, preopens. */
export function createDescriptorCalls (world: GuestWorld): HostCalls {
  const { memory, descriptors } = world
  const preopenOf = (fd: number): Uint8Array => {
    const descriptor = descriptors.get(fd)
    if (descriptor.kind !== 'directory' || descriptor.preopen === undefined) throw fault('BADF')
    return Buffer.from(descriptor.preopen)
  }
  return {
    fd_close: (fd: number) => { descriptors.close(fd) },
    fd_renumber: (from: number, to: number) => { descriptors.renumber(from, to) },
    fd_sync: (fd: number) => { descriptors.get(fd) },
    fd_datasync: (fd: number) => { descriptors.get(fd) },
    fd_advise: (fd: number, _offset: bigint, _length: bigint, advice: number) => {
      if (descriptors.get(fd).kind === 'directory') throw fault('BADF')
      if (advice >>> 0 > LAST_ADVICE) throw fault('INVAL')
    },
    fd_fdstat_get: (fd: number, out: number) => {
      const descriptor = descriptors.get(fd)
      memory.bytes(out, FDSTAT_BYTES).fill(0)
      const at = out >>> 0
      memory.writeU8(at, toFiletype(descriptor))
      memory.writeU16(at + 2, descriptor.flags)
      memory.writeU64(at + 8, descriptor.rights)
      memory.writeU64(at + 16, descriptor.inheriting)
    },
    fd_fdstat_set_flags: (fd: number, flags: number) => {
      const descriptor = descriptors.get(fd)
      if (flags >>> 0 > ALL_FD_FLAGS) throw fault('INVAL')
      descriptor.flags = flags
    },
    // Rights only ever shrink.
    fd_fdstat_set_rights: (fd: number, rights: bigint, inheriting: bigint) => {
      const descriptor = descriptors.get(fd)
      const base = BigInt.asUintN(64, rights)
      const passed = BigInt.asUintN(64, inheriting)
      if ((base & ~descriptor.rights) !== 0n || (passed & ~descriptor.inheriting) !== 0n) throw fault('NOTCAPABLE')
      descriptor.rights = base
      descriptor.inheriting = passed
    },
    fd_filestat_get: (fd: number, out: number) => {
      const descriptor = descriptors.get(fd)
      writeFilestat(memory, out, toFiletype(descriptor), 'node' in descriptor ? descriptor.node : undefined)
    },
    fd_filestat_set_times: (fd: number, accessed: bigint, modified: bigint, flags: number) => {
      const descriptor = descriptors.get(fd)
      if (!('node' in descriptor)) throw fault('BADF')
      setTimes(descriptor.node, world.clock, accessed, modified, flags)
    },
    fd_prestat_get: (fd: number, out: number) => {
      const name = preopenOf(fd)
      memory.writeU32(out, 0)
      memory.writeU32((out >>> 0) + 4, name.length)
    },
    fd_prestat_dir_name: (fd: number, pointer: number, length: number) => {
      const name = preopenOf(fd)
      if (length >>> 0 < name.length) throw fault('NAMETOOLONG')
      memory.bytes(pointer, name.length).set(name)
    }
  }
}
