import { CodedError, errorCode, errorMessage } from '../core/errors.ts'

/** Where a command writes: one JSON document (or lines) with --json, else text for people. Errors go to stderr in both. */
export interface Output {
  readonly json: boolean
  /** The command's answer: the value as JSON, or its text. */
  result: (value: unknown, text: string | (() => string)) => void
  /** One line of a stream. */
  line: (value: unknown, text: string) => void
  /** A program's own streams, byte for byte; not with --json. */
  streams: (stdout: Uint8Array, stderr: Uint8Array) => void
  /** Progress for people; goes to stderr, nothing with --json. */
  progress: (text: string) => void
}

export function createOutput (options: { json: boolean, stdout: (text: string | Uint8Array) => void, stderr: (text: string | Uint8Array) => void }): Output {
  return {
    json: options.json,
    result: (value, text) => { options.stdout(options.json ? `${JSON.stringify(value)}\n` : `${typeof text === 'function' ? text() : text}\n`) },
    line: (value, text) => { options.stdout(options.json ? `${JSON.stringify(value)}\n` : `${text}\n`) },
    streams: (stdout, stderr) => {
      if (options.json) return
      options.stderr(stderr)
      options.stdout(stdout)
    },
    progress: (text) => { if (!options.json) options.stderr(`${text}\n`) }
  }
}

/** "CODE: message" and what to do; as one JSON document with --json. */
export function formatError (error: unknown, json: boolean): string {
  const hint = error instanceof CodedError ? error.hint : ''
  if (json) return `${JSON.stringify({ error: { code: errorCode(error), message: errorMessage(error), hint, data: error instanceof CodedError ? error.data : {} } })}\n`
  const where = errorCode(error) === 'INTERNAL' && error instanceof Error ? `\n${error.stack ?? ''}` : ''
  return `lilynode: ${errorCode(error)}: ${errorMessage(error)}${hint === '' ? '' : `\n  ${hint}`}${where}\n`
}

/** Left-aligned columns. */
export function formatTable (rows: ReadonlyArray<readonly string[]>): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}
