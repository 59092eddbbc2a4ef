import { readFileSync } from 'node:fs'
import t from 'tap'
import { runHere } from './fixtures/in-process.ts'

const load = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../../modules/${name}/${name}.wasm`, import.meta.url)))
const COW = `        \\   ^__^
         \\  (oo)\\_______
            (__)\\       )\\/\\
                ||----w |
                ||     ||
`
const say = (...args: string[]): string => {
  const run = runHere(load('cowsay'), { args: ['cowsay', ...args], limits: { memoryMiB: 64 } })
  t.match(run, { reason: 'exited', exitCode: 0 })
  t.equal(run.stderr.length, 0)
  return run.stdout.toString()
}

t.test('the cow says its arguments, and moo without any', async (t) => {
  t.equal(say('Hello,', 'Lily'), ` _____________\n< Hello, Lily >\n -------------\n${COW}`)
  t.equal(say(), ` _____\n< moo >\n -----\n${COW}`)
  t.equal(say(' '), ` _____\n< moo >\n -----\n${COW}`)
})

t.test('the bubble wraps at 40 columns, keeps line breaks and cuts long words', async (t) => {
  t.equal(say('the quick brown fox jumps over the lazy dog and sleeps\nthen'), ' __________________________________________\n'.replace('__________________________________________', '_'.repeat(41)) +
    `/ the quick brown fox jumps over the lazy \\\n| dog and sleeps                          |\n\\ then                                    /\n ${'-'.repeat(41)}\n${COW}`)
  t.equal(say('x'.repeat(50)), ` ${'_'.repeat(42)}\n/ ${'x'.repeat(40)} \\\n\\ ${'x'.repeat(10).padEnd(40)} /\n ${'-'.repeat(42)}\n${COW}`)
})

t.test('control characters and letters beyond ASCII do not break the bubble', async (t) => {
  t.equal(say('a\u001b[31mb\té🐄'), ` ${'_'.repeat(12)}\n< a [31mb é🐄 >\n ${'-'.repeat(12)}\n${COW}`)
})

t.test('noop does nothing', async (t) => {
  t.match(runHere(load('noop')), { reason: 'exited', exitCode: 0, memoryMiB: 0 })
})
