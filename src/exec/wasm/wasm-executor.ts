import { delimiter, extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import { type Logger } from '../../core/logger.ts'
import { ExecError } from '../errors.ts'
import { type Executor } from '../executor.ts'
import { DEFAULT_WASM_EXECUTOR_LIMITS, type WasmExecutorLimits } from '../options.ts'
import { spawnChild, type SandboxChild } from './child-process.ts'
import { findLaunchers, importsOfNodeOptions, type Isolation, type Launcher } from './launcher.ts'
import { toPages } from './module/sections.ts'
import { createChildPool } from './pool.ts'
import { requestToHeader } from './request.ts'
import { withSecondTry } from './second-try.ts'
import { runSession } from './session.ts'

export interface WasmExecutorOptions extends Partial<WasmExecutorLimits> {
  /** `process` leaves bwrap aside even where it works. */
  readonly isolation?: 'auto' | 'process'
  /** Another program as the child; tests put hostile ones here. */
  readonly entry?: string
}

/** The executor and what surrounds its processes. */
export interface WasmExecutor extends Executor {
  /** What was found at start; `process` before. */
  readonly isolation: () => Isolation
  /** Processes that exist now, waiting ones included. */
  readonly processCount: () => number
}

/** Version of our host functions: it changes whenever a guest could tell. */
const HOST_VERSION = 1

/** Runs core WASM modules under our own WASI preview 1, one process per job. Nothing happens before `start`. */
export function createWasmExecutor (components: { logger: Logger, clock: Clock }, options: WasmExecutorOptions = {}): WasmExecutor {
  const { logger, clock } = components
  const limits: WasmExecutorLimits = { ...DEFAULT_WASM_EXECUTOR_LIMITS, ...options }
  let launcher: Launcher | undefined
  const spawnWith = (chosen: Launcher): SandboxChild => spawnChild({ clock }, { launcher: chosen, spawnTimeoutMs: limits.spawnTimeoutMs })
  const pool = createChildPool({
    logger,
    clock,
    spawn: () => {
      if (launcher === undefined) throw new ExecError('EXEC_STOPPED', 'the executor is not running')
      return spawnWith(launcher)
    }
  }, limits)

  /** Tries the launchers in turn by really starting a child; the one that answers is kept. */
  const find = async (): Promise<{ launcher: Launcher, first: SandboxChild }> => {
    const candidates = findLaunchers({
      // Beside this file, in the same language: the sources run as they are, the build is JavaScript.
      entry: options.entry ?? fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url)),
      imports: importsOfNodeOptions(process.env.NODE_OPTIONS ?? ''),
      searchPath: (process.env.PATH ?? '').split(delimiter),
      maxMemoryPages: toPages(limits.maxMemoryMiB)
    }).filter(({ isolation }) => isolation !== 'bwrap' || options.isolation !== 'process')
    const failures: unknown[] = []
    for (const candidate of candidates) {
      const probe = spawnWith(candidate)
      try {
        await probe.ready
        return { launcher: candidate, first: probe }
      } catch (error) {
        logger.info('exec.launcher-refused', { launcher: candidate.name, error: errorMessage(error), data: error instanceof ExecError ? error.data : undefined })
        failures.push(error)
        probe.kill()
        await probe.exited
      }
    }
    throw new ExecError('EXEC_SPAWN_FAILED', `no process for jobs can be started: ${errorMessage(failures.at(-1))}`, { cause: failures.at(-1), hint: 'Run "lilynode doctor"; Node 22.19 or newer is needed.' })
  }
  return {
    engine: 'wasm',
    fingerprint: `wasm;wasi=preview1/${HOST_VERSION};v8=${process.versions.v8};arch=${process.arch}`,
    isolation: () => launcher?.isolation ?? 'process',
    processCount: pool.size,
    start: async () => {
      const found = await find()
      launcher = found.launcher
      if (launcher.isolation === 'process') logger.warn('exec.no-bwrap', { hint: 'Install bubblewrap for namespaces around jobs.' })
      pool.start(found.first)
    },
    stop: pool.stop,
    check: (request) => { requestToHeader(request, limits) },
    run: async (request, { signal, onLog }) => {
      const header = requestToHeader(request, limits)
      if (signal.aborted) throw new ExecError('EXEC_ABORTED', 'the run was aborted', { cause: signal.reason })
      return await withSecondTry({ clock, logger }, request.limits, async (wallMs) => {
        const child = await pool.take()
        return await runSession({ clock }, child, header, { ...request, limits: { ...request.limits, wallMs } }, { signal, onLog })
      })
    }
  }
}
