import { type Startable } from '../core/lifecycle.ts'

/** Files by relative POSIX path: no leading `/`, no empty, `.` or `..` component. */
export type FileTree = ReadonlyMap<string, Uint8Array>

/** What a run may use. Going over one is an outcome, not an error. */
export interface ExecutionLimits {
  readonly wallMs: number
  readonly memoryMiB: number
  readonly stdoutBytes: number
  readonly stderrBytes: number
  /** Bytes of all files that the guest stores, under `/outputs` and elsewhere. */
  readonly outputBytes: number
  /** Files, directories and links that the guest makes. */
  readonly outputFiles: number
}

export interface ExecutionRequest {
  readonly module: Uint8Array
  /** argv, the program's name first. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Read-only under `/inputs`. */
  readonly inputs: FileTree
  readonly limits: ExecutionLimits
  /** 32 bytes: all randomness of the guest. */
  readonly seed: Uint8Array
  /** Unix milliseconds at which the guest's virtual clock starts. */
  readonly clockMs: number
}

export type StopReason = 'exited' | 'trapped' | 'timeout' | 'memory' | 'output-limit' | 'invalid-module'

export interface ExecutionOutcome {
  readonly reason: StopReason
  /** The guest's own code (255 for larger ones) when it exited; else 134 trapped, 124 timeout, 137 memory, 153 output-limit, 126 invalid-module. */
  readonly exitCode: number
  /** One line for the user; empty when the guest exited. */
  readonly message: string
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  readonly stdoutTruncated: boolean
  readonly stderrTruncated: boolean
  /** Regular files under `/outputs`; empty when the process was killed or broke. */
  readonly outputs: FileTree
  /** Wall time of the run, and the guest's peak memory: the whole limit where the guest was killed. */
  readonly meter: { readonly wallMs: number, readonly memoryMiB: number }
}

/** Runs strangers' programs. */
export interface Executor extends Startable {
  readonly engine: string
  /** Engine and versions that outputs may depend on; at most 200 characters. */
  readonly fingerprint: string
  /** Throws ExecError EXEC_BAD_REQUEST for a request that `run` would not take: asked before a provider binds itself to a run. */
  check: (request: ExecutionRequest) => void
  /** Rejects with ExecError only, and only for faults of the host or the caller; all that the guest does is an outcome. A run whose process broke is made once more, and its logs are told again. */
  run: (request: ExecutionRequest, options: { signal: AbortSignal, onLog?: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void }) => Promise<ExecutionOutcome>
}

export { createWasmExecutor } from './wasm/wasm-executor.ts'
export { type WasmExecutor, type WasmExecutorOptions } from './wasm/wasm-executor.ts'
