/** The part of @orbitdb/core 4.0.0 that `orbitdb-node.ts` uses; the package has no types of its own. */
declare module '@orbitdb/core' {
  export interface Storage { put: (hash: string, data: unknown) => Promise<void>, get: (hash: string) => Promise<unknown> }
  export interface Store {
    address: string
    put: (key: string, value: unknown) => Promise<string>
    all: () => Promise<Array<{ key: string, value: Uint8Array }>>
    peers: Set<string>
    events: { on: (event: 'update' | 'error', listener: (detail: unknown) => void) => void }
    close: () => Promise<void>
  }
  export interface OrbitDB {
    open: (address: string, options?: { type?: string, AccessController?: unknown, indexStorage?: Storage }) => Promise<Store>
    stop: () => Promise<void>
  }
  export function createOrbitDB (options: { ipfs: unknown, id: string, directory: string }): Promise<OrbitDB>
  export function IPFSAccessController (options: { write: string[] }): unknown
  export function ComposedStorage (first: Storage, second: Storage): Promise<Storage>
  export function LRUStorage (options: { size: number }): Promise<Storage>
  export function LevelStorage (options: { path: string }): Promise<Storage>
}
