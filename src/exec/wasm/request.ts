import { ExecError } from '../errors.ts'
import { type ExecutionRequest, type FileTree } from '../executor.ts'
import { type WasmExecutorLimits } from '../options.ts'
import { type JobHeader } from './job.ts'
import { FORBIDDEN_IN_NAMES, MAX_NAME_BYTES, MAX_PATH_BYTES } from './wasi/resolve.ts'

const SEED_BYTES = 32
/** The guest's clock counts nanoseconds in 63 bits. */
const MAX_CLOCK_MS = 4_000_000_000_000

/** True for a relative POSIX path that both sides can hold: also what a child's own paths must be. */
export function isFilePath (path: string): boolean {
  return path !== '' && Buffer.byteLength(path) <= MAX_PATH_BYTES && path.isWellFormed() &&
    path.split('/').every((name) => name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) <= MAX_NAME_BYTES && !FORBIDDEN_IN_NAMES.test(name))
}

/** Checks a request against what this executor takes and makes the header that travels. Throws ExecError EXEC_BAD_REQUEST. */
export function requestToHeader (request: ExecutionRequest, bounds: WasmExecutorLimits): JobHeader {
  const { limits } = request
  within('module bytes', request.module.length, bounds.maxModuleBytes)
  within('wallMs', limits.wallMs, bounds.maxWallMs, 1)
  within('memoryMiB', limits.memoryMiB, bounds.maxMemoryMiB, 1)
  within('stdoutBytes', limits.stdoutBytes, bounds.maxStreamBytes)
  within('stderrBytes', limits.stderrBytes, bounds.maxStreamBytes)
  within('outputBytes', limits.outputBytes, bounds.maxOutputBytes)
  within('outputFiles', limits.outputFiles, bounds.maxOutputFiles)
  within('clockMs', request.clockMs, MAX_CLOCK_MS)
  within('seed bytes', request.seed.length, SEED_BYTES, SEED_BYTES)
  const env = Object.entries(request.env).map(([name, value]) => {
    if (name === '' || name.includes('=')) throw bad('an environment variable has an empty name or one with "="', { name })
    return `${name}=${value}`
  }).sort()
  const texts = [...request.args, ...env]
  if (texts.some((text) => text.includes('\0'))) throw bad('an argument or environment variable holds a NUL byte', {})
  within('argument and environment bytes', texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0), bounds.maxArgumentBytes)
  checkInputs(request.inputs, bounds)
  return {
    args: request.args,
    env,
    limits,
    seed: Buffer.from(request.seed).toString('hex'),
    clockMs: request.clockMs,
    moduleBytes: request.module.length,
    inputs: [...request.inputs].map(([path, bytes]) => ({ path, bytes: bytes.length }))
  }
}

function checkInputs (inputs: FileTree, bounds: WasmExecutorLimits): void {
  within('input files', inputs.size, bounds.maxInputFiles)
  let bytes = 0
  let pathBytes = 0
  const directories = new Set<string>()
  for (const [path, content] of inputs) {
    if (!isFilePath(path)) throw bad('an input has a path that is not relative and plain', { path: path.slice(0, 200) })
    bytes += content.length
    pathBytes += path.length
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) directories.add(path.slice(0, slash))
  }
  within('input bytes', bytes, bounds.maxInputBytes)
  within('input path bytes', pathBytes, bounds.maxArgumentBytes)
  for (const path of inputs.keys()) if (directories.has(path)) throw bad('an input is both a file and a directory', { path })
}

function within (what: string, value: number, max: number, min = 0): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) throw bad(`${what} is ${value}; ${min} to ${max} is possible here`, { what, value, min, max })
}

function bad (message: string, data: Record<string, unknown>): ExecError {
  return new ExecError('EXEC_BAD_REQUEST', message, { data })
}
