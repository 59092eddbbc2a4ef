import { Command, CommanderError } from 'commander'
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

// A reader that went away (`lilynode book | head`) wants no more of it.
process.stdout.on('error', () => { process.exit(EXIT.ok) })

const program = new Command('lilynode')
  .description('A compute market without a central server.')
  .option('--json', 'one JSON document on stdout (JSON lines where a command streams)')
  .option('--data <dir>', 'data folder (default: $LILYNODE_DATA, $DATA_DIR or ~/.lilynode)')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => { if (!wantsJson) write(text) } })

for (const definition of COMMANDS) {
  const command = program.command(definition.usage).description(definition.summary).exitOverride().configureOutput({ outputError: (text, write) => { if (!wantsJson) write(text) } })
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
if (process.exitCode !== undefined || stopping.signal.aborted) process.exit(process.exitCode ?? EXIT.interrupted)
process.exit(EXIT.ok)

/** What a pipe has not taken yet would be lost with the process. */
async function flushed (stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => {
    if (stream.destroyed) resolve()
    else stream.write('', () => { resolve() })
  })
}

function report (error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok
    if (wantsJson) process.stderr.write(formatError(new CliError('USAGE_INVALID', error.message.replace(/^error: /, '')), true))
    return EXIT.usage
  }
  if (stopping.signal.aborted) return EXIT.interrupted
  process.stderr.write(formatError(error, wantsJson))
  return exitCodeOf(error)
}
