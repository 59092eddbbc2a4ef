import { authoriseCall, orderCall } from '../chain/batch/calls.ts'
import type { Chain, TxReceipt } from '../chain/chain.ts'
import type { SendOptions } from '../chain/sender.ts'
import { toAccountSignature } from '../chain/signing.ts'
import type { Signer } from '../identity/signer.ts'
import { orderDigest, ORDER_KINDS } from '../wire/order.ts'
import { sessionDigest, type Session } from '../wire/session.ts'
import type { Address } from '../wire/shapes.ts'

/** What a node does with its account's money, always by signature, so that anyone may send it (protocol/batches.md, Sessions; carry.md). */
export interface Orders {
  withdraw: (to: Address, amount: number, options: SendOptions) => Promise<TxReceipt>
  bond: (amount: number, options: SendOptions) => Promise<TxReceipt>
  /** Free money into the funds of a session. */
  fund: (number: number, amount: number, options: SendOptions) => Promise<TxReceipt>
  /** All funds of an ended session into free money. */
  sweep: (number: number, options: SendOptions) => Promise<TxReceipt>
  authorise: (session: Session, options: SendOptions) => Promise<TxReceipt>
}

/** Orders go one after the other: each names the next nonce. Rejects as Chain.send. */
export function createOrders ({ chain, signer }: { chain: Pick<Chain, 'domain' | 'orderNonce' | 'send'>, signer: Signer }): Orders {
  let last: Promise<unknown> = Promise.resolve()
  const account = signer.address
  const give = async (order: { kind: number, to?: Address, number?: number, amount: number }, options: SendOptions): Promise<TxReceipt> => {
    const done = last.then(async () => {
      const full = { to: account, number: 0, ...order, account, nonce: await chain.orderNonce(account) }
      return await chain.send(orderCall(full, toAccountSignature(signer.sign(orderDigest(chain.domain, full)))), options)
    })
    last = done.catch(() => undefined)
    return await done
  }
  return {
    withdraw: async (to, amount, options) => await give({ kind: ORDER_KINDS.withdraw, to, amount }, options),
    bond: async (amount, options) => await give({ kind: ORDER_KINDS.bond, amount }, options),
    fund: async (number, amount, options) => await give({ kind: ORDER_KINDS.fund, number, amount }, options),
    sweep: async (number, options) => await give({ kind: ORDER_KINDS.sweep, number, amount: 0 }, options),
    authorise: async (session, options) => await chain.send(authoriseCall(session, toAccountSignature(signer.sign(sessionDigest(chain.domain, session)))), options)
  }
}
