import t from 'tap'
import { clampModule } from '../../../src/exec/wasm/module/clamp.ts'
import { toLeb } from '../../../src/exec/wasm/module/binary.ts'
import { MAX_TABLE_ENTRIES } from '../../../src/exec/wasm/module/sections.ts'
import { assemble, HEADER, op, section, text, vector } from '../fixtures/assembler.ts'
import { runHere } from '../fixtures/in-process.ts'

const clamp = (bytes: readonly number[] | Uint8Array, maxPages = 64): Uint8Array => clampModule(Uint8Array.from(bytes), { maxPages })
const withImport = (from: string, name: string, type: number[], kind = [0, 0]): number[] => [...HEADER, ...section(1, vector([type])), ...section(2, vector([[...text(from), ...text(name), ...kind]]))]
const PREVIEW1 = 'wasi_snapshot_preview1'

t.test('the memory maximum is at most the job\'s, whatever the module declares', async (t) => {
  const grower = (max?: number): Uint8Array => assemble({ imports: ['proc_exit'], code: [...op.i32(65), ...op.memoryGrow, ...op.i32(-1), ...op.equals, ...op.call(0)], memory: max === undefined ? { min: 1 } : { min: 1, max } })
  t.equal(runHere(grower()).exitCode, 1, 'no maximum: growing past the limit fails')
  t.equal(runHere(grower(60_000)).exitCode, 1, 'a larger maximum')
  t.equal(runHere(grower(), { limits: { memoryMiB: 8 } }).exitCode, 0, 'within the limit it grows')
  t.equal(runHere(grower(2), { limits: { memoryMiB: 8 } }).exitCode, 1, 'a smaller maximum stays')
})

t.test('a module that starts with more memory than the job has is out of memory', async (t) => {
  const run = runHere(assemble({ memory: { min: 65 } }))
  t.equal(run.reason, 'memory')
  t.match(run.message, /starts with 5 MiB .* has 4 MiB/)
})

t.test('tables cannot grow past the cap and may not start above it', async (t) => {
  t.throws(() => clamp(assemble({ table: MAX_TABLE_ENTRIES + 1 })), { reason: 'invalid-module', message: /table/ })
  const clamped = Buffer.from(clamp(assemble({ table: 5 })))
  t.ok(clamped.includes(Buffer.from([0x70, 1, 5, ...toLeb(MAX_TABLE_ENTRIES)])))
})

t.test('what is not a core module is named as what it is', async (t) => {
  t.throws(() => clamp(Buffer.from('#!/bin/sh')), { reason: 'invalid-module', message: 'the file is not a WebAssembly module' })
  t.throws(() => clamp([]), { message: 'the file is not a WebAssembly module' })
  t.throws(() => clamp(Buffer.from('\n (module)')), { message: /text/ })
  t.throws(() => clamp([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), { message: /component/ })
  t.throws(() => clamp([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]), { message: /version/ })
})

t.test('imports other than our functions with their types are refused', async (t) => {
  t.throws(() => clamp(withImport('env', 'system', [0x60, 0, 0])), { message: /env\.system/ })
  t.throws(() => clamp(withImport(PREVIEW1, 'constructor', [0x60, 0, 0])), { message: /constructor/ })
  t.throws(() => clamp(withImport(PREVIEW1, 'fd_close', [0x60, 1, 0x7e, 1, 0x7f])), { message: /another type/ })
  t.throws(() => clamp(withImport('env', 'memory', [0x60, 0, 0], [2, 0, 1])), { message: /imports the memory env\.memory/ })
  t.doesNotThrow(() => clamp(withImport(PREVIEW1, 'fd_close', [0x60, 1, 0x7f, 1, 0x7f])))
})

t.test('shared, 64-bit and several memories, exceptions, collected types and unknown sections are refused', async (t) => {
  for (const limits of [[3, 1, 2], [4, 1], [5, 1, 2], [8, 1]]) t.throws(() => clamp([...HEADER, ...section(5, vector([limits]))]), { message: /shared or 64-bit/ })
  t.throws(() => clamp([...HEADER, ...section(5, vector([[0, 1], [0, 1]]))]), { message: /more than one memory/ })
  t.throws(() => clamp([...HEADER, ...section(13, vector([[0, 0]]))]), { message: /exceptions/ })
  t.throws(() => clamp([...HEADER, ...section(1, vector([[0x5f, 0]]))]), { message: /kind of type/ })
  t.throws(() => clamp([...HEADER, ...section(99, [])]), { message: /unknown kind 99/ })
})

t.test('every cut and every changed byte of a module is refused or runs, and never throws anything else', async (t) => {
  const good = assemble({ imports: ['fd_write', 'proc_exit'], code: [...op.i32(3), ...op.call(1)], memory: { min: 1, max: 2 }, table: 3 })
  for (let at = 0; at < good.length; at++) {
    for (const bytes of [good.subarray(0, at), good.with(at, 0xff), good.with(at, 0x80), good.with(at, 0)]) {
      const run = runHere(bytes)
      t.ok(['exited', 'trapped', 'invalid-module', 'memory'].includes(run.reason))
    }
  }
})

t.test('a library without _start is refused', async (t) => {
  t.match(runHere(assemble({ exportStart: false })).message, /no _start/)
})
