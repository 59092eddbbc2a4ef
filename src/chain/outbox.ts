import { hexToNumber, type Hex } from 'viem'
import type { Clock } from '../core/clock.ts'
import type { Signer } from '../identity/signer.ts'
import { broadcast, rebroadcast } from './broadcast.ts'
import type { ChainClients } from './clients.ts'
import type { TransactionRequest } from './contract-call.ts'
import { ChainError } from './errors.ts'
import { bumpFees, type FeeSource, type Fees } from './fees.ts'
import { signTransaction, type SignedTransaction } from './signing.ts'
import { whileUnreachable } from './waiting.ts'

/** A transaction that the chain's node has accepted. */
export interface Submitted extends SignedTransaction { nonce: number, fees: Fees }

/** Puts a signed transaction on disk; it is broadcast when this has resolved. */
export type Record = (transaction: Submitted) => Promise<void>
/** `forget`: the nonce went to another transaction, or the chain refused this one for good. */
export interface SubmitOptions { signal: AbortSignal, record: Record, forget: (nonce: number) => Promise<void> }

/** Where calls of one key become numbered transactions, one after the other, so that no nonce is left out. */
export interface Outbox {
  /** Signs under the next nonce and hands over; does not wait for a block. Keeps trying while the chain is away. */
  submit: (call: TransactionRequest, gasLimit: number, options: SubmitOptions) => Promise<Submitted>
  /** Sends a call at a nonce already given out, with higher fees. */
  replace: (nonce: number, call: TransactionRequest, gasLimit: number, before: Fees, record?: Record) => Promise<Submitted>
  /** The next nonce is to be read from the chain. */
  forgetNonce: () => void
}

export interface OutboxComponents { signer: Signer, clients: ChainClients, fees: FeeSource, clock: Clock, highestInFlight: () => number | undefined }

/** A foreign program with the same key can take the nonce a few times, not for ever. */
const MAX_NONCE_TRIES = 8

/** Asks the chain for nothing before the first `submit`. */
export function createOutbox (components: OutboxComponents): Outbox {
  const { signer, clients, fees, clock } = components
  let queue: Promise<unknown> = Promise.resolve()
  let nextNonce: number | undefined

  const sign = (call: TransactionRequest, nonce: number, gasLimit: number, paid: Fees): SignedTransaction =>
    signTransaction(signer, { chainId: clients.chainId, nonce, gas: BigInt(gasLimit), to: call.to, data: call.data, ...paid })
  const readNonce = async (): Promise<number> => {
    const pending = hexToNumber(await clients.request<Hex>('eth_getTransactionCount', [signer.address, 'pending']))
    return Math.max(pending, (components.highestInFlight() ?? -1) + 1)
  }
  const submitNow = async (call: TransactionRequest, gasLimit: number, { signal, record, forget }: SubmitOptions): Promise<Submitted> => {
    for (let tries = 0; tries < MAX_NONCE_TRIES; tries++) {
      signal.throwIfAborted()
      const nonce = nextNonce ?? await whileUnreachable(clock, signal, readNonce)
      const paid = await whileUnreachable(clock, signal, fees.current)
      const transaction = sign(call, nonce, gasLimit, paid)
      // Until the node has answered, nobody knows whether the nonce is used: then the chain has to say.
      nextNonce = undefined
      await record({ ...transaction, nonce, fees: paid })
      let attempts = 0
      const result = await whileUnreachable(clock, signal, async () => { attempts++; return await broadcast(clients, transaction) }).catch(async (error: unknown) => {
        if (error instanceof ChainError && error.code !== 'CHAIN_UNREACHABLE') {
          nextNonce = nonce
          await forget(nonce)
        }
        throw error
      })
      // Signatures are deterministic: what is known at the first attempt is the same call of another program with this key, not ours.
      if (result === 'sent' || (result === 'known' && attempts > 1)) {
        nextNonce = nonce + 1
        return { ...transaction, nonce, fees: paid }
      }
      await forget(nonce)
    }
    throw new ChainError('CHAIN_SEND_REFUSED', `the nonce of ${signer.address} was taken ${MAX_NONCE_TRIES} times by other transactions`, { data: { address: signer.address }, hint: 'Do not use this key in another program while the node runs.' })
  }
  return {
    submit: async (call, gasLimit, options) => {
      const result = queue.then(async () => await submitNow(call, gasLimit, options))
      queue = result.catch(() => undefined)
      return await result
    },
    replace: async (nonce, call, gasLimit, before, record) => {
      const paid = bumpFees(before, await fees.current())
      const transaction = sign(call, nonce, gasLimit, paid)
      await record?.({ ...transaction, nonce, fees: paid })
      await rebroadcast(clients, transaction.raw)
      return { ...transaction, nonce, fees: paid }
    },
    forgetNonce: () => { nextNonce = undefined }
  }
}
