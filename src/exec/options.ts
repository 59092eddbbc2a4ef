/** Bounds of the WASM executor. */
export interface WasmExecutorLimits {
  /** Children kept loaded and waiting: two jobs can begin at once, for 39 MB each (and Node's code, which they share). */
  readonly warm: number
  /** How long after a child was taken its place is filled: longer than a burst of short jobs takes, shorter than the shortest usual epoch (2 s). */
  readonly refillDelayMs: number
  /** From spawn to "ready"; about 0.1 s on an idle machine, so this is a machine in trouble. */
  readonly spawnTimeoutMs: number
  /** Largest module: esbuild's is 20 MB, ruby's 30 MB. */
  readonly maxModuleBytes: number
  /** All inputs of a job together: they are held in memory, here and in the child. */
  readonly maxInputBytes: number
  readonly maxInputFiles: number
  /** Arguments and environment, as ARG_MAX is for a process. */
  readonly maxArgumentBytes: number
  /** Most memory any job may be given; also V8's own clamp. wasm32 ends at 4096. */
  readonly maxMemoryMiB: number
  /** Longest run: a manifest's own maximum, a week. */
  readonly maxWallMs: number
  /** Most a job may be allowed to print to each stream: it is held in memory here. */
  readonly maxStreamBytes: number
  /** Most a job may be allowed to store: held in memory, in the child and here. */
  readonly maxOutputBytes: number
  /** Names cost the child some 500 bytes each. */
  readonly maxOutputFiles: number
}

const MIB = 1024 * 1024

export const DEFAULT_WASM_EXECUTOR_LIMITS: WasmExecutorLimits = {
  warm: 2,
  refillDelayMs: 1500,
  spawnTimeoutMs: 15_000,
  maxModuleBytes: 64 * MIB,
  maxInputBytes: 512 * MIB,
  maxInputFiles: 20_000,
  maxArgumentBytes: MIB,
  maxMemoryMiB: 4096,
  maxWallMs: 604_800_000,
  maxStreamBytes: 64 * MIB,
  maxOutputBytes: 1024 * MIB,
  maxOutputFiles: 100_000
}
