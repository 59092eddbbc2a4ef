import type { Datastore } from '../store/datastore.ts'

/** The part of the node's datastore that the chain's side is kept in. */
export type ChainStore = Pick<Datastore, 'get' | 'put' | 'delete' | 'entries'>

/** For a key that has nothing to remember over a restart, such as a faucet's. */
export function createVolatileStore (): ChainStore {
  const entries = new Map<string, Uint8Array>()
  return {
    get: async (key) => await Promise.resolve(entries.get(key)),
    put: async (key, value) => { entries.set(key, value); await Promise.resolve() },
    delete: async (key) => { entries.delete(key); await Promise.resolve() },
    entries: async function * (prefix) {
      for (const [key, value] of [...entries].sort(([a], [b]) => a < b ? -1 : 1)) if (key.startsWith(prefix)) yield await Promise.resolve([key, value] as [string, Uint8Array])
    }
  }
}
