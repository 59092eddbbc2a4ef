import type { Test } from 'tap'
import { createManualClock, createSystemClock, type Clock } from '../../src/core/clock.ts'
import { type ExecutionLimits, type ExecutionRequest, type Executor } from '../../src/exec/executor.ts'

/** Programs for one engine, all with the same behaviour whatever they are made of. */
export interface CompliancePrograms {
  /** Prints "out" and "err". */
  hello: Uint8Array
  exitSeven: Uint8Array
  /** Prints "x", then never ends. */
  endless: Uint8Array
  /** Prints "y" for ever. */
  printer: Uint8Array
  /** Takes memory until there is none. */
  memoryBomb: Uint8Array
  /** Copies /inputs/a.txt, five bytes, to /outputs/dir/b.txt. */
  copier: Uint8Array
  /** Prints random bytes and the time. */
  dice: Uint8Array
  notAModule: Uint8Array
}

export interface ComplianceSubject {
  name: string
  /** A stopped executor on the given clock. */
  create: (components: { clock: Clock }) => Executor
  programs: CompliancePrograms
}

export const LIMITS: ExecutionLimits = { wallMs: 60_000, memoryMiB: 32, stdoutBytes: 1_000_000, stderrBytes: 1_000_000, outputBytes: 1_000_000, outputFiles: 100 }
/** Never aborted. */
export const noSignal = new AbortController().signal

export function toRequest (module: Uint8Array, changes: Omit<Partial<ExecutionRequest>, 'limits'> & { limits?: Partial<ExecutionLimits> } = {}): ExecutionRequest {
  return { module, args: ['guest'], env: {}, inputs: new Map(), seed: new Uint8Array(32), clockMs: 1_700_000_000_000, ...changes, limits: { ...LIMITS, ...changes.limits } }
}

/** A started executor that is stopped with the test. */
export async function startExecutor<Kind extends Executor> (t: Test, create: (components: { clock: Clock }) => Kind, clock: Clock = createSystemClock()): Promise<Kind> {
  const executor = create({ clock })
  t.teardown(async () => { await executor.stop() })
  await executor.start()
  return executor
}

/** What every executor must do (protocol/execution.md). One executor serves all tests: starting one costs most of the time. */
export async function runExecutorCompliance (t: Test, subject: ComplianceSubject): Promise<void> {
  const { programs } = subject
  const clock = createManualClock()
  const executor = await startExecutor(t, subject.create, clock)
  const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
  const textOf = (value: Uint8Array): string => Buffer.from(value).toString()

  t.test(`${subject.name}: results of guests that end by themselves`, async (t) => {
    t.ok(executor.fingerprint.length > 0 && executor.fingerprint.length <= 200)
    const hello = await executor.run(toRequest(programs.hello), { signal: noSignal })
    t.match(hello, { reason: 'exited', exitCode: 0, message: '', stdoutTruncated: false, stderrTruncated: false })
    t.equal(textOf(hello.stdout), 'out')
    t.equal(textOf(hello.stderr), 'err')
    t.ok(hello.meter.wallMs >= 0 && hello.meter.memoryMiB > 0)
    t.match(await executor.run(toRequest(programs.exitSeven), { signal: noSignal }), { reason: 'exited', exitCode: 7 })
    const copied = await executor.run(toRequest(programs.copier, { inputs: new Map([['a.txt', bytes('hello')]]) }), { signal: noSignal })
    t.same([...copied.outputs].map(([path, content]) => [path, textOf(content)]), [['dir/b.txt', 'hello']])
    const refused = await executor.run(toRequest(programs.notAModule), { signal: noSignal })
    t.equal(refused.reason, 'invalid-module')
    t.match(refused.message, /^the file is not .{0,80}$/, 'one clear line')
    const first = await executor.run(toRequest(programs.dice), { signal: noSignal })
    const second = await executor.run(toRequest(programs.dice), { signal: noSignal })
    t.same(first.stdout, second.stdout, 'two runs give the same bytes, randomness and time included')
    t.notSame((await executor.run(toRequest(programs.dice, { seed: new Uint8Array(32).fill(1) }), { signal: noSignal })).stdout, first.stdout)
  })

  t.test(`${subject.name}: an endless loop is stopped at its deadline, keeps what it printed, and does not hold up another job`, async (t) => {
    const printed = Promise.withResolvers<void>()
    const endless = executor.run(toRequest(programs.endless, { limits: { wallMs: 50_000 } }), { signal: noSignal, onLog: () => { printed.resolve() } })
    await printed.promise
    t.match(await executor.run(toRequest(programs.hello), { signal: noSignal }), { reason: 'exited', exitCode: 0 })
    clock.advance(49_999)
    clock.advance(1)
    const outcome = await endless
    t.match(outcome, { reason: 'timeout', exitCode: 124, meter: { wallMs: 50_000, memoryMiB: LIMITS.memoryMiB } })
    t.match(outcome.message, /50000 ms/)
    t.equal(textOf(outcome.stdout), 'x')
    t.equal(outcome.outputs.size, 0)
  })

  t.test(`${subject.name}: a memory bomb is contained`, async (t) => {
    const outcome = await executor.run(toRequest(programs.memoryBomb), { signal: noSignal })
    t.match(outcome, { reason: 'memory', exitCode: 137 })
    t.ok(outcome.meter.memoryMiB <= LIMITS.memoryMiB)
    t.match(await executor.run(toRequest(programs.hello), { signal: noSignal }), { reason: 'exited' })
  })

  t.test(`${subject.name}: a printer of gigabytes is stopped at the cap and the prefix is kept`, async (t) => {
    let logged = 0
    const outcome = await executor.run(toRequest(programs.printer, { limits: { stdoutBytes: 100_001 } }), { signal: noSignal, onLog: (_stream, chunk) => { logged += chunk.length } })
    t.match(outcome, { reason: 'output-limit', exitCode: 153, stdoutTruncated: true, stderrTruncated: false })
    t.equal(outcome.stdout.length, 100_001)
    t.ok(outcome.stdout.every((byte) => byte === 0x79))
    t.equal(logged, 100_001)
  })

  t.test(`${subject.name}: jobs that run at once do not see each other`, async (t) => {
    const runs = await Promise.all(['one11', 'two22', 'three'].map(async (word) => await executor.run(toRequest(programs.copier, { inputs: new Map([['a.txt', bytes(word)]]) }), { signal: noSignal })))
    t.same(runs.map(({ outputs }) => [...outputs].map(([path, content]) => `${path}=${textOf(content)}`)), [['dir/b.txt=one11'], ['dir/b.txt=two22'], ['dir/b.txt=three']])
  })

  t.test(`${subject.name}: a request that cannot be met is refused before anything runs`, async (t) => {
    executor.check(toRequest(programs.hello))
    for (const changes of [{ inputs: new Map([['../x', bytes('')]]) }, { inputs: new Map([['a\nb', bytes('')]]) }, { inputs: new Map([['a', bytes('')], ['a/b', bytes('')]]) }, { seed: new Uint8Array(3) }, { limits: { wallMs: 0 } }, { limits: { memoryMiB: 1e9 } }, { args: ['a\0b'] }, { env: { 'A=B': '' } }, { clockMs: Number.NaN }]) {
      await t.rejects(executor.run(toRequest(programs.hello, changes), { signal: noSignal }), { code: 'EXEC_BAD_REQUEST' })
      t.throws(() => { executor.check(toRequest(programs.hello, changes)) }, { code: 'EXEC_BAD_REQUEST' }, 'and says so when asked before')
    }
  })

  t.test(`${subject.name}: aborting ends the run with EXEC_ABORTED; stopping ends it with EXEC_STOPPED`, async (t) => {
    const begin = async (signal: AbortSignal): Promise<{ run: Promise<unknown> }> => {
      const printed = Promise.withResolvers<void>()
      const run = executor.run(toRequest(programs.endless), { signal, onLog: () => { printed.resolve() } })
      run.catch(printed.reject)
      await printed.promise
      return { run }
    }
    const controller = new AbortController()
    const aborted = await begin(controller.signal)
    controller.abort()
    await t.rejects(aborted.run, { code: 'EXEC_ABORTED' })
    await t.rejects(executor.run(toRequest(programs.hello), { signal: controller.signal }), { code: 'EXEC_ABORTED' })
    const stopped = await begin(noSignal)
    await Promise.all([executor.stop(), t.rejects(stopped.run, { code: 'EXEC_STOPPED' })])
    await t.rejects(executor.run(toRequest(programs.hello), { signal: noSignal }), { code: 'EXEC_STOPPED' })
  })
}
