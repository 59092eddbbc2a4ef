import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createManualClock, createSystemClock } from '../../../src/core/clock.ts'
import { noSignal, startExecutor, toRequest } from '../compliance.ts'
import { hello, memoryHog } from '../fixtures/programs.ts'
import { create, plain } from '../fixtures/subject.ts'

const fixtures = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures')
const isLinux = process.platform === 'linux'

/** Fields of /proc/PID/status in kB, or undefined for a process that is gone. */
function statusOf (pid: number): { ppid: number, state: string, peakKb: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8')
    const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(text)?.[1] ?? ''
    return { ppid: Number(field('PPid')), state: field('State'), peakKb: Number(field('VmHWM')) }
  } catch {
    return undefined
  }
}

function childrenOf (pid: number): number[] {
  return readdirSync('/proc').map(Number).filter((other) => other > 0 && statusOf(other)?.ppid === pid)
}

t.test('the process of a job that holds all its memory stays within it', { skip: isLinux ? false : 'reads /proc' }, async (t) => {
  const executor = await startExecutor(t, plain)
  const controller = new AbortController()
  let pids: number[] = []
  let peaksKb: number[] = []
  const full = Promise.withResolvers<void>()
  const run = executor.run(toRequest(memoryHog, { limits: { memoryMiB: 256 } }), { signal: controller.signal, onLog: () => {
    pids = childrenOf(process.pid)
    peaksKb = pids.map((pid) => statusOf(pid)?.peakKb ?? 0)
    full.resolve()
  } })
  await full.promise
  controller.abort()
  await t.rejects(run, { code: 'EXEC_ABORTED' })
  const peakMiB = Math.max(...peaksKb) / 1024
  t.ok(peakMiB > 240 && peakMiB < 256 + 150, `peak ${Math.round(peakMiB)} MiB for 256 MiB of guest`)
  const hog = pids[peaksKb.indexOf(Math.max(...peaksKb))] ?? 0
  while (statusOf(hog) !== undefined) await createSystemClock().wait(5)
  t.pass('the aborted job\'s process is gone')
})

t.test('stop leaves no process and no zombie', { skip: isLinux ? false : 'reads /proc' }, async (t) => {
  const executor = await startExecutor(t, create({ isolation: 'process', warm: 3 }))
  await Promise.all([1, 2, 3, 4].map(async () => await executor.run(toRequest(hello), { signal: noSignal })))
  t.ok(childrenOf(process.pid).length > 0)
  await executor.stop()
  t.same(childrenOf(process.pid), [])
  t.equal(executor.processCount(), 0)
})

t.test('a waiting child that was killed from outside is replaced', { skip: isLinux ? false : 'reads /proc' }, async (t) => {
  const executor = await startExecutor(t, plain)
  t.ok(executor.processCount() > 0)
  for (const pid of childrenOf(process.pid)) process.kill(pid, 'SIGKILL')
  while (executor.processCount() > 0) await createSystemClock().wait(5)
  t.match(await executor.run(toRequest(hello), { signal: noSignal }), { reason: 'exited' })
})

t.test('children end by themselves when the node is killed, also in the middle of a job', { skip: isLinux ? false : 'reads /proc' }, async (t) => {
  const parent = spawn(process.execPath, [join(fixtures, 'doomed-parent.ts')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const line = await once(parent.stdout, 'data')
  t.match(String(line[0]), /running/)
  const pids = childrenOf(parent.pid ?? 0)
  t.ok(pids.length >= 2, 'one runs and one waits')
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  // Their ends are told to nobody: look until they are gone, or the test times out.
  const clock = createSystemClock()
  while (pids.some((pid) => !['', 'Z'].includes(statusOf(pid)?.state ?? ''))) await clock.wait(20)
  t.pass('all are gone')
})

t.test('a child that is never ready and one that cannot start are coded errors', async (t) => {
  const clock = createManualClock()
  const mute = create({ isolation: 'process', spawnTimeoutMs: 1000, entry: join(fixtures, 'mute-child.ts') })({ clock })
  const started = mute.start()
  // One timeout for each way to start a child.
  const waiting = setInterval(() => { clock.advance(1000) }, 20)
  t.teardown(() => { clearInterval(waiting) })
  await t.rejects(started, { code: 'EXEC_SPAWN_FAILED' })
  await t.rejects(create({ isolation: 'process', entry: join(fixtures, 'crashing-child.ts') })({ clock: createSystemClock() }).start(), { code: 'EXEC_SPAWN_FAILED' })
})
