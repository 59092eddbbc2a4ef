import type { Hex } from 'viem'
import type { Hash } from '../wire/shapes.ts'
import type { ChainClients } from './clients.ts'
import { ChainError } from './errors.ts'
import type { SignedTransaction } from './signing.ts'

/**
 * `known`: the chain has exactly this transaction already, waiting or included.
 * `taken`: the nonce belongs to another transaction; sign again under a new one.
 */
export type BroadcastResult = 'sent' | 'known' | 'taken'

/**
 * Hands a signed transaction to the chain. The wording of refusals differs between node implementations; what matters is told by
 * these words in geth, reth/anvil, Nethermind, Erigon and Besu. Rejects with ChainError CHAIN_NO_GAS_MONEY, CHAIN_SEND_REFUSED or CHAIN_UNREACHABLE.
 */
export async function broadcast (clients: ChainClients, transaction: SignedTransaction): Promise<BroadcastResult> {
  try {
    await clients.request<Hash>('eth_sendRawTransaction', [transaction.raw])
    return 'sent'
  } catch (error) {
    if (!(error instanceof ChainError) || error.code !== 'CHAIN_RPC') throw error
    if (/already (known|imported)|known transaction|AlreadyKnown/i.test(error.message)) return 'known'
    if (/nonce.{0,10}(too low|old)|OldNonce/i.test(error.message)) return await isIncluded(clients, transaction.hash) ? 'known' : 'taken'
    if (/replacement|underpriced/i.test(error.message)) return 'taken'
    if (/insufficient funds/i.test(error.message)) {
      throw new ChainError('CHAIN_NO_GAS_MONEY', `not enough ether for gas: ${error.message}`, { cause: error, hint: 'Send some ether of this chain to the account; "lilynode account" shows it.' })
    }
    throw new ChainError('CHAIN_SEND_REFUSED', `the chain refused the transaction: ${error.message}`, { data: error.data, cause: error })
  }
}

/** Sends bytes again that were accepted before; a refusal only says that the chain has them, or something else in their place. */
export async function rebroadcast (clients: ChainClients, raw: Hex): Promise<void> {
  await clients.request('eth_sendRawTransaction', [raw]).catch((error: unknown) => {
    if (!(error instanceof ChainError) || error.code !== 'CHAIN_RPC') throw error
  })
}

async function isIncluded (clients: ChainClients, hash: Hash): Promise<boolean> {
  return await clients.request<object | null>('eth_getTransactionReceipt', [hash]) !== null
}
