import { type Clock } from '../../core/clock.ts'
import { type Logger } from '../../core/logger.ts'
import { ExecError } from '../errors.ts'
import { type ExecutionLimits, type ExecutionOutcome } from '../executor.ts'
import { EXIT_CODE } from './job.ts'

/**
 * Runs once more when the job's process broke: a fault of the machine seldom comes twice. When it breaks again, or no time is
 * left for a second run as long as the first, the guest has done it and the run is `trapped`, with nothing kept: a guest that
 * finds a way to end its process must not cost its provider the collateral.
 */
export async function withSecondTry (components: { clock: Clock, logger: Logger }, limits: Pick<ExecutionLimits, 'wallMs' | 'memoryMiB'>, run: (wallMs: number) => Promise<ExecutionOutcome>): Promise<ExecutionOutcome> {
  const { clock, logger } = components
  const startedMs = clock.now()
  for (let tries = 1; ; tries++) {
    const spentMs = Math.max(0, Math.round(clock.now() - startedMs))
    try {
      return await run(limits.wallMs - spentMs)
    } catch (error) {
      if (!isGuests(error)) throw error
      const wallMs = Math.max(0, Math.round(clock.now() - startedMs))
      logger.warn('exec.process-broke', { code: error.code, error: error.message, tries, data: error.data })
      if (tries === 2 || wallMs * 2 >= limits.wallMs) return broken(error.message, { wallMs, memoryMiB: limits.memoryMiB })
    }
  }
}

/** False for a process that somebody killed from outside: that is the host's. */
function isGuests (error: unknown): error is ExecError {
  return error instanceof ExecError && (error.code === 'EXEC_BAD_FRAME' || (error.code === 'EXEC_CHILD_CRASHED' && error.data['signal'] !== 'SIGKILL'))
}

function broken (message: string, meter: ExecutionOutcome['meter']): ExecutionOutcome {
  const nothing = new Uint8Array(0)
  return { reason: 'trapped', exitCode: EXIT_CODE.trapped, message, stdout: nothing, stderr: nothing, stdoutTruncated: false, stderrTruncated: false, outputs: new Map(), meter }
}
