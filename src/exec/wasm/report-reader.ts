import { z } from 'zod'
import { ExecError } from '../errors.ts'
import { type ExecutionLimits } from '../executor.ts'
import { FRAME, type Frame } from './frames.ts'
import { type RunReport } from './job.ts'
import { isFilePath } from './request.ts'
import { MAX_PATH_BYTES } from './wasi/resolve.ts'
import { type StreamName } from './wasi/streams.ts'

/** JSON escapes can make a path six times as long. */
const MAX_JSON_BYTES = MAX_PATH_BYTES * 6 + 4096
/** Of a message shown to users. */
const MAX_MESSAGE_CHARACTERS = 500
const MAX_WASM32_MIB = 4096

const fileShape = z.strictObject({ path: z.string().refine(isFilePath), bytes: z.number().int().min(0) })
const reportShape = z.strictObject({
  reason: z.enum(['exited', 'trapped', 'memory', 'output-limit', 'invalid-module']),
  exitCode: z.number().int().min(0).max(255),
  message: z.string(),
  memoryMiB: z.number().int().min(0).max(MAX_WASM32_MIB),
  stdoutTruncated: z.boolean(),
  stderrTruncated: z.boolean()
})

/** What a child said so far. After the guest ran, the child is the guest's: every frame is held against the job's limits. */
export interface ReportReader {
  /** Throws ExecError EXEC_BAD_FRAME. */
  take: (frame: Frame) => void
  /** Set by the last frame. */
  report: () => RunReport | undefined
  /** What was printed since the last call, for the log; one piece per change of stream. */
  takePrinted: () => Array<{ stream: StreamName, bytes: Uint8Array }>
  stream: (name: StreamName) => Uint8Array
  outputs: () => Map<string, Uint8Array>
}

/** Reads the frames of one run. */
export function createReportReader (limits: ExecutionLimits): ReportReader {
  const printed: Record<StreamName, Uint8Array[]> = { stdout: [], stderr: [] }
  const left: Record<StreamName, number> = { stdout: limits.stdoutBytes, stderr: limits.stderrBytes }
  let fresh: Array<{ stream: StreamName, parts: Uint8Array[] }> = []
  const outputs = new Map<string, Uint8Array>()
  let open: { content: Uint8Array, filled: number } | undefined
  let outputBytes = 0
  let report: RunReport | undefined

  const print = (stream: StreamName, payload: Uint8Array): void => {
    if (payload.length === 0 || payload.length > left[stream]) throw bad(`${payload.length} bytes of ${stream} where ${left[stream]} are left`)
    if (outputs.size > 0) throw bad(`${stream} after the outputs`)
    left[stream] -= payload.length
    const bytes = Uint8Array.from(payload)
    printed[stream].push(bytes)
    const last = fresh.at(-1)
    if (last?.stream === stream) last.parts.push(bytes)
    else fresh.push({ stream, parts: [bytes] })
  }
  const openFile = (payload: Uint8Array): void => {
    const file = parse(fileShape, payload)
    outputBytes += file.bytes
    if (outputs.has(file.path)) throw bad('an output twice')
    if (outputs.size >= limits.outputFiles || outputBytes > limits.outputBytes) throw bad('more outputs than the job may have')
    const content = new Uint8Array(file.bytes)
    outputs.set(file.path, content)
    if (file.bytes > 0) open = { content, filled: 0 }
  }
  const fill = (payload: Uint8Array): void => {
    if (open === undefined || payload.length === 0 || open.filled + payload.length > open.content.length) throw bad('bytes that belong to no output')
    open.content.set(payload, open.filled)
    open.filled += payload.length
    if (open.filled === open.content.length) open = undefined
  }
  return {
    take: ({ kind, payload }) => {
      if (report !== undefined) throw bad('a frame after the last')
      if (kind === FRAME.bytes) { fill(payload); return }
      if (open !== undefined) throw bad('an output that is cut off')
      if (kind === FRAME.stdout) print('stdout', payload)
      else if (kind === FRAME.stderr) print('stderr', payload)
      else if (kind === FRAME.file) openFile(payload)
      else if (kind === FRAME.done) {
        const said = parse(reportShape, payload)
        report = { ...said, message: toLine(said.message) }
      } else throw bad(`a frame of the unknown kind ${kind}`)
    },
    report: () => report,
    takePrinted: () => {
      const pieces = fresh.map(({ stream, parts }) => ({ stream, bytes: Buffer.concat(parts) }))
      fresh = []
      return pieces
    },
    stream: (name) => new Uint8Array(Buffer.concat(printed[name])),
    outputs: () => outputs
  }
}

/** One printable line: names in it may come from the module. */
function toLine (text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?').slice(0, MAX_MESSAGE_CHARACTERS)
}

function parse<Shape extends z.ZodType> (shape: Shape, payload: Uint8Array): z.output<Shape> {
  if (payload.length > MAX_JSON_BYTES) throw bad('a document that is too long')
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch (cause) {
    throw bad('what is no JSON', cause)
  }
  const result = shape.safeParse(value)
  if (!result.success) throw bad('a document of another shape', result.error)
  return result.data
}

function bad (what: string, cause?: unknown): ExecError {
  return new ExecError('EXEC_BAD_FRAME', `the job's process sent ${what}`, { cause })
}
