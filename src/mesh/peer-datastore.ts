import { MemoryDatastore } from 'datastore-core'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { InterfaceDatastore } from '../store/datastore.ts'

type Key = Parameters<MemoryDatastore['put']>[0]

/** What libp2p learns is written this long after it changed, all at once; losing it costs a few dials after a crash. */
const WRITE_DELAY_MS = 5_000

/**
 * libp2p's own records (peers, DHT) in memory, written behind to disk. libp2p reads and writes a peer's record at every
 * step of every connection; from disk that was a quarter of an idle node's time.
 */
export class PeerDatastore extends MemoryDatastore {
  readonly #disk: InterfaceDatastore
  readonly #components: { clock: Clock, logger: Logger }
  readonly #dirty = new Map<string, Key>()
  #cancel: (() => void) | undefined
  #writing: Promise<void> = Promise.resolve()
  #isFinished = false

  constructor (components: { disk: InterfaceDatastore, clock: Clock, logger: Logger }) {
    super()
    this.#disk = components.disk
    this.#components = components
  }

  /** Reads what an earlier run wrote. */
  async load (): Promise<void> {
    for await (const { key, value } of this.#disk.query({ prefix: '/peers/' })) await super.put(key as unknown as Key, value)
  }

  override put (key: Key, value: Uint8Array): ReturnType<MemoryDatastore['put']> {
    this.#mark(key)
    return super.put(key, value)
  }

  override delete (key: Key): void {
    this.#mark(key)
    void super.delete(key)
  }

  /** Writes what waits for the last time; what libp2p's left-over timers say afterwards stays in memory. */
  async finish (): Promise<void> {
    await this.flush()
    this.#isFinished = true
    this.#cancel?.()
  }

  /** Writes what waits and resolves when it is on disk. */
  async flush (): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    const keys = [...this.#dirty.values()].filter((key) => key.toString().startsWith('/peers/'))
    this.#dirty.clear()
    this.#writing = this.#writing.then(async () => {
      const batch = this.#disk.batch()
      for (const key of keys) {
        if (await this.has(key)) batch.put(key as never, await this.get(key))
        else batch.delete(key as never)
      }
      await batch.commit()
    })
    await this.#writing
  }

  #mark (key: Key): void {
    if (this.#isFinished) return
    this.#dirty.set(key.toString(), key)
    this.#cancel ??= this.#components.clock.after(WRITE_DELAY_MS, () => {
      this.flush().catch((error: unknown) => { this.#components.logger.warn('mesh.peers-not-written', { error: errorMessage(error) }) })
    })
  }
}
