import { registerMediatorCall } from '../chain/account-calls.ts'
import { NODE_SESSION } from '../deal/batched.ts'
import type { NodeParts } from './components.ts'
import { NodeError } from './errors.ts'
import type { NodeOptions } from './options.ts'

/** A fresh account's money may be on its way (a faucet, an exchange); after this the node says what is missing. */
const WAIT_FOR_MONEY_MS = 30_000
const LOOK_EVERY_MS = 100

/** Solvers send what a creator signs (protocol/carry.md); the other roles send on their own account. */
export function isCarried ({ roles }: Pick<NodeOptions, 'roles'>): boolean {
  return roles.every((role) => role === 'creator')
}

/** Brings vault balance, bond and mediator registration up to what the options ask for. Rejects with NodeError NODE_UNFUNDED. */
export async function keepFunded (parts: Pick<NodeParts, 'chain' | 'orders' | 'signer' | 'clock' | 'logger'> & { options: Pick<NodeOptions, 'roles' | 'deposit' | 'stake'> }): Promise<void> {
  const { chain, signer, clock, logger, options } = parts
  const { deposit = 0, stake = 0, roles } = options
  if (deposit === 0 && stake === 0) return
  const [{ free: unbound, bond }, { funds }] = await Promise.all([chain.account(signer.address), chain.session(signer.address, NODE_SESSION)])
  const free = unbound + funds
  const isMediator = (await chain.mediators()).some(({ address }) => address === signer.address)
  // A node that comes back tops up only what fell below half: its money may be locked in deals.
  const toDeposit = free >= deposit / 2 ? 0 : deposit - free
  const toBond = bond >= stake ? 0 : stake - bond
  const need = toDeposit + toBond
  if (need > 0) await untilFunded(need)
  const signal = AbortSignal.timeout(WAIT_FOR_MONEY_MS)
  if (need > 0) await chain.send(await chain.depositCall(need), { name: 'deposit', signal })
  if (toBond > 0) await parts.orders.bond(toBond, { name: 'bond', signal })
  if (roles.includes('mediator') && !isMediator) await chain.send(registerMediatorCall(), { name: 'register-mediator', signal })
  if (need > 0) logger.info('funded', { deposit: toDeposit, bond: toBond })

  async function untilFunded (amount: number): Promise<void> {
    const until = clock.now() + WAIT_FOR_MONEY_MS
    for (;;) {
      const { token, wei } = await chain.balances(signer.address)
      if (token >= amount && (wei > 0n || isCarried(options))) return
      if (clock.now() > until) {
        throw new NodeError('NODE_UNFUNDED', `account ${signer.address} holds ${token} nLILY and ${wei} wei; it needs ${amount} nLILY and some ETH for gas`, { data: { account: signer.address, token, need: amount }, hint: 'Send LILY and ETH to the account, or lower --deposit and --stake.' })
      }
      await clock.wait(LOOK_EVERY_MS)
    }
  }
}
