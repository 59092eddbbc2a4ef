import { Command, CommanderError } from 'commander'
import { CodedError } from '../core/errors.ts'
import { CliError } from './errors.ts'
import { EXIT, exitCodeOf } from './exit-codes.ts'
import { createOutput, formatError } from './output.ts'
import { COMMANDS } from './commands/index.ts'
import type { CommandContext } from './commands/context.ts'
import { dataRoot } from '../config/paths.ts'

/** The command line: parses, loads the one command that was named, maps errors to exit codes. */
const stopping = new AbortController()
const wantsJson = process.argv.includes('--json')
let interrupts = 0
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The first asks to stop in order; a second one does not wait.
    if (++interrupts > 1) process.exit(EXIT.interrupted)
    stopping.abort(new CliError('CLI_INTERRUPTED', `stopped by ${signal}`))
  })
}

// A reader that went away (`lilynode book | head`) wants no more of it: a command that holds something lets go of it first.
let isUnread = false
let outputError: Error | undefined
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') isUnread = true
    else outputError ??= error
    stopping.abort(new CliError('CLI_INTERRUPTED', 'nobody reads the output any more'))
  })
}

const program = new Command('lilynode')
  .description('A compute market without a central server.')
  .option('--json', 'one JSON document on stdout (JSON lines where a command streams)')
  .option('--data <dir>', 'data folder (default: $LILYNODE_DATA, $DATA_DIR or ~/.lilynode)')
  .exitOverride()
  .configureOutput({ outputError: () => undefined })

for (const definition of COMMANDS) {
  const command = program.command(definition.usage).description(definition.summary).exitOverride().configureOutput({ outputError: () => undefined })
    .option('--json', 'one JSON document on stdout').option('--data <dir>', 'data folder')
    .addHelpText('after', `\nExample:\n  ${definition.example}\n\nExit codes: protocol/cli.md\n`)
  for (const [flags, description, parse] of definition.options ?? []) {
    if (parse === undefined) command.option(flags, description)
    else command.option(flags, description, parse, undefined)
  }
  if (definition.hidden === true) (command as Command & { _hidden: boolean })._hidden = true
  command.action(async (...args: unknown[]) => {
    const own = args[args.length - 1] as Command
    const flags: Record<string, unknown> = { ...program.opts(), ...own.opts() }
    const output = createOutput({ json: flags['json'] === true, stdout: (text) => { process.stdout.write(text) }, stderr: (text) => { process.stderr.write(text) } })
    const context: CommandContext = { args: args.slice(0, -2).flat().filter((arg): arg is string => typeof arg === 'string'), flags, output, signal: stopping.signal, root: dataRoot(typeof flags['data'] === 'string' ? flags['data'] : undefined) }
    const run = await definition.load()
    process.exitCode = await run(context)
  })
}

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = report(error)
}
await Promise.all([flushed(process.stdout), flushed(process.stderr)])
// What a stopped part may still hold (a keep-alive socket, say) must not keep a finished command alive.
process.exit(exitCode())

function exitCode (): number {
  if (outputError !== undefined) return EXIT.conflict
  if (isUnread) return EXIT.ok
  return Number(process.exitCode ?? (stopping.signal.aborted ? EXIT.interrupted : EXIT.ok))
}

/** What a pipe has not taken yet would be lost with the process. */
async function flushed (stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => {
    if (stream.destroyed || stream.errored !== null) resolve()
    else stream.write('', () => { resolve() })
  })
}

function report (error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok
    // Help was asked for, or shown for want of a command.
    if (error.code.startsWith('commander.help')) return EXIT.usage
    const named = COMMANDS.map(({ usage }) => usage.split(' ')[0] ?? '').find((name) => process.argv.includes(name))
    return say(new CliError('USAGE_INVALID', error.message.replace(/^error: /, ''), { hint: `See "lilynode ${named === undefined ? '' : `${named} `}--help".` }))
  }
  if (stopping.signal.aborted) return say(error instanceof CliError && error.code === 'CLI_INTERRUPTED' ? error : stopping.signal.reason)
  return say(withPath(error))
}

function say (error: unknown): number {
  process.stderr.write(formatError(error, wantsJson))
  return exitCodeOf(error)
}

/** A file or folder that cannot be used is the machine's state, not a fault of ours. */
function withPath (error: unknown): unknown {
  if (!(error instanceof Error) || !('path' in error) || !('code' in error) || error instanceof CodedError) return error
  return new CliError('CLI_FILE', `cannot use ${String(error.path)}: ${error.message}`, { data: { path: error.path, code: error.code }, cause: error, hint: 'Check that the path can be written, or name another with --data.' })
}
