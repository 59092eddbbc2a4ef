import { spawn, type ChildProcess } from 'node:child_process'
import { basename } from 'node:path'
import { errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { Budget, Engine } from '../engine.ts'
import { MatchError } from '../errors.ts'
import type { Snapshot, Solution } from '../problem.ts'
import { verifySolution } from '../verify.ts'
import { createLines } from './lines.ts'
import { ENGINE_PROTOCOL, MAX_LINE_BYTES, MAX_OUTPUT_BYTES, parseAnswer, solveLine, toMatches, type EngineAnswer } from './messages.ts'

export interface ExternalOptions {
  /** Path of the executable; it is started without a shell, and with no environment but PATH. */
  readonly command: string
  readonly arguments: readonly string[]
  readonly maxLineBytes?: number
  readonly maxOutputBytes?: number
}

/** Kept back for ending the process and verifying its last answer. */
const RESERVE_MS = 50
/** Of what it writes to its standard error, what is logged. */
const MAX_NOTE = 1000

/**
 * An engine that somebody else wrote: a process for each solve, which speaks protocol/engine.md on its standard input and output, and is killed at the deadline.
 * What it answers is verified; the best feasible answer counts. Throws MatchError ENGINE_START, ENGINE_PROTOCOL or ENGINE_LIMIT when there was none and the
 * process could not be started, broke the protocol or wrote too much, ENGINE_NO_ANSWER when it was only late.
 */
export function createExternalEngine (components: { logger: Logger }, options: ExternalOptions): Engine {
  return {
    name: 'external',
    solve: async (snapshot, budget) => {
      budget.signal.throwIfAborted()
      const child = spawn(options.command, options.arguments, { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: '/usr/local/bin:/usr/bin:/bin' }, shell: false })
      try {
        return await converse(components, options, child, snapshot, budget)
      } finally {
        child.kill('SIGKILL')
        child.stdout?.destroy()
        child.stderr?.destroy()
      }
    }
  }
}

async function converse ({ logger }: { logger: Logger }, options: ExternalOptions, child: ChildProcess, snapshot: Snapshot, budget: Budget): Promise<Solution> {
  const { clock, signal, deadlineMs, onImproved } = budget
  const data = { command: options.command }
  let best: { solution: Solution, score: number } | undefined
  let label = basename(options.command).toLowerCase().replaceAll(/[^a-z0-9-]/g, '-').slice(0, 32)
  let isReady = false
  let note = ''

  return await new Promise((resolve, reject) => {
    const finish = (error: MatchError): void => {
      cancel()
      signal.removeEventListener('abort', onAbort)
      if (note !== '') logger.debug('engine-note', { ...data, note })
      if (best === undefined) reject(error)
      else {
        if (error.code !== 'ENGINE_NO_ANSWER') logger.warn('engine-failed', { ...data, error: error.message })
        resolve(best.solution)
      }
    }
    const onAbort = (): void => { cancel(); reject(signal.reason as Error) }
    signal.addEventListener('abort', onAbort, { once: true })
    const cancel = clock.after(Math.max(0, deadlineMs - RESERVE_MS - clock.now()), () => { finish(new MatchError('ENGINE_NO_ANSWER', `${options.command} has not answered in time`, { data })) })

    const take = (answer: EngineAnswer | undefined): boolean => {
      if (answer?.type === 'ready' && !isReady && answer.protocol === ENGINE_PROTOCOL) {
        isReady = true
        label = answer.name
        child.stdin?.write(solveLine(snapshot, budget, Math.max(0, deadlineMs - RESERVE_MS - clock.now())))
        return true
      }
      if (!isReady || answer === undefined || answer.type === 'ready') {
        finish(new MatchError('ENGINE_PROTOCOL', `${options.command} broke the protocol: ${answer === undefined ? 'a line is no answer' : 'an answer at the wrong time or of another version'} (protocol/engine.md)`, { data }))
        return false
      }
      if (answer.type === 'done') {
        finish(new MatchError('ENGINE_NO_ANSWER', `${options.command} ended without a feasible answer`, { data }))
        return false
      }
      const solution = { epoch: snapshot.epoch, engine: label, matches: toMatches(answer.matches) }
      const { ok, score, code, reason } = verifySolution(snapshot, solution)
      if (!ok) logger.warn('engine-infeasible', { ...data, code, reason })
      else if (best === undefined || score > best.score) {
        best = { solution, score }
        onImproved?.(solution)
      }
      return true
    }
    const lines = createLines({ maxLineBytes: options.maxLineBytes ?? MAX_LINE_BYTES, maxBytes: options.maxOutputBytes ?? MAX_OUTPUT_BYTES })
    child.stdout?.on('data', (chunk: Buffer) => {
      const complete = lines.push(chunk)
      if (complete === undefined) finish(new MatchError('ENGINE_LIMIT', `${options.command} wrote more than a line or a run may have`, { data }))
      else for (const line of complete) if (!take(parseAnswer(line))) return child.stdout?.removeAllListeners('data')
    })
    child.stderr?.on('data', (chunk: Buffer) => { note = (note + chunk.toString('utf8')).slice(0, MAX_NOTE) })
    // A process that ends early breaks the pipe; its exit says so.
    child.stdin?.on('error', () => undefined)
    child.on('error', (error) => { finish(new MatchError('ENGINE_START', `${options.command} cannot be started: ${errorMessage(error)}; it must be executable`, { data, cause: error })) })
    child.on('close', (code) => { finish(new MatchError('ENGINE_PROTOCOL', `${options.command} ended with ${code ?? 'a signal'} before it was done`, { data })) })
  })
}
