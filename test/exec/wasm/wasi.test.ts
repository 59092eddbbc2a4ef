import t from 'tap'
import { MAX_DESCRIPTORS } from '../../../src/exec/wasm/wasi/descriptors.ts'
import { ERRNO } from '../../../src/exec/wasm/wasi/errno.ts'
import { assemble, op } from '../fixtures/assembler.ts'
import { callsModule, type Call } from '../fixtures/calls.ts'
import { copier, dice, READ_WRITE } from '../fixtures/programs.ts'
import { runHere } from '../fixtures/in-process.ts'

const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)
const CREATE = 1
const DIRECTORY = 2
const FOLLOW = 1
const ROOT = 3

/** Runs calls whose paths are written as [path] and become pointer and length; returns errnos and the dumped memory. */
function calls (list: ReadonlyArray<readonly [string, ...Array<number | bigint | readonly [string]>]>, options: Parameters<typeof runHere>[1] & { dump?: readonly [number, number], data?: ReadonlyArray<readonly [number, Uint8Array | string]> } = {}): { errnos: number[], dump: Buffer, outputs: Record<string, string> } {
  const data: Array<readonly [number, Uint8Array | string]> = [...(options.data ?? [])]
  let at = 30_000
  const flat = list.map(([name, ...values]): Call => [name, ...values.flatMap((value) => {
    if (typeof value === 'number' || typeof value === 'bigint') return [value]
    data.push([at, value[0]])
    const start = at
    at += Buffer.byteLength(value[0])
    return [start, Buffer.byteLength(value[0])]
  })])
  const run = runHere(callsModule(flat, { data, dump: options.dump ?? [0, 0] }), options)
  t.equal(run.reason, 'exited', `the guest ended by itself ${run.message}`)
  return { errnos: [...run.stdout.subarray(0, list.length)], dump: run.stdout.subarray(list.length), outputs: run.outputs }
}

const open = (path: string, flags = 0, rights = READ_WRITE, fd = ROOT): [string, number, number, readonly [string], number, bigint, bigint, number, number] => ['path_open', fd, FOLLOW, [path], flags, rights, 0n, 0, 50_000]

t.test('a guest reads inputs and its files under /outputs are collected', async (t) => {
  const run = runHere(copier, { inputs: { 'a.txt': 'hello' } })
  t.same([...run.stdout], [0, 0, 0, 0, 0])
  t.same(run.outputs, { 'dir/b.txt': 'hello' })
})

t.test('paths that lead out of the tree fail: ".." and absolute names', async (t) => {
  const { errnos } = calls([open('../../etc/passwd', 0, 2n), open('inputs/../../etc/passwd', 0, 2n), open('/etc/passwd', 0, 2n), open('etc/passwd', 0, 2n)])
  t.same(errnos, [ERRNO.PERM, ERRNO.PERM, ERRNO.PERM, ERRNO.NOENT])
})

t.test('symbolic links cannot lead out of the tree, for reading or creating', async (t) => {
  const { errnos, outputs } = calls([
    ['path_symlink', ['../../../../../../../../etc'], ROOT, ['outputs/rel']],
    ['path_symlink', ['/etc'], ROOT, ['outputs/abs']],
    open('outputs/rel/passwd', 0, 2n),
    open('outputs/rel/made', CREATE),
    ['path_create_directory', ROOT, ['outputs/rel/dir']]
  ])
  t.same(errnos, [0, ERRNO.PERM, ERRNO.PERM, ERRNO.PERM, ERRNO.PERM])
  t.same(outputs, {}, 'links are no outputs')
})

t.test('names that no result could hold cannot be made: the guest is told, not its provider', async (t) => {
  const { errnos, outputs } = calls([
    open('outputs/new\nline', CREATE), open('outputs/back\\slash', CREATE), open('outputs/bell\u0007', CREATE), open('outputs/del\u007f', CREATE),
    ['path_create_directory', ROOT, ['outputs/tab\t']], ['path_symlink', ['a'], ROOT, ['outputs/l\r']],
    open('outputs/good', CREATE), ['path_rename', ROOT, ['outputs/good'], ROOT, ['outputs/b\nad']], ['path_link', ROOT, 0, ['outputs/good'], ROOT, ['outputs/b\nad']]
  ])
  t.same(errnos, [ERRNO.ILSEQ, ERRNO.ILSEQ, ERRNO.ILSEQ, ERRNO.ILSEQ, ERRNO.ILSEQ, ERRNO.ILSEQ, 0, ERRNO.ILSEQ, ERRNO.ILSEQ])
  t.same(Object.keys(outputs), ['good'])
})

t.test('outputs deeper or longer than a result can hold end the run, and are dropped', async (t) => {
  const make = (names: string[]): ReturnType<typeof runHere> => {
    const paths = names.map((_, at) => `outputs/${names.slice(0, at + 1).join('/')}`)
    const data = paths.map((path, at): [number, string] => [30_000 + at * 2048, path])
    const list = paths.map((path, at): Call => at < paths.length - 1
      ? ['path_create_directory', ROOT, 30_000 + at * 2048, path.length]
      : ['path_open', ROOT, FOLLOW, 30_000 + at * 2048, path.length, CREATE, READ_WRITE, 0n, 0, 20_000])
    return runHere(callsModule(list, { data, dump: [0, 0] }))
  }
  t.match(make(Array.from({ length: 15 }, () => 'd')), { reason: 'exited' })
  t.match(make(Array.from({ length: 16 }, () => 'd')), { reason: 'output-limit', outputs: {} })
  t.match(make([...Array.from({ length: 3 }, () => 'd'.repeat(249)), 'd'.repeat(250)]), { reason: 'exited' })
  t.match(make([...Array.from({ length: 3 }, () => 'd'.repeat(249)), 'd'.repeat(251)]), { reason: 'output-limit', outputs: {} })
})

t.test('links inside the tree work, and loops end with ELOOP', async (t) => {
  const { errnos } = calls([
    ['path_symlink', ['../inputs'], ROOT, ['tmp/in']], open('tmp/in/a', 0, 2n),
    ['path_symlink', ['b'], ROOT, ['tmp/a']], ['path_symlink', ['a'], ROOT, ['tmp/b']], open('tmp/a', 0, 2n),
    ['path_open', ROOT, 0, ['tmp/in'], 0, 2n, 0n, 0, 0], ['path_readlink', ROOT, ['tmp/in'], 100, 4, 200]
  ], { inputs: { a: 'x' }, dump: [100, 4] })
  t.same(errnos, [0, 0, 0, 0, ERRNO.LOOP, ERRNO.LOOP, 0])
})

t.test('a directory descriptor confines what is opened through it', async (t) => {
  const { errnos } = calls([['path_open', ROOT, FOLLOW, ['tmp'], DIRECTORY, 2n, READ_WRITE, 0, 0], open('x', CREATE, 2n, 4), open('../inputs', 0, 2n, 4)])
  t.same(errnos, [0, 0, ERRNO.PERM])
})

t.test('inputs cannot be changed, moved, linked or removed', async (t) => {
  const { errnos } = calls([
    open('inputs/a', 0, READ_WRITE), open('inputs/new', CREATE), ['path_unlink_file', ROOT, ['inputs/a']],
    ['path_rename', ROOT, ['inputs/a'], ROOT, ['outputs/a']], ['path_rename', ROOT, ['inputs'], ROOT, ['outputs/in']],
    ['path_link', ROOT, 0, ['inputs/a'], ROOT, ['outputs/a']], ['path_filestat_set_times', ROOT, 0, ['inputs/a'], 0n, 0n, 8],
    open('tmp/mine', CREATE), ['path_rename', ROOT, ['tmp/mine'], ROOT, ['inputs/a']], ['path_remove_directory', ROOT, ['inputs']]
  ], { inputs: { a: 'x' } })
  t.same(errnos, [ERRNO.ROFS, ERRNO.ROFS, ERRNO.ROFS, ERRNO.ROFS, ERRNO.ROFS, ERRNO.ROFS, ERRNO.ROFS, 0, ERRNO.ROFS, ERRNO.NOTEMPTY])
})

t.test('storing more than the quota fails with ENOSPC, leaves what was there and frees what is removed', async (t) => {
  const write: [string, ...number[]] = ['fd_write', 4, 0, 1, 8]
  const { errnos, outputs } = calls([
    open('outputs/a', CREATE), write, write, ['fd_filestat_set_size', 4, 1n << 40n], ['fd_close', 4],
    ['path_unlink_file', ROOT, ['outputs/a']], open('outputs/b', CREATE), write
  ], { data: [[0, words(1000, 60)]], limits: { outputBytes: 100 } })
  t.same(errnos, [0, 0, ERRNO.NOSPC, ERRNO.NOSPC, 0, 0, 0, 0])
  t.equal(outputs.b?.length, 60)
})

t.test('more names than the quota fail with ENOSPC, hard links included', async (t) => {
  const { errnos } = calls([open('tmp/a', CREATE), ['path_link', ROOT, 0, ['tmp/a'], ROOT, ['tmp/b']], open('tmp/c', CREATE), ['path_create_directory', ROOT, ['tmp/d']]], { limits: { outputFiles: 2 } })
  t.same(errnos, [0, 0, ERRNO.NOSPC, ERRNO.NOSPC])
})

t.test('hard links cannot multiply outputs past the limit', async (t) => {
  const run = runHere(callsModule([
    ['path_open', ROOT, 1, 100, 9, CREATE, READ_WRITE, 0n, 0, 0], ['fd_write', 4, 8, 1, 20], ['path_link', ROOT, 0, 100, 9, ROOT, 200, 9]
  ], { data: [[8, words(1000, 60)], [100, 'outputs/a'], [200, 'outputs/b']] }), { limits: { outputBytes: 100 } })
  t.equal(run.reason, 'output-limit')
  t.same(run.outputs, {})
  t.match(run.message, /more than 100 bytes under \/outputs/)
})

t.test('a guest that opens for ever runs out of descriptors, and only it', async (t) => {
  const imports = ['path_open', 'proc_exit']
  const open4 = [...op.i32(ROOT), ...op.i32(1), ...op.i32(100), ...op.i32(1), ...op.i32(0), ...op.i64(2n), ...op.i64(0n), ...op.i32(0), ...op.i32(0), ...op.call(0)]
  const code = op.forever(open4, op.i32(ERRNO.MFILE), op.equals, op.when(op.i32(0), op.load, op.i32(MAX_DESCRIPTORS - 1), op.equals, op.call(1)))
  const run = runHere(assemble({ imports, code, data: [[100, '.']] }))
  t.equal(run.reason, 'exited')
  t.equal(run.exitCode, 1, 'the last descriptor given out is the last allowed')
})

t.test('wild pointers and lengths give EFAULT, never an exception in the guest', async (t) => {
  const WILD = 0xffff_fff0
  const { errnos } = calls([
    ['fd_write', 1, WILD, 1, 0], ['fd_write', 1, 0, 1, 0], ['fd_read', 0, 0, 1, WILD], ['random_get', 65_530, 100], ['random_get', 0, -1],
    ['path_open', ROOT, 0, WILD, 10, 0, 2n, 0n, 0, 0], ['path_open', ROOT, 0, 1000, 0x7fff_ffff, 0, 2n, 0n, 0, 0],
    ['args_get', WILD, 0], ['clock_time_get', 0, 0n, WILD], ['poll_oneoff', WILD, 0, 1, 0], ['fd_readdir', ROOT, WILD, 100, 0n, 0],
    ['path_filestat_get', ROOT, 0, ['tmp'], WILD], ['path_readlink', ROOT, ['tmp'], WILD, 10, 0], ['fd_prestat_get', ROOT, WILD], ['fd_fdstat_get', 1, WILD],
    ['fd_write', 1, 0, -1, 0], ['fd_seek', 99, 0n, 0, 0], ['fd_close', -1]
  ], { data: [[0, words(WILD, 100)]] })
  const { FAULT, INVAL, BADF } = ERRNO
  t.same(errnos, [FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, INVAL, FAULT, FAULT, INVAL, BADF, BADF])
})

t.test('reading past the end of memory through a path that is no UTF-8 or holds NUL fails with EILSEQ', async (t) => {
  const { errnos } = calls([open('a\0b', 0, 2n), ['path_open', ROOT, 0, 500, 2, 0, 2n, 0n, 0, 0]], { data: [[500, Uint8Array.of(0xff, 0xfe)]] })
  t.same(errnos, [ERRNO.ILSEQ, ERRNO.ILSEQ])
})

t.test('time is virtual: it starts where the job says, moves by looks, and sleeping passes at once', async (t) => {
  const sleep = Buffer.alloc(48)
  sleep.writeBigUInt64LE(77n, 0)
  sleep.writeBigUInt64LE(3_600_000_000_000n, 24)
  const { errnos, dump } = calls([['clock_time_get', 0, 0n, 0], ['clock_time_get', 0, 0n, 8], ['poll_oneoff', 200, 300, 1, 400], ['clock_time_get', 0, 0n, 16], ['clock_time_get', 9, 0n, 16]], { data: [[200, sleep]], dump: [0, 24] })
  t.same(errnos, [0, 0, 0, 0, ERRNO.INVAL])
  const [first = 0n, second = 0n, third = 0n] = [0, 8, 16].map((at) => dump.readBigUInt64LE(at))
  t.equal(first / 1_000_000n, 1_700_000_000_000n)
  t.equal(second - first, 1000n)
  t.equal(third - second, 3_600_000_001_000n, 'an hour and a look')
})

t.test('randomness and time are the same for the same seed, and another seed gives others', async (t) => {
  const once = runHere(dice)
  t.same(runHere(dice).stdout, once.stdout)
  t.notSame(runHere(dice, { seed: '01'.repeat(32) }).stdout, once.stdout)
})

t.test('listing is sorted, starts with . and .., and resumes after a cookie while entries are removed', async (t) => {
  const { errnos, dump } = calls([
    open('tmp/b', CREATE), open('tmp/a', CREATE), ['path_create_directory', ROOT, ['tmp/c']], open('tmp', 0, 2n),
    ['fd_readdir', 6, 1000, 100, 0n, 0], ['path_unlink_file', ROOT, ['tmp/a']], ['fd_readdir', 6, 2000, 100, 3n, 0]
  ], { dump: [1000, 1100] })
  t.same(errnos, [0, 0, 0, 0, 0, 0, 0])
  const names = (from: number): string[] => {
    const found: string[] = []
    for (let at = from; dump.readUInt32LE(at + 16) > 0 && at < from + 100 - 24;) {
      const length = dump.readUInt32LE(at + 16)
      found.push(`${dump.subarray(at + 24, at + 24 + length).toString()}:${dump[at + 20]}`)
      at += 24 + length
    }
    return found
  }
  t.same(names(0).slice(0, 3), ['.:3', '..:3', 'a:4'])
  t.same(names(1000).slice(0, 2), ['b:4', 'c:3'])
})

t.test('files: seek, tell, positioned reads and writes, append, holes, truncation', async (t) => {
  const { errnos, dump, outputs } = calls([
    open('outputs/f', CREATE), ['fd_write', 4, 0, 1, 8], ['fd_pwrite', 4, 0, 1, 10n, 8], ['fd_tell', 4, 100], ['fd_seek', 4, -2n, 2, 108],
    ['fd_pread', 4, 16, 1, 3n, 120], ['fd_seek', 4, -100n, 1, 108], ['fd_filestat_set_size', 4, 12n], ['fd_fdstat_set_flags', 4, 1], ['fd_write', 4, 0, 1, 8], ['fd_seek', 1, 0n, 0, 124]
  ], { data: [[0, words(500, 3)], [16, words(600, 4)], [500, 'abc']], dump: [100, 24] })
  t.same(errnos, [0, 0, 0, 0, 0, 0, ERRNO.INVAL, 0, 0, 0, ERRNO.SPIPE])
  t.equal(dump.readBigUInt64LE(0), 3n)
  t.equal(dump.readBigUInt64LE(8), 11n)
  t.equal(dump.readUInt32LE(20), 4, 'a hole reads as zeros')
  t.equal(outputs.f, 'abc\0\0\0\0\0\0\0ababc')
})

t.test('a file that was removed lives while it is open', async (t) => {
  const { errnos } = calls([open('tmp/f', CREATE), ['path_unlink_file', ROOT, ['tmp/f']], ['fd_write', 4, 0, 1, 8], open('tmp/f', 0, 2n), ['fd_close', 4], ['fd_close', 4]], { data: [[0, words(500, 3)]] })
  t.same(errnos, [0, 0, 0, ERRNO.NOENT, 0, ERRNO.BADF])
})

t.test('renaming replaces files, keeps directories out of themselves, and never loses a file to a removed directory', async (t) => {
  const { errnos } = calls([
    open('tmp/a', CREATE), open('tmp/b', CREATE), ['path_rename', ROOT, ['tmp/a'], ROOT, ['tmp/b']], open('tmp/a', 0, 2n),
    ['path_create_directory', ROOT, ['tmp/d']], ['path_rename', ROOT, ['tmp/d'], ROOT, ['tmp/d/e']], ['path_rename', ROOT, ['tmp/b'], ROOT, ['tmp/d']],
    open('tmp/d', 0, 2n), ['path_remove_directory', ROOT, ['tmp/d']], ['path_rename', ROOT, ['tmp/b'], 6, ['x']], open('tmp/b', 0, 2n)
  ])
  t.same(errnos, [0, 0, 0, ERRNO.NOENT, 0, ERRNO.INVAL, ERRNO.ISDIR, 0, 0, ERRNO.NOENT, 0])
})

t.test('trailing slashes mean directories', async (t) => {
  const { errnos } = calls([
    open('tmp/f', CREATE), open('tmp/f/', 0, 2n), ['path_unlink_file', ROOT, ['tmp/f/']], ['path_symlink', ['x'], ROOT, ['tmp/l/']], ['path_symlink', ['x'], ROOT, ['tmp/f/']],
    ['path_link', ROOT, 0, ['tmp/f'], ROOT, ['tmp/g/']], ['path_create_directory', ROOT, ['tmp/d/']], ['path_unlink_file', ROOT, ['tmp/d/']], ['path_remove_directory', ROOT, ['tmp/d/']]
  ])
  t.same(errnos, [0, ERRNO.NOTDIR, ERRNO.NOTDIR, ERRNO.NOENT, ERRNO.NOTDIR, ERRNO.NOENT, 0, ERRNO.ISDIR, 0])
})

t.test('rights only shrink, and renumbering moves a descriptor', async (t) => {
  const { errnos } = calls([
    open('tmp/f', CREATE, 2n), ['fd_write', 4, 0, 1, 8], ['fd_fdstat_set_rights', 4, 0x42n, 0n], ['fd_fdstat_set_rights', 4, 0n, 0n], ['fd_read', 4, 0, 1, 8],
    open('tmp/g', CREATE), ['fd_renumber', 5, 4], ['fd_write', 4, 0, 1, 8], ['fd_close', 5], ['fd_renumber', 4, 900]
  ], { data: [[0, words(500, 3)]] })
  t.same(errnos, [0, ERRNO.BADF, ERRNO.NOTCAPABLE, 0, ERRNO.BADF, 0, 0, 0, ERRNO.BADF, ERRNO.BADF])
})

t.test('there are no sockets', async (t) => {
  const { errnos } = calls([['sock_recv', 0], ['sock_send', 1], ['sock_accept', 3], ['sock_shutdown', 0], ['sock_recv', 9]])
  t.same(errnos, [ERRNO.NOTSUP, ERRNO.NOTSUP, ERRNO.NOTSUP, ERRNO.NOTSOCK, ERRNO.BADF])
})

t.test('arguments and environment arrive', async (t) => {
  const { errnos, dump } = calls([['args_sizes_get', 0, 4], ['args_get', 8, 100], ['environ_sizes_get', 16, 20], ['environ_get', 24, 120]], { args: ['prog', 'é'], env: ['A=1'], dump: [0, 130] })
  t.same(errnos, [0, 0, 0, 0])
  t.same([0, 4, 16, 20].map((at) => dump.readUInt32LE(at)), [2, 8, 1, 4])
  t.equal(dump.subarray(100, 108).toString(), 'prog\0é\0')
  t.equal(dump.subarray(120, 124).toString(), 'A=1\0')
})

t.test('output stops at its cap with the prefix kept, and the guest cannot go on', async (t) => {
  const run = runHere(callsModule([['fd_write', 1, 0, 1, 8], ['fd_write', 2, 0, 1, 8]], { data: [[0, words(100, 10)], [100, '0123456789']] }), { limits: { stdoutBytes: 4 } })
  t.equal(run.reason, 'output-limit')
  t.equal(run.exitCode, 153)
  t.equal(run.stdout.toString(), '0123')
  t.equal(run.stdoutTruncated, true)
  t.equal(run.stderr.length, 0)
})
