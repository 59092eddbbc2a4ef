import { clampModule } from './module/clamp.ts'
import { ModuleFault } from './module/module-fault.ts'
import { toMebibytes, toPages } from './module/sections.ts'
import { HOST_MODULE } from './module/signatures.ts'
import { EXIT_CODE, type JobHeader, type RunReport } from './job.ts'
import { DescriptorTable } from './wasi/descriptors.ts'
import { GuestMemory } from './wasi/guest-memory.ts'
import { GuestStop } from './wasi/guest-stop.ts'
import { createPreview1 } from './wasi/preview1.ts'
import { createQuota } from './wasi/quota.ts'
import { createSeededBytes } from './wasi/seeded-bytes.ts'
import { collectOutputs, stageTree, type CollectedFile } from './wasi/staging.ts'
import { createStreams, OUTPUT_LIMIT_EXIT_CODE, type StreamName } from './wasi/streams.ts'
import { createTree } from './wasi/tree.ts'
import { createVirtualClock } from './wasi/virtual-clock.ts'

/**
 * A trap with at least this share of the memory limit in use counts as out of memory: a failed memory.grow is no
 * trap itself, guests turn it into one, and they ask for large pieces near the end.
 */
const MEMORY_SHARE = 7 / 8

type Ending = Pick<RunReport, 'reason' | 'exitCode' | 'message'>

/** Runs a module to its end in this thread. `emit` gets what it prints. Does not throw for anything a module can do. */
export function runGuest (job: JobHeader, module: Uint8Array, inputs: ReadonlyMap<string, Uint8Array>, emit: (stream: StreamName, bytes: Uint8Array) => void): { report: RunReport, outputs: readonly CollectedFile[] } {
  const { limits } = job
  const clock = createVirtualClock(job.clockMs)
  const tree = createTree({ quota: createQuota({ bytes: limits.outputBytes, names: limits.outputFiles }), nowNs: clock.peekNs })
  stageTree(tree, inputs)
  const streams = createStreams({ caps: { stdout: limits.stdoutBytes, stderr: limits.stderrBytes }, emit })
  const memory = new GuestMemory()
  const imports = createPreview1({
    memory, tree, clock, streams, args: job.args, env: job.env,
    descriptors: new DescriptorTable({ tree }), fillRandom: createSeededBytes(Buffer.from(job.seed, 'hex'))
  })
  let usedBytes = (): number => 0
  const start = (): Ending => {
    const compiled = new WebAssembly.Module(clampModule(module, { maxPages: toPages(limits.memoryMiB) }))
    requireCommand(compiled)
    const { exports } = new WebAssembly.Instance(compiled, { [HOST_MODULE]: imports })
    if (exports.memory instanceof WebAssembly.Memory) {
      const exported = exports.memory
      usedBytes = () => exported.buffer.byteLength
      memory.attach(exported)
    }
    if (typeof exports._start === 'function') exports._start()
    return { reason: 'exited', exitCode: 0, message: '' }
  }
  let ending: Ending
  try {
    ending = start()
  } catch (error) {
    ending = toEnding(error, usedBytes(), limits.memoryMiB)
  }
  const collected = collectOutputs(tree, { bytes: limits.outputBytes, files: limits.outputFiles })
  if (typeof collected === 'string' && ending.reason === 'exited') ending = { reason: 'output-limit', exitCode: OUTPUT_LIMIT_EXIT_CODE, message: `${collected}; the outputs were dropped` }
  return {
    report: { ...ending, memoryMiB: toMebibytes(usedBytes()), stdoutTruncated: streams.truncated('stdout'), stderrTruncated: streams.truncated('stderr') },
    outputs: typeof collected === 'string' ? [] : collected
  }
}

function requireCommand (module: WebAssembly.Module): void {
  const exported = WebAssembly.Module.exports(module)
  if (!exported.some(({ name, kind }) => name === '_start' && kind === 'function')) {
    throw new ModuleFault('invalid-module', 'the module exports no _start function: it is a library, not a WASI command')
  }
}

function toEnding (error: unknown, usedBytes: number, memoryMiB: number): Ending {
  if (error instanceof GuestStop) return { reason: error.reason, exitCode: error.exitCode, message: error.message }
  if (error instanceof ModuleFault) return { reason: error.reason, exitCode: EXIT_CODE[error.reason], message: error.message }
  if (error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError) {
    return { reason: 'invalid-module', exitCode: EXIT_CODE['invalid-module'], message: `the module is not valid: ${error.message.replace(/^WebAssembly\.\w+\(\): /, '')}` }
  }
  const trap = error instanceof RangeError && error.message.startsWith('Maximum call stack') ? 'the call stack overflowed' : error instanceof Error ? error.message : String(error)
  if (usedBytes >= memoryMiB * 1024 * 1024 * MEMORY_SHARE || trap.includes('could not allocate memory')) {
    return { reason: 'memory', exitCode: EXIT_CODE.memory, message: `the program ran out of memory: ${toMebibytes(usedBytes)} of ${memoryMiB} MiB in use when it stopped (${trap})` }
  }
  return { reason: 'trapped', exitCode: EXIT_CODE.trapped, message: `the program trapped: ${trap}` }
}
