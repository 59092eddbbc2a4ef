/**
 * Entry of a job's process: loads the code, says so, takes one job from standard input, runs it, reports on standard
 * output, exits. It imports nothing from outside this folder, which is all that its read permission covers.
 */
import { writeSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { BYTES_PER_FRAME, createFrameDecoder, FRAME, frameHeader, toFrameParts, type Frame } from './frames.ts'
import { type JobHeader } from './job.ts'
import { toPages } from './module/sections.ts'
import { runGuest } from './run-guest.ts'
import { type CollectedFile } from './wasi/staging.ts'

const REPORT_FD = 1
/** The parent kills at the deadline; a child whose parent is gone ends itself this much later. */
const ORPHAN_MARGIN_MS = 1000
/** Rejected by V8 as a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1

Error.stackTraceLimit = 0

/** Blocking, so that all is out when the process is killed. A parent that is gone ends us with EPIPE. */
function send (kind: number, payload: Uint8Array): void {
  for (let rest: Uint8Array = Buffer.concat([frameHeader(kind, payload.length), payload]); rest.length > 0;) rest = rest.subarray(writeSync(REPORT_FD, rest))
}

function sendJson (kind: number, value: unknown): void {
  send(kind, Buffer.from(JSON.stringify(value)))
}

function sendFile (file: CollectedFile): void {
  const { size } = file.content
  sendJson(FRAME.file, { path: file.path, bytes: size })
  const buffer = new Uint8Array(Math.min(size, BYTES_PER_FRAME))
  for (let offset = 0; offset < size;) {
    const count = file.content.read(offset, buffer)
    send(FRAME.bytes, buffer.subarray(0, count))
    offset += count
  }
}

function runJob (job: JobHeader, blobs: readonly Uint8Array[]): void {
  // A second clamp beside the rewritten module, should our parser and V8's ever disagree.
  setFlagsFromString(`--wasm-max-mem-pages=${toPages(job.limits.memoryMiB)}`)
  const [module = new Uint8Array(0), ...contents] = blobs
  const inputs = new Map(job.inputs.map(({ path }, index) => [path, contents[index] ?? new Uint8Array(0)]))
  const run = (): void => {
    const { report, outputs } = runGuest(job, module, inputs, (stream, bytes) => {
      for (const part of toFrameParts(bytes)) send(FRAME[stream], part)
    })
    for (const file of outputs) sendFile(file)
    sendJson(FRAME.done, report)
  }
  // V8's watchdog runs in its own thread: it ends a loop even when nobody is left to kill us.
  Object.assign(globalThis, { lilynodeRun: run })
  runInThisContext('lilynodeRun()', { timeout: Math.min(job.limits.wallMs + ORPHAN_MARGIN_MS, MAX_TIMER_MS) })
}

/** Fills the module and the inputs as their bytes arrive; true when all are there. */
function createAssembly (job: JobHeader): { blobs: Uint8Array[], add: (payload: Uint8Array) => void, isComplete: () => boolean } {
  const blobs = [job.moduleBytes, ...job.inputs.map(({ bytes }) => bytes)].map((bytes) => new Uint8Array(bytes))
  let index = 0
  let filled = 0
  const skipFull = (): void => {
    while (index < blobs.length && filled === blobs[index]?.length) {
      index++
      filled = 0
    }
  }
  skipFull()
  return {
    blobs,
    add: (payload) => {
      blobs[index]?.set(payload, filled)
      filled += payload.length
      skipFull()
    },
    isComplete: () => index === blobs.length
  }
}

let job: JobHeader | undefined
let assembly: ReturnType<typeof createAssembly> | undefined
const decoder = createFrameDecoder()

function onFrame (frame: Frame): void {
  if (frame.kind === FRAME.job) {
    job = JSON.parse(Buffer.from(frame.payload).toString('utf8')) as JobHeader
    assembly = createAssembly(job)
  } else {
    assembly?.add(frame.payload)
  }
  if (job === undefined || assembly?.isComplete() !== true) return
  runJob(job, assembly.blobs)
  process.exit(0)
}

process.stdin.on('data', (chunk: Buffer) => { for (const frame of decoder.push(chunk)) onFrame(frame) })
// The parent is gone, or does not want us any more.
process.stdin.on('end', () => { process.exit(0) })
send(FRAME.ready, new Uint8Array(0))
