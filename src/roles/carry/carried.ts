import { hexToBytes } from 'viem'
import type { Chain, ContractCall, TxReceipt } from '../../chain/chain.ts'
import type { SendOptions } from '../../chain/sender.ts'
import type { Clock } from '../../core/clock.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { Mesh } from '../../mesh/mesh.ts'
import { CARRY_PROTOCOL, carryAnswerShape, carryRequestShape } from '../../wire/carry.ts'
import { decodeMessage, encodeMessage } from '../../wire/deal-room.ts'
import { errandOf } from './carriable.ts'

export interface CarriedComponents {
  chain: Pick<Chain, 'send' | 'receipt' | 'transactionData'>
  mesh: { requests: Pick<Mesh['requests'], 'request'>, roles: Pick<Mesh['roles'], 'find'> }
  clock: Clock, logger: Logger
}

const FIND_MS = 5_000
const ANSWER_MS = 60_000
/** A network that just came up has its solvers within moments. */
const RETRY_MS = 1_000
const MAX_ANSWER_BYTES = 1024

/**
 * `chain.send` for a key that may have no ETH: then solvers send the call (protocol/carry.md), tried until the signal aborts. Rejects as
 * Chain.send, at last with CHAIN_NO_GAS_MONEY, or at once with CARRY_REFUSED for calls that only their sender can make.
 */
export function createCarriedSend ({ chain, mesh, clock, logger }: CarriedComponents): Chain['send'] {
  const ask = async (peer: string, call: ContractCall, { name, signal }: SendOptions): Promise<TxReceipt> => {
    const request = carryRequestShape.parse({ contract: call.contract, data: hexToBytes(call.data) })
    const bytes = await mesh.requests.request(peer, CARRY_PROTOCOL, encodeMessage(request), { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]), maxBytes: MAX_ANSWER_BYTES })
    const { hash } = decodeMessage(carryAnswerShape, bytes, 'carry answer')
    const receipt = await chain.receipt(hash, { name, signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]) })
    if (await chain.transactionData(hash) !== call.data) throw new Error(`${peer} names a transaction that is not what was asked for`)
    return receipt
  }
  return async (call, options) => {
    let poor: unknown
    try {
      return await chain.send(call, options)
    } catch (error) {
      if (errorCode(error) !== 'CHAIN_NO_GAS_MONEY') throw error
      poor = error
    }
    errandOf(call.contract, call.data)
    while (!options.signal.aborted) {
      for (const peer of await mesh.roles.find('solver', { signal: AbortSignal.any([options.signal, AbortSignal.timeout(FIND_MS)]) })) {
        try {
          return await ask(peer, call, options)
        } catch (error) {
          if (errorCode(error) === 'CHAIN_REVERTED') throw error
          logger.debug('carry', { peer, name: options.name, error: errorMessage(error) })
        }
      }
      await clock.wait(RETRY_MS, options.signal).catch(() => undefined)
    }
    throw poor
  }
}
