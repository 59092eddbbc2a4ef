import type { Chain } from '../chain/chain.ts'
import type { Datastore } from '../store/datastore.ts'
import type { Hash } from '../wire/shapes.ts'

/** Disputes in which the chain gave this mediator a seat, on disk: an event is read once, a party may ask after a restart. */
export interface Seats {
  has: (dealId: Hash) => Promise<boolean>
  add: (dealId: Hash, blockTime: number) => Promise<void>
  /** Forgets those whose dispute is over by any rule. */
  sweep: () => Promise<void>
}

const PREFIX = 'mediator/seat/'

export function createSeats (components: { chain: Pick<Chain, 'deployment' | 'blockTime'>, datastore: Pick<Datastore, 'get' | 'put' | 'delete' | 'entries'> }): Seats {
  const { chain, datastore } = components
  return {
    has: async (dealId) => await datastore.get(PREFIX + dealId) !== undefined,
    add: async (dealId, blockTime) => { await datastore.put(PREFIX + dealId, new TextEncoder().encode(String(blockTime)), { sync: true }) },
    sweep: async () => {
      // A seat's step is at most half of the unbonding time, its appeal and the judge have as much.
      const before = await chain.blockTime() - 2 * chain.deployment.parameters.unbondSeconds
      for await (const [key, value] of datastore.entries(PREFIX)) if (Number(new TextDecoder().decode(value)) < before) await datastore.delete(key)
    }
  }
}
