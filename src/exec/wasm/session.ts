import { type Clock } from '../../core/clock.ts'
import { ExecError } from '../errors.ts'
import { type ExecutionOutcome, type ExecutionRequest } from '../executor.ts'
import { type ChildExit, type SandboxChild } from './child-process.ts'
import { FRAME, FrameFault, frameHeader, toFrameParts } from './frames.ts'
import { EXIT_CODE, type JobHeader } from './job.ts'
import { createReportReader, type ReportReader } from './report-reader.ts'

export interface SessionOptions { readonly signal: AbortSignal, readonly onLog?: ((stream: 'stdout' | 'stderr', chunk: Uint8Array) => void) | undefined }

/**
 * One job on one ready child, which is dead when this settles. The deadline is armed before the first byte of the
 * module leaves, so before anything of the guest can run. Rejects with ExecError, or with what `onLog` threw.
 */
export async function runSession (components: { clock: Clock }, child: SandboxChild, header: JobHeader, request: ExecutionRequest, options: SessionOptions): Promise<ExecutionOutcome> {
  const { clock } = components
  const { limits } = request
  const reader = createReportReader(limits)
  const startedMs = clock.now()
  const { promise, resolve, reject } = Promise.withResolvers<ExecutionOutcome>()
  const outcome = (ending: Ending): ExecutionOutcome => toOutcome(reader, ending, Math.max(0, Math.round(clock.now() - startedMs)))
  const killed = (reason: 'timeout' | 'memory', message: string): ExecutionOutcome =>
    outcome({ reason, exitCode: EXIT_CODE[reason], message, memoryMiB: limits.memoryMiB, stdoutTruncated: false, stderrTruncated: false, killed: true })

  const onAbort = (): void => { reject(new ExecError('EXEC_ABORTED', 'the run was aborted', { cause: options.signal.reason })) }
  const cancelDeadline = clock.after(limits.wallMs, () => { resolve(killed('timeout', `the job was stopped at its time limit of ${limits.wallMs} ms`)) })
  options.signal.addEventListener('abort', onAbort, { once: true })
  if (options.signal.aborted) onAbort()
  let logging = true
  child.attach({
    frame: reader.take,
    pause: () => {
      for (const { stream, bytes } of reader.takePrinted()) if (logging) options.onLog?.(stream, bytes)
      const report = reader.report()
      if (report !== undefined) resolve(outcome({ ...report, killed: false }))
    },
    fault: (error) => { reject(error instanceof FrameFault ? new ExecError('EXEC_BAD_FRAME', `the job's process sent ${error.message}`, { cause: error }) : error) },
    exit: (exit) => {
      if (exit.killedByUs) reject(new ExecError('EXEC_STOPPED', 'the executor was stopped during the run'))
      else if (isOutOfMemory(exit)) resolve(killed('memory', 'the job went over the memory that its process may use for code and tables'))
      else reject(new ExecError('EXEC_CHILD_CRASHED', `the job's process ended without a report (${exit.signal ?? exit.code})`, { data: { ...exit, stderr: exit.stderr.slice(-500) } }))
    }
  })
  sendJob(child, header, request)
  try {
    return await promise
  } finally {
    logging = false
    cancelDeadline()
    options.signal.removeEventListener('abort', onAbort)
    child.kill()
  }
}

interface Ending extends Pick<ExecutionOutcome, 'reason' | 'exitCode' | 'message' | 'stdoutTruncated' | 'stderrTruncated'> { readonly memoryMiB: number, readonly killed: boolean }

/** Outputs of a killed run are dropped: the last one may be half written. */
function toOutcome (reader: ReportReader, ending: Ending, wallMs: number): ExecutionOutcome {
  return {
    reason: ending.reason,
    exitCode: ending.exitCode,
    message: ending.message,
    stdout: reader.stream('stdout'),
    stderr: reader.stream('stderr'),
    stdoutTruncated: ending.stdoutTruncated,
    stderrTruncated: ending.stderrTruncated,
    outputs: ending.killed ? new Map() : reader.outputs(),
    meter: { wallMs, memoryMiB: ending.memoryMiB }
  }
}

/** V8 says so before it aborts: the guest went over one of the bounds of launcher.ts. A SIGKILL from outside is the host's fault, not the job's. */
function isOutOfMemory (exit: ChildExit): boolean {
  return exit.code !== 0 && exit.signal !== 'SIGKILL' && /out of memory|Fatal process OOM/i.test(exit.stderr)
}

function sendJob (child: SandboxChild, header: JobHeader, request: ExecutionRequest): void {
  const json = Buffer.from(JSON.stringify(header))
  child.write(Buffer.concat([frameHeader(FRAME.job, json.length), json]))
  for (const content of [request.module, ...request.inputs.values()]) {
    for (const part of toFrameParts(content)) {
      child.write(frameHeader(FRAME.bytes, part.length))
      child.write(part)
    }
  }
}
