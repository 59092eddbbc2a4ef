import type { BookReplica } from '../../book/replica.ts'
import type { Entry } from '../../book/book.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Startable } from '../../core/lifecycle.ts'
import type { Logger } from '../../core/logger.ts'
import { decodeManifest, MAX_MANIFEST_BYTES } from '../../registry/manifest.ts'
import type { Blocks } from '../../store/blocks.ts'
import { moduleRecordShape } from '../../wire/module-record.ts'
import { decodeBody } from '../../wire/record.ts'
import type { Address } from '../../wire/shapes.ts'
import { STAGE_LIMITS } from '../run-job.ts'

const FETCH_TIMEOUT_MS = 60_000

/** Fetches and pins the modules of trusted publishers when their records arrive: a job finds its program here, and it outlives its publisher. */
export function createPrefetcher (components: { replica: Pick<BookReplica, 'book'>, blocks: Blocks, logger: Logger }, options: { publishers: readonly Address[] }): Startable {
  const { replica, blocks, logger } = components
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()
  let stop: (() => void) | undefined

  const fetch = async (entry: Entry): Promise<void> => {
    if (!options.publishers.includes(entry.record.account)) return
    const { manifest: cid, name, tag } = decodeBody(moduleRecordShape, entry.record)
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)])
    const manifest = decodeManifest(await blocks.getBytes(cid, { maxBytes: MAX_MANIFEST_BYTES, signal }))
    await blocks.getBytes(manifest.wasm, { maxBytes: STAGE_LIMITS.wasmBytes, signal })
    await Promise.all([blocks.pin(cid, { signal, announce: true }), blocks.pin(manifest.wasm, { signal, announce: true })])
    logger.info('module.ready', { module: `${name}:${tag}` })
  }
  const begin = (entry: Entry): void => {
    const task = fetch(entry)
      .catch((error: unknown) => { if (!stopping.signal.aborted) logger.info('module.prefetch', { id: entry.record.id, error: errorMessage(error) }) })
      .finally(() => { running.delete(task) })
    running.add(task)
  }
  return {
    start: async () => {
      stop = replica.book.onChange(({ type, entry }) => { if (type === 'added' && entry.record.kind === 'module') begin(entry) })
      for (const entry of replica.book.live('module')) begin(entry)
      await Promise.resolve()
    },
    stop: async () => {
      stop?.()
      stopping.abort(new Error('the node is stopping'))
      await Promise.allSettled(running)
    }
  }
}
