import { hexToBytes } from 'viem'
import type { Chain, ContractCall, TxReceipt } from '../../chain/chain.ts'
import type { SendOptions } from '../../chain/sender.ts'
import type { Clock } from '../../core/clock.ts'
import { errorCode, errorMessage } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { Mesh } from '../../mesh/mesh.ts'
import { CARRY_PROTOCOL, carryAnswerShape, carryRequestShape } from '../../wire/carry.ts'
import { decodeMessage, encodeMessage } from '../../wire/deal-room.ts'
import { canWait, errandOf } from './carriable.ts'

export interface CarriedComponents {
  chain: Pick<Chain, 'send' | 'receipt' | 'transactionData'>
  mesh: { requests: Pick<Mesh['requests'], 'request'>, roles: Pick<Mesh['roles'], 'find'> }
  clock: Clock, logger: Logger
}

const FIND_MS = 5_000
const ANSWER_MS = 60_000
/** A network that just came up has its solvers within moments. */
const RETRY_MS = 1_000
/** Some blocks of a public chain; half of what a user waits for a withdrawal. */
const PATIENCE_MS = 30_000
/** A network without solvers has none a moment later as well. */
const LONELY_MS = 5_000
const MAX_ANSWER_BYTES = 1024

/**
 * `chain.send` with solvers' help (protocol/carry.md, Who sends). Without ETH they are asked until the signal aborts. `handsOn`: they are asked first for what
 * can wait, and the node sends it itself when all refuse or none has in time. Rejects as Chain.send, at last with CHAIN_NO_GAS_MONEY, or at once
 * with CARRY_REFUSED for calls that only their sender can make.
 */
export function createCarriedSend ({ chain, mesh, clock, logger }: CarriedComponents, { handsOn }: { handsOn: boolean }): Chain['send'] {
  const ask = async (peer: string, call: ContractCall, { name, signal }: SendOptions): Promise<TxReceipt> => {
    const request = carryRequestShape.parse({ contract: call.contract, data: hexToBytes(call.data) })
    const bytes = await mesh.requests.request(peer, CARRY_PROTOCOL, encodeMessage(request), { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]), maxBytes: MAX_ANSWER_BYTES })
    const { hash } = decodeMessage(carryAnswerShape, bytes, 'carry answer')
    const receipt = await chain.receipt(hash, { name, signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]) })
    if (await chain.transactionData(hash) !== call.data) throw new Error(`${peer} names a transaction that is not what was asked for`)
    return receipt
  }
  /** Asks one solver after the other, once each: the receipt, or why nobody sent it. */
  const askEach = async (call: ContractCall, options: SendOptions): Promise<{ receipt?: TxReceipt, problems: unknown[] }> => {
    const problems: unknown[] = []
    for (const peer of await mesh.roles.find('solver', { signal: AbortSignal.any([options.signal, AbortSignal.timeout(FIND_MS)]) })) {
      try {
        return { receipt: await ask(peer, call, options), problems }
      } catch (error) {
        problems.push(error)
        logger.debug('carry', { peer, name: options.name, error: errorMessage(error) })
      }
    }
    return { problems }
  }
  const pause = async (signal: AbortSignal): Promise<void> => { await clock.wait(RETRY_MS, signal).catch(() => undefined) }

  const handOn = async (call: ContractCall, { name, signal }: SendOptions): Promise<TxReceipt | undefined> => {
    const lonelyMs = clock.now() + LONELY_MS
    const late = new AbortController()
    const cancel = clock.after(PATIENCE_MS, () => { late.abort(new Error('no solver carried it in time')) })
    const patience = AbortSignal.any([signal, late.signal])
    try {
      while (!patience.aborted) {
        const { receipt, problems } = await askEach(call, { name, signal: patience })
        if (receipt !== undefined) return receipt
        // What a solver refuses it refuses a second later as well; who is not reached may come.
        if (problems.some((problem) => !errorCode(problem).startsWith('MESH_'))) return undefined
        if (problems.length === 0 && clock.now() >= lonelyMs) return undefined
        await pause(patience)
      }
      return undefined
    } finally {
      cancel()
    }
  }

  return async (call, options) => {
    if (handsOn && canWait(call)) {
      const receipt = await handOn(call, options)
      if (receipt !== undefined) return receipt
    }
    let poor: unknown
    try {
      return await chain.send(call, options)
    } catch (error) {
      if (errorCode(error) !== 'CHAIN_NO_GAS_MONEY') throw error
      poor = error
    }
    errandOf(call.contract, call.data)
    while (!options.signal.aborted) {
      const { receipt, problems } = await askEach(call, options)
      if (receipt !== undefined) return receipt
      const reverted = problems.find((problem) => errorCode(problem) === 'CHAIN_REVERTED')
      if (reverted !== undefined) throw reverted
      await pause(options.signal)
    }
    throw poor
  }
}
