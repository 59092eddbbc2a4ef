import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { type Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import { ExecError } from '../errors.ts'
import { createFrameDecoder, FRAME, type Frame } from './frames.ts'
import { type Launcher } from './launcher.ts'

/** Kept of what a child says on its own stderr: V8's last words. */
const MAX_STDERR_BYTES = 8192

export interface ChildExit { readonly code: number | null, readonly signal: NodeJS.Signals | null, readonly stderr: string, readonly killedByUs: boolean }

/** What a session hears of its child. */
export interface ChildListener {
  /** One call per frame; it may throw to refuse it. */
  frame: (frame: Frame) => void
  /** After each received piece, when its frames were told. */
  pause: () => void
  /** A stream that is not ours any more, or what `frame` threw; the child was killed. */
  fault: (error: unknown) => void
  exit: (exit: ChildExit) => void
}

/** One process for one job. */
export interface SandboxChild {
  readonly pid: number | undefined
  /** Resolves when its code is loaded; rejects with EXEC_SPAWN_FAILED. */
  readonly ready: Promise<void>
  /** Resolves when the process is gone and reaped; never rejects. */
  readonly exited: Promise<ChildExit>
  readonly isGone: () => boolean
  /** Takes the child into use: from now on it keeps the node's process alive. */
  attach: (listener: ChildListener) => void
  write: (bytes: Uint8Array) => void
  /** SIGKILL; no word with the child. */
  kill: () => void
}

/** Starts a child with an empty environment and three pipes. Until attached it does not keep this process alive. */
export function spawnChild (components: { clock: Clock }, options: { launcher: Launcher, spawnTimeoutMs: number }): SandboxChild {
  const { launcher } = options
  const child = spawn(launcher.command, launcher.args, { env: {}, stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' })
  const hold = (wanted: boolean): void => {
    for (const handle of [child, ...child.stdio]) if (handle === child || handle instanceof Socket) handle[wanted ? 'ref' : 'unref']()
  }
  const decoder = createFrameDecoder()
  let listener: ChildListener | undefined
  let gone = false
  let killedByUs = false
  let stderr = ''
  let spawnError: unknown
  const ready = Promise.withResolvers<void>()
  const exited = Promise.withResolvers<ChildExit>()
  const kill = (): void => {
    killedByUs ||= !gone
    // Whoever kills waits for the end.
    hold(true)
    child.kill('SIGKILL')
  }
  const failed = (message: string, cause?: unknown): ExecError => new ExecError('EXEC_SPAWN_FAILED', message, { data: { launcher: launcher.name, stderr: stderr.slice(-500) }, cause })

  const cancelTimeout = components.clock.after(options.spawnTimeoutMs, () => {
    ready.reject(failed(`the job's process was not ready within ${options.spawnTimeoutMs} ms`))
    kill()
  })
  const tell = (frame: Frame): void => {
    if (listener !== undefined) listener.frame(frame)
    else if (frame.kind === FRAME.ready && frame.payload.length === 0) {
      cancelTimeout()
      ready.resolve()
      // A late word of a child that was killed meanwhile must not let this process end before it is reaped.
      if (!killedByUs) hold(false)
    } else throw new ExecError('EXEC_BAD_FRAME', `the job's process sent a frame of kind ${frame.kind} before it had a job`)
  }
  child.stdout.on('data', (chunk: Buffer) => {
    if (gone) return
    try {
      for (const frame of decoder.push(chunk)) tell(frame)
      listener?.pause()
    } catch (error) {
      gone = true
      ready.reject(failed('the job\'s process did not follow the protocol', error))
      listener?.fault(error)
      kill()
    }
  })
  child.stderr.on('data', (chunk: Buffer) => { stderr = (stderr + chunk.toString('latin1')).slice(-MAX_STDERR_BYTES) })
  // A child that died while it was written to is told of by its exit.
  child.stdin.on('error', (error) => { spawnError ??= error })
  child.on('error', (error) => { spawnError = error })
  child.on('close', (code, signal) => {
    gone = true
    cancelTimeout()
    const exit = { code, signal, stderr, killedByUs }
    ready.reject(failed(spawnError === undefined ? `the job's process ended before it was ready (${signal ?? code})` : errorMessage(spawnError), spawnError))
    listener?.exit(exit)
    exited.resolve(exit)
  })
  // Whoever takes the child awaits `ready`; an idle child that dies is replaced by the pool.
  ready.promise.catch((error: unknown) => { spawnError ??= error })
  return {
    pid: child.pid,
    ready: ready.promise,
    exited: exited.promise,
    isGone: () => gone,
    attach: (next) => {
      listener = next
      hold(true)
    },
    write: (bytes) => { if (!gone) child.stdin.write(bytes) },
    kill
  }
}
