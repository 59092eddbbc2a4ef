import { fault } from './errno.ts'
import { DIRECTORY_RIGHTS, FILE_RIGHTS, INPUT_RIGHTS, OUTPUT_RIGHTS } from './rights.ts'
import { type DirectoryNode, type FileNode, type Tree } from './tree.ts'

interface DescriptorBase {
  /** fdflags of preview 1. */
  flags: number
  rights: bigint
  inheriting: bigint
}
export interface InputDescriptor extends DescriptorBase { readonly kind: 'input' }
export interface StreamDescriptor extends DescriptorBase { readonly kind: 'stream', readonly stream: 'stdout' | 'stderr' }
export interface FileDescriptor extends DescriptorBase { readonly kind: 'file', readonly node: FileNode, offset: number }
export interface DirectoryDescriptor extends DescriptorBase {
  readonly kind: 'directory'
  readonly node: DirectoryNode
  /** Guest path of a preopen. */
  readonly preopen: string | undefined
  /** Names as they were at cookie 0: a guest that deletes while it lists misses none. */
  listing: readonly string[]
}
export type Descriptor = InputDescriptor | StreamDescriptor | FileDescriptor | DirectoryDescriptor

/** Open files of one job; enough for toolchains, and a bound for those who open for ever. */
export const MAX_DESCRIPTORS = 1024

/** Descriptor numbers to what they stand for; the lowest free number is given out first, as POSIX wants. */
export class DescriptorTable {
  readonly #slots: Array<Descriptor | undefined>
  readonly #tree: Tree

  /** 0 empty input, 1 stdout, 2 stderr, 3 the root as `/`. */
  constructor (components: { tree: Tree }) {
    this.#tree = components.tree
    const none = { flags: 0, inheriting: 0n }
    this.#slots = [
      { kind: 'input', ...none, rights: INPUT_RIGHTS },
      { kind: 'stream', stream: 'stdout', ...none, rights: OUTPUT_RIGHTS },
      { kind: 'stream', stream: 'stderr', ...none, rights: OUTPUT_RIGHTS },
      { kind: 'directory', node: this.#tree.root, preopen: '/', listing: [], flags: 0, rights: DIRECTORY_RIGHTS, inheriting: DIRECTORY_RIGHTS | FILE_RIGHTS }
    ]
    this.#tree.root.opens++
  }

  /** Throws EBADF. */
  get (fd: number): Descriptor {
    const descriptor = this.#slots[fd >>> 0]
    if (descriptor === undefined) throw fault('BADF')
    return descriptor
  }

  /** Throws EBADF, ENOTDIR. */
  directory (fd: number): DirectoryDescriptor {
    const descriptor = this.get(fd)
    if (descriptor.kind !== 'directory') throw fault('NOTDIR')
    return descriptor
  }

  /** Throws EBADF for what is no regular file, a directory included. */
  file (fd: number): FileDescriptor {
    const descriptor = this.get(fd)
    if (descriptor.kind !== 'file') throw fault('BADF')
    return descriptor
  }

  /** Throws EMFILE. */
  open (descriptor: FileDescriptor | DirectoryDescriptor): number {
    const free = this.#slots.indexOf(undefined)
    const fd = free === -1 ? this.#slots.length : free
    if (fd >= MAX_DESCRIPTORS) throw fault('MFILE')
    this.#slots[fd] = descriptor
    descriptor.node.opens++
    return fd
  }

  /** Throws EBADF. */
  close (fd: number): void {
    const descriptor = this.get(fd)
    this.#slots[fd >>> 0] = undefined
    if ('node' in descriptor) this.#tree.released(descriptor.node)
  }

  /** Moves `from` onto `to`, closing what `to` was. Throws EBADF. */
  renumber (from: number, to: number): void {
    const descriptor = this.get(from)
    this.get(to)
    if (from === to) return
    this.close(to)
    this.#slots[to >>> 0] = descriptor
    this.#slots[from >>> 0] = undefined
  }
}
