/** A machine: thousandths of a core, MiB, GPUs of one model ('' without). */
export interface Machine { readonly cpuMilli: number, readonly memoryMiB: number, readonly gpus: number, readonly model: string }

/** A task: `gpuMilli` thousandths of each of `gpus` devices, of one of `models` (empty: any). */
export interface Task {
  readonly cpuMilli: number
  readonly memoryMiB: number
  readonly gpus: number
  readonly gpuMilli: number
  readonly models: readonly string[]
  /** When the trace has it come and go, seconds; left out: it does not say. */
  readonly span?: { readonly fromS: number, readonly untilS: number }
}

export interface Rows { readonly name: string, readonly machines: readonly Machine[], readonly tasks: readonly Task[] }
