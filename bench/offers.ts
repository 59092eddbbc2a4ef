import { createHash, hash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

/**
 * Signed records as a real book holds them: job and resource offers of many authors, author n in its slots 0, 1, 2 ..., with seq spread over
 * the half hour before `nowMs`. The same seed and time give the same bytes.
 */
export interface OfferSpec { count: number, authors: number, seed: number, nowMs: number, /** Keys start here, so that another set has other authors. */ firstAuthor?: number, /** Half of the authors trade in GPUs, in the second shard of the default market. */ twoShards?: boolean }

/** Encoded records, one after the other: a 32-bit length, then the bytes. What a worker makes and a file holds. */
export function packRecords (records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(records.reduce((sum, record) => sum + 4 + record.byteLength, 0))
  const view = new DataView(packed.buffer)
  let at = 0
  for (const record of records) {
    view.setUint32(at, record.byteLength)
    packed.set(record, at + 4)
    at += 4 + record.byteLength
  }
  return packed
}

/** The records of `packRecords`, as views. */
export function unpackRecords (packed: Uint8Array): Uint8Array[] {
  const view = new DataView(packed.buffer, packed.byteOffset)
  const records: Uint8Array[] = []
  for (let at = 0; at < packed.byteLength;) {
    const end = at + 4 + view.getUint32(at)
    records.push(packed.subarray(at + 4, end))
    at = end
  }
  return records
}

/** The same for the same records in any order. */
export function digestOf (records: Iterable<Uint8Array>): string {
  return createHash('sha256').update([...records].map((bytes) => hash('sha256', bytes)).sort().join()).digest('hex')
}

/** Signs in as many threads as there are cores. */
export async function signOffers (spec: OfferSpec): Promise<Uint8Array[]> {
  const threads = Math.min(availableParallelism(), Math.ceil(spec.count / 1000))
  const share = Math.ceil(spec.count / threads)
  const parts = await Promise.all(Array.from({ length: threads }, async (_, thread) => {
    const worker = new Worker(new URL('./offers-worker.ts', import.meta.url), { workerData: { ...spec, from: thread * share, to: Math.min(spec.count, (thread + 1) * share) } })
    return await new Promise<Uint8Array>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  }))
  return parts.flatMap(unpackRecords)
}
