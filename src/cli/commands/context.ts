import type { Address } from '../../wire/shapes.ts'
import type { Output } from '../output.ts'
import { CliError } from '../errors.ts'

/** What a command gets: its arguments and flags, where to write, when to stop, the data folder. */
export interface CommandContext {
  args: string[]
  flags: Readonly<Record<string, unknown>>
  output: Output
  signal: AbortSignal
  root: string
}

/** Runs a command; resolves to its exit code. */
export type CommandRun = (context: CommandContext) => Promise<number>

/** A row of the command table. `load` imports the command's code when it is used. */
export interface CommandDefinition {
  usage: string
  summary: string
  example: string
  hidden?: boolean
  options?: ReadonlyArray<readonly [flags: string, description: string, parse?: (value: string, previous: unknown) => unknown]>
  load: () => Promise<CommandRun>
}

/** A string flag, if given. */
export function textFlag (context: Pick<CommandContext, 'flags'>, name: string): string | undefined {
  const value = context.flags[name]
  return typeof value === 'string' ? value : undefined
}

/** Of a node on several networks, the one that a command means. */
export const ON = ['--on <network>', 'of a node on several networks, the one meant (default its first)'] as const

/** A whole number flag. Throws CliError USAGE_NUMBER. */
export function numberFlag (context: CommandContext, name: string, range: { min: number, max: number, fallback: number }): number {
  const text = textFlag(context, name)
  if (text === undefined) return range.fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < range.min || value > range.max) {
    throw new CliError('USAGE_NUMBER', `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${text} is not a whole number from ${range.min} to ${range.max}`, { data: { flag: name, value: text }, hint: 'Write it in decimal digits within that range.' })
  }
  return value
}

/** A repeatable flag's values. */
export function listFlag (context: CommandContext, name: string): string[] {
  const value = context.flags[name]
  return Array.isArray(value) ? value.map(String) : []
}

/** For commander: gathers a repeated flag. */
export function collect (value: string, previous: unknown): string[] {
  return [...(Array.isArray(previous) ? previous as string[] : []), value]
}

/** An account address, in lower case. Throws CliError USAGE_ADDRESS. */
export function parseAddress (text: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new CliError('USAGE_ADDRESS', `"${text}" is no account address`, { data: { address: text }, hint: 'An account is 0x and 40 hex digits, as "lilynode balance" shows it.' })
  return text.toLowerCase() as Address
}
