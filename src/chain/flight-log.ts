import { z } from 'zod'
import type { Logger } from '../core/logger.ts'
import { addressShape, hashShape, uintShape, type Address } from '../wire/shapes.ts'
import type { ChainStore } from './chain-store.ts'

const hexShape = z.templateLiteral(['0x', z.string().regex(/^(?:[0-9a-f]{2})*$/)])
const weiShape = z.string().regex(/^\d{1,78}$/).transform(BigInt)
const entryShape = z.strictObject({
  name: z.string(),
  nonce: uintShape,
  to: addressShape,
  data: hexShape,
  gasLimit: uintShape,
  maxFeePerGas: weiShape,
  maxPriorityFeePerGas: weiShape,
  raw: hexShape,
  /** All that were ever sent under this nonce, oldest first; any may be the one included. */
  hashes: z.array(hashShape).min(1),
  /** Seen in a block: kept for a chain that goes back. */
  hasLanded: z.boolean()
})
/** A transaction of this key as it stands on disk. Fees are wei per gas. */
export type LoggedFlight = z.output<typeof entryShape>

/** The transactions of one key on disk: what was given a nonce is known here before any other machine hears of it. */
export interface FlightLog {
  /** What an earlier run left, lowest nonce first. */
  load: () => Promise<LoggedFlight[]>
  /** Resolves when the entry of this nonce is on disk; of one under way, when it would survive a power cut. */
  save: (flight: LoggedFlight) => Promise<void>
  remove: (nonce: number) => Promise<void>
}

/** One entry a nonce, apart for each chain and key. Changes reach the disk in the order of their calls. */
export function createFlightLog (components: { store: ChainStore, logger: Logger }, options: { chainId: number, from: Address }): FlightLog {
  const { store, logger } = components
  const prefix = `chain/flight/${options.chainId}/${options.from}/`
  const keyOf = (nonce: number): string => `${prefix}${String(nonce).padStart(16, '0')}`
  let writing: Promise<void> = Promise.resolve()
  const inOrder = async (write: () => Promise<void>): Promise<void> => {
    const turn = writing.then(write)
    writing = turn.catch(() => undefined)
    await turn
  }
  return {
    load: async () => {
      const flights: LoggedFlight[] = []
      for await (const [key, value] of store.entries(prefix)) {
        const entry = parse(value)
        if (entry === undefined) logger.warn('chain.flight-unreadable', { key })
        else flights.push(entry)
      }
      return flights
    },
    save: async (flight) => {
      const { maxFeePerGas, maxPriorityFeePerGas, ...plain } = flight
      const text = JSON.stringify({ ...plain, maxFeePerGas: String(maxFeePerGas), maxPriorityFeePerGas: String(maxPriorityFeePerGas) })
      await inOrder(async () => { await store.put(keyOf(flight.nonce), new TextEncoder().encode(text), { sync: !flight.hasLanded }) })
    },
    remove: async (nonce) => { await inOrder(async () => { await store.delete(keyOf(nonce)) }) }
  }
}

function parse (value: Uint8Array): LoggedFlight | undefined {
  try {
    return entryShape.parse(JSON.parse(new TextDecoder().decode(value)))
  } catch {
    return undefined
  }
}
