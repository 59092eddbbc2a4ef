/** A module that this sandbox does not run, with one line for the user. */
export class ModuleFault extends Error {
  readonly reason: 'invalid-module' | 'memory'

  constructor (reason: 'invalid-module' | 'memory', message: string) {
    super(message)
    this.reason = reason
  }
}

/** A fault for `throw invalid('...')`. */
export function invalid (message: string): ModuleFault {
  return new ModuleFault('invalid-module', message)
}
