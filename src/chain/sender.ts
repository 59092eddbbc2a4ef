import { hexToNumber, type Hex } from 'viem'
import type { Clock } from '../core/clock.ts'
import { errorCode } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Signer } from '../identity/signer.ts'
import type { Address } from '../wire/shapes.ts'
import { rebroadcast } from './broadcast.ts'
import type { ChainClients } from './clients.ts'
import type { ContractCall, TransactionRequest, TxReceipt } from './contract-call.ts'
import type { Deployment } from './deployment.ts'
import { ChainError } from './errors.ts'
import type { FeeSource } from './fees.ts'
import type { FlightLog } from './flight-log.ts'
import { createFlights, toLogged } from './flights.ts'
import type { Block, Head } from './head.ts'
import type { ChainTuning } from './options.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { isRevert, revertError } from './reverts.ts'
import { abortable, whileUnreachable } from './waiting.ts'

export type { TxReceipt } from './contract-call.ts'

/** The transactions of one key. Nonces are given out one by one; any number may be in flight. */
export interface Sender extends Startable {
  readonly address: Address
  /**
   * Simulates, signs, sends and waits for inclusion. A call that would revert costs nothing; one that needs the effect of a call sent
   * earlier waits for that. A call that an earlier run of the node sent and that is still under way is waited for instead of sent twice.
   * While the chain is away it keeps trying. On abort the transaction may still be included.
   * Rejects with ContractError CHAIN_REVERTED, ChainError CHAIN_NO_GAS_MONEY, CHAIN_SEND_REFUSED, CHAIN_STOPPED, CHAIN_UNREACHABLE
   * (aborted while away), or the signal's reason.
   */
  send: (call: ContractCall, options: SendOptions) => Promise<TxReceipt>
  /** Looks whether the chain still has what landed: blocks were replaced. */
  look: () => void
  status: () => { inFlight: number }
}
export interface SendOptions { name: string, signal: AbortSignal }
export interface SenderComponents { signer: Signer, clients: ChainClients, head: Head, fees: FeeSource, clock: Clock, logger: Logger, log: FlightLog }

/** Gas of one transaction is capped (EIP-7825). */
const MAX_GAS = 16_777_216
/** The state may change between estimate and inclusion: half as much again, and one fresh storage slot. */
const gasLimitFor = (estimate: number): number => Math.min(Math.ceil(estimate * 1.5) + 22_100, MAX_GAS)

/** A chain that stands still must not be bid up without end: 12 raises by an eighth are four times the fees. */
const MAX_RAISES = 12

/** Sends nothing before `start`; the nonce is read from the chain at the first send. */
export function createSender (components: SenderComponents, options: Pick<ChainTuning, 'stuckMs'> & { contracts: Deployment['contracts'] }): Sender {
  const { signer, clients, head, clock, logger, log } = components
  const from = signer.address
  const stopping = new AbortController()
  /** Sends that have not ended, in the order of their calls. */
  const begun = new Set<Promise<unknown>>()
  let looking: Promise<void> | undefined
  let mustLookAgain = false
  let release = (): void => undefined

  const outbox: Outbox = createOutbox({ ...components, highestInFlight: () => flights.highestNonce() })
  const flights = createFlights({
    from, clients, head, clock, logger, sources: options.contracts, log,
    rebroadcast: async (raw) => { await rebroadcast(clients, raw) },
    replace: async (flight) => {
      const isCheap = (await components.fees.current()).maxFeePerGas > flight.fees.maxFeePerGas
      if (!isCheap && flight.hashes.length > MAX_RAISES) { await rebroadcast(clients, flight.raw); return }
      await outbox.replace(flight.nonce, flight.call, flight.gasLimit, flight.fees, async ({ raw, hash, fees }) => {
        Object.assign(flight, { raw, fees, hashes: [...flight.hashes, hash] })
        await log.save(toLogged(flight, false))
      })
    },
    restart: (flight) => {
      outbox.forgetNonce()
      transact(flight.call, { name: flight.name, signal: stopping.signal }, []).then(flight.resolve, flight.reject)
    },
    // A transfer of nothing to ourselves, so that later nonces do not wait for ever.
    fill: async (nonce) => { await outbox.replace(nonce, { to: from, data: '0x' }, 21_000, await components.fees.current()) }
  }, options)

  const look = (): void => {
    if (looking !== undefined) { mustLookAgain = true; return }
    mustLookAgain = false
    looking = flights.look()
      .catch((error: unknown) => { logger.debug('chain.look-failed', { code: errorCode(error) }) })
      .finally(() => { looking = undefined; if (mustLookAgain && !stopping.signal.aborted) look() })
  }
  const simulate = async (call: TransactionRequest, { name, signal }: SendOptions, earlier: ReadonlyArray<Promise<unknown>>): Promise<number> => {
    for (let isLastTry = earlier.length === 0; ; isLastTry = true) {
      try {
        const estimate = async (): Promise<Hex> => await clients.request<Hex>('eth_estimateGas', [{ from, to: call.to, data: call.data }, 'latest'])
        return gasLimitFor(hexToNumber(await whileUnreachable(clock, signal, estimate)))
      } catch (error) {
        if (!isRevert(error)) throw error
        if (isLastTry) throw revertError(name, error.data['rpcData'] as Hex | undefined, {}, error)
        await abortable(Promise.allSettled(earlier), signal)
      }
    }
  }
  const transact = async (call: TransactionRequest, sendOptions: SendOptions, earlier: ReadonlyArray<Promise<unknown>>): Promise<TxReceipt> => {
    const { name, signal } = sendOptions
    const gasLimit = await simulate(call, sendOptions, earlier)
    const { nonce, raw, hash, fees } = await outbox.submit(call, gasLimit, {
      signal,
      record: async ({ nonce, raw, hash, fees }) => { await log.save(toLogged({ name, call, nonce, gasLimit, fees, raw, hashes: [hash] }, false)) },
      forget: log.remove
    })
    const { promise, resolve, reject } = Promise.withResolvers<TxReceipt>()
    flights.add({ name, call, nonce, gasLimit, fees, raw, hashes: [hash], sentAtMs: clock.now(), missingSinceMs: -1, isOrphan: false, outcome: promise, resolve, reject })
    logger.debug('chain.sent', { name, nonce, hash, gasLimit })
    return await abortable(promise, signal)
  }
  return {
    address: from,
    look,
    status: () => ({ inFlight: flights.size }),
    send: async (call, sendOptions) => {
      if (stopping.signal.aborted) throw stopped()
      sendOptions.signal.throwIfAborted()
      const relax = head.hurry()
      const signal = AbortSignal.any([sendOptions.signal, stopping.signal])
      const request = { to: options.contracts[call.contract], data: call.data }
      const resumed = flights.claim(request)
      const sending = resumed === undefined ? transact(request, { name: sendOptions.name, signal }, [...begun]) : abortable(resumed, signal)
      begun.add(sending)
      try {
        return await sending
      } finally {
        begun.delete(sending)
        relax()
      }
    },
    start: async () => {
      await whileUnreachable(clock, stopping.signal, async () => { await flights.resume(await log.load()) })
      let last: Block | undefined
      const unwatch = head.onBlock((block) => {
        // The first block and one that does not follow the last: the chain may have gone back behind what landed.
        const isContinued = last !== undefined && (block.number > last.number + 1 || (block.number === last.number + 1 && block.parentHash === last.hash))
        if (flights.size > 0 || !isContinued) look()
        last = block
      })
      look()
      let cancelTimer = (): void => undefined
      const tick = (): void => {
        if (flights.size > 0 || flights.isShort) look()
        cancelTimer = clock.after(options.stuckMs / 4, tick)
      }
      tick()
      release = () => { unwatch(); cancelTimer() }
    },
    stop: async () => {
      stopping.abort(stopped())
      release()
      flights.abandon(stopped())
      await looking
      await Promise.allSettled(begun)
    }
  }
}

function stopped (): ChainError {
  return new ChainError('CHAIN_STOPPED', 'the node is stopping; a transaction already sent may still be included')
}
