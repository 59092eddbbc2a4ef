import { hexToNumber, numberToHex, type Hex } from 'viem'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import type { ChainClients } from './clients.ts'
import type { RpcReceipt, TransactionRequest, TxReceipt } from './contract-call.ts'
import type { EventSources } from './decode-events.ts'
import { ChainError } from './errors.ts'
import type { FlightLog, LoggedFlight } from './flight-log.ts'
import type { Fees } from './fees.ts'
import type { Head } from './head.ts'
import { toTxReceipt } from './receipts.ts'
import { isRevert, revertError } from './reverts.ts'

/** A transaction of ours that is not known to be in a block. Replacements share the nonce; any of `hashes` may be the one included. */
export interface Flight {
  readonly name: string
  readonly call: TransactionRequest
  readonly nonce: number
  readonly gasLimit: number
  fees: Fees
  raw: Hex
  /** All that were sent under this nonce, the newest last. */
  hashes: Hash[]
  sentAtMs: number
  /** Since when the nonce is known to be used up without a receipt of ours; -1 while it is not. */
  missingSinceMs: number
  /** Left by an earlier run of the node, and nobody of this one has asked for it yet. */
  isOrphan: boolean
  readonly outcome: Promise<TxReceipt>
  readonly resolve: (receipt: TxReceipt) => void
  readonly reject: (error: unknown) => void
}

/** The transactions under way of one key, and what makes them land. */
export interface Flights {
  readonly size: number
  /** The chain lacks something that was sent: another look is needed. */
  readonly isShort: boolean
  add: (flight: Flight) => void
  /** Goes on with what an earlier run left on disk: those under way are sent again and watched like new ones. */
  resume: (logged: readonly LoggedFlight[]) => Promise<void>
  /** The receipt of an earlier run's transaction with exactly this call, which then belongs to the caller; undefined when there is none. */
  claim: (call: TransactionRequest) => Promise<TxReceipt> | undefined
  /** The highest nonce given out, or undefined when nothing is under way. */
  highestNonce: () => number | undefined
  /** Looks once: settles what was included, re-sends what the chain lost, replaces what is stuck. Rejects with ChainError when the chain is away. */
  look: () => Promise<void>
  /** Rejects all; what is already broadcast may still be included. */
  abandon: (error: unknown) => void
}

export interface FlightsComponents {
  from: Address
  clients: ChainClients
  head: Head
  clock: Clock
  logger: Logger
  sources: EventSources
  log: FlightLog
  /** Sends bytes again; a refusal is the callee's to swallow. */
  rebroadcast: (raw: Hex) => Promise<void>
  /** Signs and sends the same call at the same nonce with higher fees, unless those it has are high enough; changes the flight. */
  replace: (flight: Flight) => Promise<void>
  /** Another transaction took the nonce: the call has to go out under a new one. */
  restart: (flight: Flight) => void
  /** The chain lacks `nonce` and nothing of ours can fill it. */
  fill: (nonce: number) => Promise<void>
}

/** Included transactions whose bytes are kept, to send them again after a re-org or on a chain restored from a snapshot. */
const RECENT = 256

export function createFlights (components: FlightsComponents, options: { stuckMs: number }): Flights {
  const { from, clients, clock, logger, log } = components
  const flights = new Map<number, Flight>()
  const recent = new Map<number, Hex>()
  let gapSinceMs: number | undefined
  let healedAtMs = -Infinity

  const settle = async (flight: Flight): Promise<void> => {
    const receipts = await Promise.all(flight.hashes.map(async (hash) => await clients.request<RpcReceipt | null>('eth_getTransactionReceipt', [hash])))
    const receipt = receipts.find((candidate) => candidate !== null)
    if (receipt === undefined || receipt === null) {
      if (flight.missingSinceMs < 0) flight.missingSinceMs = clock.now()
      // A lagging fallback node may know the nonce before the receipt.
      if (clock.now() - flight.missingSinceMs < options.stuckMs / 4) return
      flights.delete(flight.nonce)
      await log.remove(flight.nonce)
      logger.warn('chain.nonce-taken', { name: flight.name, nonce: flight.nonce })
      // Whoever wanted an orphan has its own journal and asks again.
      if (!flight.isOrphan) components.restart(flight)
      return
    }
    const result = await readReceipt(components, flight, receipt)
    flights.delete(flight.nonce)
    await log.save(toLogged(flight, true))
    recent.set(flight.nonce, flight.raw)
    for (const nonce of recent.keys()) {
      if (recent.size <= RECENT) break
      recent.delete(nonce)
      await log.remove(nonce)
    }
    if (result instanceof ChainError) flight.reject(result)
    else flight.resolve(result)
  }
  /** Nonces that the chain lacks below ours: a restored snapshot or a re-org took included transactions back. */
  const heal = async (count: number, lowest: number): Promise<void> => {
    gapSinceMs ??= clock.now()
    if (clock.now() - healedAtMs < options.stuckMs / 4) return
    healedAtMs = clock.now()
    for (let nonce = count; nonce < lowest; nonce++) {
      const raw = recent.get(nonce)
      if (raw !== undefined) await components.rebroadcast(raw)
      else if (clock.now() - gapSinceMs >= options.stuckMs) await components.fill(nonce)
    }
    for (const flight of flights.values()) await components.rebroadcast(flight.raw)
  }
  const unstick = async (flight: Flight): Promise<void> => {
    logger.warn('chain.transaction-stuck', { name: flight.name, nonce: flight.nonce, hash: flight.hashes.at(-1) })
    await components.replace(flight)
    flight.sentAtMs = clock.now()
    for (const other of flights.values()) if (other !== flight) await components.rebroadcast(other.raw)
  }
  return {
    get size () { return flights.size },
    get isShort () { return gapSinceMs !== undefined },
    add: (flight) => { flights.set(flight.nonce, flight) },
    resume: async (logged) => {
      for (const entry of logged) {
        if (entry.hasLanded) { recent.set(entry.nonce, entry.raw); continue }
        const { name, nonce, to, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas, raw, hashes } = entry
        const outcome = Promise.withResolvers<TxReceipt>()
        outcome.promise.catch((error: unknown) => { logger.warn('chain.resumed-failed', { name, nonce, error }) })
        const fees = { maxFeePerGas, maxPriorityFeePerGas }
        flights.set(nonce, { name, nonce, call: { to, data }, gasLimit, fees, raw, hashes, sentAtMs: clock.now(), missingSinceMs: -1, isOrphan: true, outcome: outcome.promise, resolve: outcome.resolve, reject: outcome.reject })
        logger.info('chain.resumed', { name, nonce })
        await components.rebroadcast(raw)
      }
    },
    claim: (call) => {
      const orphan = [...flights.values()].find((flight) => flight.isOrphan && flight.call.to === call.to && flight.call.data === call.data)
      if (orphan === undefined) return undefined
      orphan.isOrphan = false
      return orphan.outcome
    },
    highestNonce: () => flights.size === 0 ? undefined : Math.max(...flights.keys()),
    look: async () => {
      if (flights.size === 0 && recent.size === 0) return
      const count = hexToNumber(await clients.request<Hex>('eth_getTransactionCount', [from, 'latest']))
      await Promise.all([...flights.values()].filter((flight) => flight.nonce < count).map(settle))
      const lowest = flights.size === 0 ? Math.max(...recent.keys()) + 1 : Math.min(...flights.keys())
      if (count < lowest) { await heal(count, lowest); return }
      gapSinceMs = undefined
      const first = flights.get(lowest)
      if (first !== undefined && first.nonce === count && clock.now() - first.sentAtMs >= options.stuckMs) await unstick(first)
    },
    abandon: (error) => {
      for (const flight of flights.values()) flight.reject(error)
      flights.clear()
    }
  }
}

/** A flight as the log keeps it. */
export function toLogged (flight: Pick<Flight, 'name' | 'call' | 'nonce' | 'gasLimit' | 'fees' | 'raw' | 'hashes'>, hasLanded: boolean): LoggedFlight {
  const { name, call, nonce, gasLimit, fees, raw, hashes } = flight
  return { name, nonce, ...call, gasLimit, ...fees, raw, hashes, hasLanded }
}

async function readReceipt (components: FlightsComponents, flight: Flight, receipt: RpcReceipt): Promise<TxReceipt | ChainError> {
  const { clients, from, sources } = components
  if (receipt.status !== '0x0') return await toTxReceipt(components, { ...receipt, from }, { name: flight.name, sources })
  const gas = hexToNumber(receipt.gasUsed)
  const data = await revertDataOf(clients, from, flight, receipt.blockNumber)
  return revertError(flight.name, data, { hash: receipt.transactionHash, gas, isOutOfGas: gas === flight.gasLimit })
}

/** A receipt does not say why: the call is replayed on the state after its block, which shows the same error nearly always. */
async function revertDataOf (clients: ChainClients, from: Address, flight: Flight, blockNumber: Hex): Promise<Hex | undefined> {
  try {
    await clients.request('eth_call', [{ from, to: flight.call.to, data: flight.call.data, gas: numberToHex(flight.gasLimit) }, blockNumber])
    return undefined
  } catch (error) {
    return isRevert(error) ? error.data['rpcData'] as Hex | undefined : undefined
  }
}
