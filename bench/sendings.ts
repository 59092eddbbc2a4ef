import type { Signature } from '../src/wire/shapes.ts'
import { machineMs } from './commands.ts'

/** One record of a node's schedule: when it is due, and how it is known on arrival. */
export interface Sending { readonly atMs: number, readonly key: string, readonly bytes: Uint8Array }
/** When each record was given to its node to send, left it, and was seen at another, by key, on the machine's clock. */
export interface Seen { sent: Map<string, number>, left: Map<string, number>, seen: Map<string, number> }

/** The last bytes of an encoded record are its signature: they name it in a batch, too, without decoding. */
export function recordKey (bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(bytes.byteLength - 16)).toString('hex')
}

/** The same of a decoded record. */
export function signatureKey (signature: Signature): string {
  return signature.slice(-32)
}

/** Sends each record when it is due and notes when it left and when others' came. */
export interface Sendings {
  arrived: (key: string) => void
  /** Gossip has it now. */
  leaves: (key: string) => void
  /** Resolves after the last. */
  run: (sendings: readonly Sending[]) => Promise<void>
  /** What was noted since the last call. */
  take: () => Seen
}

/** @param prepare - makes the bytes ready before they are due, and returns how to send them. */
export function createSendings (prepare: (bytes: Uint8Array) => () => Promise<void>): Sendings {
  let sent = new Map<string, number>()
  let left = new Map<string, number>()
  let seen = new Map<string, number>()
  return {
    arrived: (key) => { if (!sent.has(key)) seen.set(key, machineMs()) },
    leaves: (key) => { left.set(key, machineMs()) },
    run: async (sendings) => {
      await Promise.all(sendings.map(async ({ atMs, key, bytes }) => {
        const send = prepare(bytes)
        await new Promise((resolve) => { setTimeout(resolve, Math.max(0, atMs - machineMs())) })
        sent.set(key, machineMs())
        await send()
      }))
    },
    take: () => {
      const taken = { sent, left, seen }
      sent = new Map()
      left = new Map()
      seen = new Map()
      return taken
    }
  }
}
