import type { Datastore } from '../../src/store/datastore.ts'

/** A datastore in a map that a test can look into, corrupt, and hand to the next "process". `synced` counts durable writes. */
export function createMemoryDatastore (data = new Map<string, Uint8Array>()): Datastore & { data: Map<string, Uint8Array>, synced: number } {
  const store = {
    data,
    synced: 0,
    get interface (): never { throw new Error('not part of the memory datastore') },
    start: async () => undefined,
    stop: async () => undefined,
    get: async (key: string) => data.get(key),
    put: async (key: string, value: Uint8Array, options?: { sync?: boolean }) => {
      data.set(key, Uint8Array.from(value))
      if (options?.sync === true) store.synced++
    },
    delete: async (key: string) => { data.delete(key) },
    batch: async (ops: Parameters<Datastore['batch']>[0], options?: { sync?: boolean }) => {
      for (const op of ops) {
        if ('put' in op) data.set(op.put[0], Uint8Array.from(op.put[1]))
        else data.delete(op.delete)
      }
      if (options?.sync === true) store.synced++
    },
    entries: async function * (prefix: string): AsyncGenerator<[string, Uint8Array]> { for await (const page of store.pages(prefix)) yield * page },
    pages: async function * (prefix: string): AsyncGenerator<Array<[string, Uint8Array]>> {
      yield [...data].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => a < b ? -1 : 1)
    }
  }
  return store
}
