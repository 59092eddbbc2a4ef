import type { ChainEvent } from '../decode-events.ts'
import type { Books } from './books.ts'

/** What an account does with its own money, and slashes of its bond. */
export function postVault ({ rules, holdings, post }: Books, event: ChainEvent & { contract: 'vault' }): void {
  switch (event.name) {
    case 'Deposited': post(event, event.args.by === rules.rewards ? 'reward' : 'deposit', { free: event.args.amount }); break
    case 'Withdrawn': post(event, 'withdrawal', { free: -event.args.amount }); break
    case 'Bonded': post(event, 'bond', { free: -event.args.amount, bond: event.args.amount }); break
    case 'UnbondStarted': post(event, 'unbond', { bond: -event.args.amount, unbonding: event.args.amount }); break
    case 'Unbonded': post(event, 'unbonded', { unbonding: -event.args.amount, free: event.args.amount }); break
    case 'SessionFunded': post(event, 'session', { free: -event.args.amount, session: event.args.amount, number: event.args.number }); break
    case 'SessionSwept': post(event, 'session', { free: event.args.amount, session: -event.args.amount, number: event.args.number }); break
    case 'BondSlashed': {
      if (event.args.account !== rules.account) break
      const ofBond = Math.min(event.args.amount, holdings.bond)
      post(event, 'slash', { bond: -ofBond, unbonding: ofBond - event.args.amount })
      break
    }
    default:
  }
}
