import { fault } from './errno.ts'
import { type Descriptor, type FileDescriptor } from './descriptors.ts'
import { type GuestWorld, type HostCalls } from './guest-world.ts'
import { RIGHT_READ, RIGHT_WRITE } from './rights.ts'

const APPEND = 1
const WHENCE_END = 2

/** Reading, writing and seeking. */
export function createDataCalls (world: GuestWorld): HostCalls {
  const { memory, descriptors, clock } = world
  const ofBigint = (value: bigint): number => {
    const offset = BigInt.asUintN(64, value)
    if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw fault('INVAL')
    return Number(offset)
  }
  const need = (descriptor: Descriptor, right: bigint): void => {
    if ((descriptor.rights & right) === 0n) throw fault('BADF')
  }
  /** Positioned calls and seeks: streams have no position. */
  const seekable = (fd: number): FileDescriptor => {
    const descriptor = descriptors.get(fd)
    if (descriptor.kind === 'file') return descriptor
    throw fault(descriptor.kind === 'directory' ? 'BADF' : 'SPIPE')
  }
  const readAt = (file: FileDescriptor, offset: number, iovecs: number, count: number): number => {
    need(file, RIGHT_READ)
    let done = 0
    for (const target of memory.iovecs(iovecs, count)) {
      const got = file.node.content.read(offset + done, target)
      done += got
      if (got < target.length) break
    }
    if (!file.node.readOnly) file.node.accessedNs = clock.peekNs()
    return done
  }
  const writeAt = (file: FileDescriptor, offset: number, iovecs: number, count: number): number => {
    need(file, RIGHT_WRITE)
    const sources = memory.iovecs(iovecs, count)
    const length = sources.reduce((sum, source) => sum + source.length, 0)
    if (offset + length > Number.MAX_SAFE_INTEGER) throw fault('FBIG')
    // All or nothing: the room is taken first, so that ENOSPC leaves the file as it was.
    const { content } = file.node
    if (length > 0 && offset + length > content.size) content.resize(offset + length)
    let done = 0
    for (const source of sources) {
      content.write(offset + done, source)
      done += source.length
    }
    file.node.modifiedNs = file.node.changedNs = clock.peekNs()
    return done
  }
  return {
    fd_read: (fd: number, iovecs: number, count: number, out: number) => {
      const descriptor = descriptors.get(fd)
      if (descriptor.kind === 'input') {
        memory.iovecs(iovecs, count)
        memory.writeU32(out, 0)
        return
      }
      const file = descriptors.file(fd)
      const done = readAt(file, file.offset, iovecs, count)
      file.offset += done
      memory.writeU32(out, done)
    },
    fd_pread: (fd: number, iovecs: number, count: number, offset: bigint, out: number) => {
      memory.writeU32(out, readAt(seekable(fd), ofBigint(offset), iovecs, count))
    },
    fd_write: (fd: number, iovecs: number, count: number, out: number) => {
      const descriptor = descriptors.get(fd)
      if (descriptor.kind === 'stream') {
        let done = 0
        for (const bytes of memory.iovecs(iovecs, count)) {
          world.streams.write(descriptor.stream, bytes)
          done += bytes.length
        }
        memory.writeU32(out, done)
        return
      }
      const file = descriptors.file(fd)
      const offset = (file.flags & APPEND) === 0 ? file.offset : file.node.content.size
      const done = writeAt(file, offset, iovecs, count)
      file.offset = offset + done
      memory.writeU32(out, done)
    },
    fd_pwrite: (fd: number, iovecs: number, count: number, offset: bigint, out: number) => {
      memory.writeU32(out, writeAt(seekable(fd), ofBigint(offset), iovecs, count))
    },
    fd_seek: (fd: number, delta: bigint, whence: number, out: number) => {
      const file = seekable(fd)
      if (whence >>> 0 > WHENCE_END) throw fault('INVAL')
      const base = [0, file.offset, file.node.content.size][whence] ?? 0
      const next = BigInt(base) + BigInt.asIntN(64, delta)
      if (next < 0n || next > BigInt(Number.MAX_SAFE_INTEGER)) throw fault('INVAL')
      memory.writeU64(out, next)
      file.offset = Number(next)
    },
    fd_tell: (fd: number, out: number) => { memory.writeU64(out, BigInt(seekable(fd).offset)) },
    fd_filestat_set_size: (fd: number, size: bigint) => {
      const file = descriptors.file(fd)
      need(file, RIGHT_WRITE)
      file.node.content.resize(ofBigint(size))
      file.node.modifiedNs = file.node.changedNs = clock.peekNs()
    },
    fd_allocate: (fd: number, offset: bigint, length: bigint) => {
      const file = descriptors.file(fd)
      need(file, RIGHT_WRITE)
      const end = ofBigint(offset) + ofBigint(length)
      if (length === 0n) throw fault('INVAL')
      if (end > file.node.content.size) file.node.content.resize(end)
    }
  }
}
