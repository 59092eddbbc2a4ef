import t from 'tap'
import { silentLogger as logger } from '../../../src/core/logger.ts'
import { createManualClock } from '../../../src/core/clock.ts'
import { ExecError } from '../../../src/exec/errors.ts'
import { type ExecutionOutcome } from '../../../src/exec/executor.ts'
import { withSecondTry } from '../../../src/exec/wasm/second-try.ts'

const limits = { wallMs: 10_000, memoryMiB: 64 }
const nothing = new Uint8Array(0)
const fine: ExecutionOutcome = { reason: 'exited', exitCode: 0, message: '', stdout: nothing, stderr: nothing, stdoutTruncated: false, stderrTruncated: false, outputs: new Map(), meter: { wallMs: 1, memoryMiB: 1 } }
const crash = (signal: string): ExecError => new ExecError('EXEC_CHILD_CRASHED', `ended (${signal})`, { data: { signal } })

/** Runs with one ending after another, each after `tookMs`; also the time limits that the runs were given. */
async function play (endings: Array<ExecutionOutcome | ExecError>, tookMs: number): Promise<{ outcome: ExecutionOutcome, given: number[] }> {
  const clock = createManualClock(1_000_000)
  const given: number[] = []
  const outcome = await withSecondTry({ clock, logger }, limits, async (wallMs) => {
    given.push(wallMs)
    clock.advance(tookMs)
    const ending = endings[given.length - 1] as ExecutionOutcome | ExecError
    if (ending instanceof ExecError) throw ending
    return await Promise.resolve(ending)
  })
  return { outcome, given }
}

t.test('a process that broke once is given a second run in the time that is left', async (t) => {
  t.match(await play([crash('SIGSEGV'), fine], 4000), { outcome: { reason: 'exited' }, given: [10_000, 6000] })
})

t.test('a process that breaks twice has trapped, and so has one that leaves no time to try again', async (t) => {
  t.match(await play([crash('SIGSEGV'), new ExecError('EXEC_BAD_FRAME', 'sent rubbish')], 1000), { outcome: { reason: 'trapped', exitCode: 134, message: 'sent rubbish', meter: { wallMs: 2000, memoryMiB: 64 } }, given: [10_000, 9000] })
  t.match(await play([crash('SIGABRT')], 5000), { outcome: { reason: 'trapped', exitCode: 134 }, given: [10_000] })
})

t.test('a process that was killed from outside, and a stopped executor, are no fault of the guest', async (t) => {
  await t.rejects(play([crash('SIGKILL')], 10), { code: 'EXEC_CHILD_CRASHED' })
  await t.rejects(play([new ExecError('EXEC_STOPPED', 'stopped')], 10), { code: 'EXEC_STOPPED' })
})
