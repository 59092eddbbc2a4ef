import { access, constants, lstat, mkdir, readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { errorMessage } from '../../core/errors.ts'
import { parseLily } from '../amounts.ts'
import { CliError } from '../errors.ts'
import { listFlag, numberFlag, parseAddress, textFlag, type CommandContext } from './context.ts'

/** Files of --input travel inside one request. */
const MAX_INPUT_BYTES = 64 * 2 ** 20

/** What the flags of `run` ask for, as the API takes it. Throws CliError USAGE_*. */
export async function requestOf (context: CommandContext): Promise<Record<string, unknown>> {
  const inputs: Record<string, string> = {}
  for (const pair of listFlag(context, 'inputValue')) {
    const at = pair.indexOf('=')
    if (at < 1) throw new CliError('USAGE_INPUT', `-i ${pair} is not K=V`, { data: { input: pair }, hint: 'Write -i Message=moo.' })
    const name = pair.slice(0, at)
    if (name in inputs) throw new CliError('USAGE_INPUT', `-i ${name} is given twice`, { data: { input: name }, hint: 'Every input has one value.' })
    inputs[name] = pair.slice(at + 1)
  }
  const module = context.args[0] ?? ''
  if (module === '') throw new CliError('USAGE_INVALID', 'no module is named', { hint: 'Write lilynode run cowsay:v0.0.4 -i Message=moo.' })
  const folder = textFlag(context, 'input')
  const maxPrice = textFlag(context, 'maxPrice')
  const verify = textFlag(context, 'verify')
  const optional: Record<string, unknown> = {
    files: folder === undefined ? undefined : await readFolder(folder),
    maxPrice: maxPrice === undefined ? undefined : parseLily(maxPrice),
    verification: verify === undefined ? undefined : parseStrategy(verify),
    runSeconds: optionalNumber(context, 'runSeconds', 604_800), cpuMilli: optionalNumber(context, 'cpu', 1_000_000), memoryMiB: optionalNumber(context, 'memory', 4096), diskMiB: optionalNumber(context, 'disk', 256)
  }
  return {
    module: module.endsWith('.wasm') ? resolve(module) : module,
    inputs,
    args: listFlag(context, 'arg'),
    targets: listFlag(context, 'target').map(parseAddress),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
  }
}

/** The folder for -o: made now, and empty, so that what lies there in the end is the result alone. Throws CliError USAGE_OUTPUT. */
export async function claimFolder (folder: string): Promise<void> {
  const refuse = (message: string, cause?: unknown): CliError => new CliError('USAGE_OUTPUT', `-o ${folder}: ${message}`, { data: { folder }, cause, hint: 'Name a new or an empty folder.' })
  if (folder === '') throw refuse('no folder is named')
  try {
    await mkdir(folder, { recursive: true })
    await access(folder, constants.W_OK)
  } catch (error) {
    throw refuse(`no folder can be made there (${errorMessage(error)})`, error)
  }
  if ((await readdir(folder)).length > 0) throw refuse('the folder is not empty')
}

/** Undefined where the flag is not given. Throws CliError USAGE_NUMBER. */
export function optionalNumber (context: CommandContext, name: string, max: number): number | undefined {
  return textFlag(context, name) === undefined ? undefined : numberFlag(context, name, { min: 1, max, fallback: 1 })
}

/** "none", "receipt" or "audit:P". Throws CliError USAGE_VERIFY. */
export function parseStrategy (text: string): { strategy: string, auditBp: number } {
  if (text === 'none' || text === 'receipt') return { strategy: text, auditBp: 0 }
  const match = /^audit:(0(?:\.\d{1,4})?|1(?:\.0{1,4})?)$/.exec(text)
  if (match === null) throw new CliError('USAGE_VERIFY', `"${text}" is no verification strategy`, { data: { strategy: text }, hint: 'Use none, receipt or audit:P with P from 0 to 1, like audit:0.1.' })
  return { strategy: 'audit', auditBp: Math.round(Number(match[1]) * 10_000) }
}

async function readFolder (folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  let bytes = 0
  const walk = async (path: string, prefix: string): Promise<void> => {
    for (const name of (await readdir(path)).sort()) {
      const full = join(path, name)
      const info = await lstat(full)
      if (info.isDirectory()) {
        await walk(full, `${prefix}${name}/`)
        continue
      }
      // A link would carry whatever it points to, which is rarely what was meant.
      if (!info.isFile()) throw new CliError('USAGE_INPUT', `${full} is not a plain file`, { data: { path: full }, hint: 'Copy the file itself into the input folder.' })
      bytes += info.size
      if (bytes > MAX_INPUT_BYTES) throw new CliError('USAGE_INPUT', `the input folder is larger than ${MAX_INPUT_BYTES} bytes`, { data: { folder }, hint: 'Pass less, or let the program make its data itself.' })
      files[`${prefix}${name}`] = (await readFile(full)).toString('base64')
    }
  }
  try {
    await walk(folder, '')
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError('USAGE_INPUT', `cannot read the input folder ${folder}: ${errorMessage(error)}`, { data: { folder }, cause: error, hint: 'Name a folder that you can read.' })
  }
  return files
}
