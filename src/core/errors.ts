/**
 * An error with a stable code, so that callers, scripts and users can rely on it.
 * Every code stands in `protocol/errors.md` with its meaning and what to do.
 */
export class CodedError extends Error {
  readonly code: string
  /** The offending values, printable. */
  readonly data: Readonly<Record<string, unknown>>
  /** What the user can do about it, one sentence; empty when there is nothing to do. */
  readonly hint: string

  constructor (code: string, message: string, options: { data?: Record<string, unknown>, hint?: string, cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.data = options.data ?? {}
    this.hint = options.hint ?? ''
  }
}

/** The code of any thrown value: its own stable code, else `INTERNAL`. */
export function errorCode (error: unknown): string {
  return error instanceof CodedError ? error.code : 'INTERNAL'
}

/** The message of any thrown value. */
export function errorMessage (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
