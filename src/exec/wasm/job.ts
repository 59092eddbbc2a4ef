/** What travels to the child as JSON; module and inputs follow as bytes in this order. Made by the parent, so the child trusts it. */
export interface JobHeader {
  readonly args: readonly string[]
  /** `NAME=value` lines, sorted by name. */
  readonly env: readonly string[]
  readonly limits: { readonly wallMs: number, readonly memoryMiB: number, readonly stdoutBytes: number, readonly stderrBytes: number, readonly outputBytes: number, readonly outputFiles: number }
  /** Hex. */
  readonly seed: string
  readonly clockMs: number
  readonly moduleBytes: number
  readonly inputs: ReadonlyArray<{ readonly path: string, readonly bytes: number }>
}

/** How the guest ended, as the child says; the parent believes it within bounds. */
export interface RunReport {
  readonly reason: 'exited' | 'trapped' | 'memory' | 'output-limit' | 'invalid-module'
  readonly exitCode: number
  readonly message: string
  readonly memoryMiB: number
  readonly stdoutTruncated: boolean
  readonly stderrTruncated: boolean
}

/** Exit codes of runs that did not exit by themselves, in the manner of a shell: 128 + signal, 126 for what cannot run, 124 as timeout(1). */
export const EXIT_CODE = { trapped: 134, memory: 137, timeout: 124, 'invalid-module': 126 } as const
