/** One line of a log: JSON lines on stderr, so that stdout stays the command's own. */
export interface Logger {
  debug: (event: string, fields?: Record<string, unknown>) => void
  info: (event: string, fields?: Record<string, unknown>) => void
  warn: (event: string, fields?: Record<string, unknown>) => void
  error: (event: string, fields?: Record<string, unknown>) => void
  /** A logger whose lines carry `scope`. */
  child: (scope: string) => Logger
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'
const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']

/** Writes each line at or above `level` through `write` (one JSON document, newline included). */
export function createLogger (options: { level: LogLevel, write: (line: string) => void, now: () => number, scope?: string }): Logger {
  const emit = (level: LogLevel, event: string, fields: Record<string, unknown> = {}): void => {
    if (ORDER.indexOf(level) < ORDER.indexOf(options.level)) return
    options.write(JSON.stringify({ time: new Date(options.now()).toISOString(), level, scope: options.scope, event, ...fields }, printable) + '\n')
  }
  return {
    debug: (event, fields) => { emit('debug', event, fields) },
    info: (event, fields) => { emit('info', event, fields) },
    warn: (event, fields) => { emit('warn', event, fields) },
    error: (event, fields) => { emit('error', event, fields) },
    child: (scope) => createLogger({ ...options, scope: options.scope === undefined ? scope : `${options.scope}.${scope}` })
  }
}

/** A logger that drops everything. */
export const silentLogger: Logger = createLogger({ level: 'silent', write: () => undefined, now: () => 0 })

function printable (_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return { name: value.name, message: value.message, code: 'code' in value ? value.code : undefined }
  return value
}
