import { bytesToHex } from 'viem'
import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import { NODE_SESSION } from '../../deal/batched.ts'
import type { Mesh } from '../../mesh/mesh.ts'
import { CARRY_PROTOCOL, carryRequestShape, MAX_CARRY_BYTES } from '../../wire/carry.ts'
import { decodeMessage, encodeMessage } from '../../wire/deal-room.ts'
import type { Address } from '../../wire/shapes.ts'
import { RoleError } from '../errors.ts'
import { errandOf } from './carriable.ts'

export interface CarrierComponents { mesh: Pick<Mesh, 'requests'>, chain: Pick<Chain, 'account' | 'session' | 'send'>, clock: Clock, logger: Logger }

/** protocol/carry.md, Limits. */
const LEAST_WORTH = 1_000_000_000
const HOUR_MS = 3_600_000
const MOST_FOR_ACCOUNT = 12
const MOST_IN_ALL = 240
const LIMITS = { maxBytes: MAX_CARRY_BYTES, perPeerPerSecond: 2, concurrency: 8, perPeer: 2, timeoutMs: 60_000 }

/** Sends and pays for what accounts without ETH signed. */
export function createCarrier ({ mesh, chain, clock, logger }: CarrierComponents): Startable {
  /** Calls of the last hour. A call that fails counts too: its simulation costs requests. */
  let carried: Array<{ account: Address, atMs: number }> = []
  const stopping = new AbortController()
  let stopServing = (): void => undefined

  const assertRoom = (account: Address): void => {
    carried = carried.filter(({ atMs }) => atMs > clock.now() - HOUR_MS)
    const own = carried.filter((one) => one.account === account).length
    if (own < MOST_FOR_ACCOUNT && carried.length < MOST_IN_ALL) return
    throw new RoleError('CARRY_FULL', own < MOST_FOR_ACCOUNT ? 'this node has carried as much as it does in an hour' : `${MOST_FOR_ACCOUNT} calls of ${account} were carried within an hour`, { data: { account, own, all: carried.length }, hint: 'Ask another solver, or wait.' })
  }
  const assertWorth = async (account: Address, deposits: number): Promise<void> => {
    if (deposits >= LEAST_WORTH) return
    const [{ free, locked, bond }, { funds }] = await Promise.all([chain.account(account), chain.session(account, NODE_SESSION)])
    const worth = free + locked + bond + funds + deposits
    if (worth < LEAST_WORTH) throw new RoleError('CARRY_POOR', `${account} has ${worth} nLILY in the Vault; calls are carried from ${LEAST_WORTH} on`, { data: { account, worth, least: LEAST_WORTH }, hint: 'Deposit more, or send the call yourself.' })
  }

  return {
    start: async () => {
      stopServing = mesh.requests.serve(CARRY_PROTOCOL, LIMITS, async (payload) => {
        const { contract, data } = decodeMessage(carryRequestShape, payload, 'carry request')
        const call = { contract, functionName: 'carried', data: bytesToHex(data) }
        const { account, deposits } = errandOf(contract, call.data)
        assertRoom(account)
        carried.push({ account, atMs: clock.now() })
        await assertWorth(account, deposits)
        const { hash, gas } = await chain.send(call, { name: 'carry', signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(LIMITS.timeoutMs)]) })
        logger.info('carried', { account, hash, gas })
        return encodeMessage({ hash })
      })
      await Promise.resolve()
    },
    stop: async () => {
      stopServing()
      stopping.abort(new Error('the node is stopping'))
      await Promise.resolve()
    }
  }
}
