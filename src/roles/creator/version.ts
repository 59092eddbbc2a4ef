import { zeroHash } from 'viem'
import type { BookReplica } from '../../book/replica.ts'
import type { Chain } from '../../chain/chain.ts'
import type { Clock } from '../../core/clock.ts'
import { moduleRecordShape } from '../../wire/module-record.ts'
import { moduleVersionId } from '../../wire/module-version.ts'
import { decodeBody } from '../../wire/record.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import { cidDigest } from '../run-job.ts'

/** A version may be published later than its record: what had none is asked for again after this. */
const KEPT_MS = 60_000
const MAX_KEPT = 256

/**
 * The version on chain that a job's module is, by the records of its manifest: those of publishers that this network trusts, in their order, since
 * anybody may publish somebody else's manifest with a share for itself. Zero where none of them is published.
 */
export function createVersionOf ({ replica, chain, clock }: { replica: Pick<BookReplica, 'book'>, chain: Pick<Chain, 'moduleVersion'>, clock: Clock }, { publishers }: { publishers: readonly Address[] }): (manifest: string) => Promise<Hash> {
  const kept = new Map<string, { atMs: number, version: Promise<Hash> }>()
  const find = async (manifest: string): Promise<Hash> => {
    const records = replica.book.live('module').map(({ record }) => ({ publisher: record.account, ...decodeBody(moduleRecordShape, record) })).filter((record) => record.manifest === manifest)
    for (const id of publishers.flatMap((publisher) => records.filter((record) => record.publisher === publisher).map(moduleVersionId).sort())) if ((await chain.moduleVersion(id))?.manifest === cidDigest(manifest)) return id
    return zeroHash
  }
  return async (manifest) => {
    const known = kept.get(manifest)
    if (known !== undefined && clock.now() < known.atMs + KEPT_MS) return await known.version
    const version = find(manifest)
    kept.delete(manifest)
    for (const oldest of kept.keys()) {
      if (kept.size < MAX_KEPT) break
      kept.delete(oldest)
    }
    kept.set(manifest, { atMs: clock.now(), version })
    version.catch(() => { kept.delete(manifest) })
    return await version
  }
}
