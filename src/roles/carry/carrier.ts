import { bytesToHex } from 'viem'
import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { CodedError } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import { NODE_SESSION } from '../../deal/batched.ts'
import type { Mesh } from '../../mesh/mesh.ts'
import type { Datastore } from '../../store/datastore.ts'
import { CARRY_PROTOCOL, carryRequestShape, MAX_CARRY_BYTES } from '../../wire/carry.ts'
import { decodeMessage, encodeMessage } from '../../wire/deal-room.ts'
import type { Address } from '../../wire/shapes.ts'
import { RoleError } from '../errors.ts'
import { createCarryBudget } from './budget.ts'
import { errandOf } from './carriable.ts'

export interface CarrierComponents { mesh: Pick<Mesh, 'requests'>, chain: Pick<Chain, 'account' | 'session' | 'send'>, datastore: Pick<Datastore, 'get' | 'put'>, clock: Clock, logger: Logger }

/** protocol/carry.md, Limits. */
const LEAST_WORTH = 1_000_000_000
const LIMITS = { maxBytes: MAX_CARRY_BYTES, perPeerPerSecond: 2, concurrency: 8, perPeer: 2, timeoutMs: 60_000 }

/** Refusals before anything was signed: the carrier's own poverty, or its chain's. */
const UNSENT = ['CHAIN_NO_GAS_MONEY', 'CHAIN_SEND_REFUSED']

/** Sends and pays for what accounts without ETH signed. */
export function createCarrier ({ mesh, chain, datastore, clock, logger }: CarrierComponents): Startable {
  const budget = createCarryBudget({ clock, datastore })
  const stopping = new AbortController()
  let stopServing = (): void => undefined

  const assertWorth = async (account: Address, deposits: number): Promise<void> => {
    if (deposits >= LEAST_WORTH) return
    const [{ free, locked, bond }, { funds }] = await Promise.all([chain.account(account), chain.session(account, NODE_SESSION)])
    const worth = free + locked + bond + funds + deposits
    if (worth < LEAST_WORTH) throw new RoleError('CARRY_POOR', `${account} has ${worth} nLILY in the Vault; calls are carried from ${LEAST_WORTH} on`, { data: { account, worth, least: LEAST_WORTH }, hint: 'Deposit more, or send the call yourself.' })
  }

  return {
    start: async () => {
      await budget.load()
      stopServing = mesh.requests.serve(CARRY_PROTOCOL, LIMITS, async (payload, { peer }) => {
        const { contract, data } = decodeMessage(carryRequestShape, payload, 'carry request')
        const call = { contract, functionName: 'carried', data: bytesToHex(data) }
        const { account, deposits } = errandOf(contract, call.data)
        const errand = budget.take(account, peer)
        try {
          await assertWorth(account, deposits)
          const { hash, gas } = await chain.send(call, { name: 'carry', signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(LIMITS.timeoutMs)]) })
          budget.succeeded(errand)
          logger.info('carried', { account, hash, gas })
          return encodeMessage({ hash })
        } catch (error) {
          if (isInVain(error)) budget.giveBack(errand, { isPeersFault: true })
          else if (error instanceof CodedError && UNSENT.includes(error.code)) budget.giveBack(errand, { isPeersFault: false })
          throw error
        } finally {
          await budget.save()
        }
      })
    },
    stop: async () => {
      stopServing()
      stopping.abort(new Error('the node is stopping'))
      await Promise.resolve()
    }
  }
}

/** Refused for its account or by the simulation, so that it cost no gas. One that reverted in a block has a hash. */
function isInVain (error: unknown): boolean {
  return error instanceof CodedError && (error.code === 'CARRY_POOR' || (error.code === 'CHAIN_REVERTED' && error.data['hash'] === undefined))
}
