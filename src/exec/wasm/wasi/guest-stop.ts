/** Ends the guest from inside a host call: it unwinds through the guest's frames to whoever called `_start`. */
export class GuestStop {
  readonly reason: 'exited' | 'output-limit'
  readonly exitCode: number
  /** For the user; empty when the guest exited by itself. */
  readonly message: string

  constructor (reason: 'exited' | 'output-limit', exitCode: number, message = '') {
    this.reason = reason
    this.exitCode = exitCode
    this.message = message
  }
}
