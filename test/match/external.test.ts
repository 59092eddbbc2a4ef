import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createManualClock } from '../../src/core/clock.ts'
import { createLogger, silentLogger } from '../../src/core/logger.ts'
import type { Engine } from '../../src/match/engine.ts'
import { createExternalEngine } from '../../src/match/external/engine.ts'
import { createLines } from '../../src/match/external/lines.ts'
import { solveFloor } from '../../src/match/floor.ts'
import { budgetOf } from './compliance.ts'
import { AT_MS, book, job, offer } from './rows.ts'

const snapshot = book([job(1), job(2)], [offer(1)])
const folder = await mkdtemp(join(tmpdir(), 'lilynode-engine-'))
t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })

/** An engine of a few lines: shell, so that it starts at once. */
async function program (name: string, body: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, `#!/bin/sh\n${body}\n`)
  await chmod(path, 0o755)
  return path
}
const READY = `echo '{"type":"ready","protocol":1,"name":"shell"}'; read line`
const MATCHES = JSON.stringify(solveFloor(snapshot).matches.map(({ job, offer, devices }) => [job, offer, devices]))
const engineOf = (command: string, more: object = {}): Engine => createExternalEngine({ logger: silentLogger }, { command, arguments: [], ...more })

t.test('its answer counts under its own name', async (t) => {
  const solution = await engineOf(await program('good', `${READY}; echo '{"type":"improved","matches":${MATCHES}}'; echo '{"type":"done"}'`)).solve(snapshot, budgetOf())
  t.same(solution, { ...solveFloor(snapshot), engine: 'shell' })
})

t.test('an infeasible answer is dropped and logged, a feasible one beside it counts', async (t) => {
  const lines: string[] = []
  const logger = createLogger({ level: 'warn', write: (line) => { lines.push(line) }, now: () => 0 })
  const twice = JSON.stringify([[job(1).id, offer(1).id, []], [job(1).id, offer(1).id, []]])
  const command = await program('mixed', `${READY}; echo '{"type":"improved","matches":${MATCHES}}'; echo '{"type":"improved","matches":${twice}}'; echo '{"type":"done"}'`)
  const solution = await createExternalEngine({ logger }, { command, arguments: [] }).solve(snapshot, budgetOf())
  t.same(solution.matches, solveFloor(snapshot).matches)
  t.match(lines.join(), /engine-infeasible.*MATCH_JOB_TWICE/)
})

t.test('what breaks the protocol is ended with a code that says how', async (t) => {
  const cases: Array<[name: string, body: string, code: string, more?: object]> = [
    ['noise', 'echo hello', 'ENGINE_PROTOCOL'],
    ['early', 'echo \'{"type":"done"}\'', 'ENGINE_PROTOCOL'],
    ['newer', 'echo \'{"type":"ready","protocol":2,"name":"x"}\'; read line', 'ENGINE_PROTOCOL'],
    ['gone', `${READY}; exit 3`, 'ENGINE_PROTOCOL'],
    ['empty', `${READY}; echo '{"type":"done"}'`, 'ENGINE_NO_ANSWER'],
    ['wrong', `${READY}; echo '{"type":"improved","matches":[["0x12","0x34",[]]]}'`, 'ENGINE_PROTOCOL'],
    ['long', `${READY}; while :; do printf 0123456789; done`, 'ENGINE_LIMIT', { maxLineBytes: 10_000 }],
    ['much', `${READY}; while :; do echo '{"type":"improved","matches":[]}'; done`, 'ENGINE_LIMIT', { maxOutputBytes: 10_000 }]
  ]
  for (const [name, body, code, more] of cases) {
    const answer = engineOf(await program(name, body), more).solve(snapshot, budgetOf())
    if (name === 'much') t.same((await answer).matches, [], 'the empty answer stands')
    else await t.rejects(answer, { code }, name)
  }
  await t.rejects(engineOf(join(folder, 'none')).solve(snapshot, budgetOf()), { code: 'ENGINE_START' })
})

t.test('one that does not end is killed at the deadline, and what it said stands', async (t) => {
  const clock = createManualClock(AT_MS)
  const command = await program('slow', `${READY}; echo '{"type":"improved","matches":${MATCHES}}'; while :; do :; done`)
  const solution = await engineOf(command).solve(snapshot, budgetOf({ clock, deadlineMs: AT_MS + 1000, onImproved: () => { clock.advance(1000) } }))
  t.same(solution.matches, solveFloor(snapshot).matches)
})

t.test('lines come whole, however they are cut', async (t) => {
  const lines = createLines({ maxLineBytes: 10, maxBytes: 100 })
  t.same(['ab', 'c\nd', '\n\ne'].map((chunk) => lines.push(Buffer.from(chunk))), [[], ['abc'], ['d', '']])
  t.equal(lines.push(Buffer.from('0123456789')), undefined)
})
