import { zeroHash } from 'viem'
import type { Chain } from '../chain/chain.ts'
import { DealError } from '../deal/errors.ts'
import { linesOf } from '../deal/lines.ts'
import type { Hash } from '../wire/shapes.ts'
import type { Line } from '../wire/statement.ts'
import { cidDigest } from './run-job.ts'

/**
 * The lines of a deal, as each party finds them on its own chain (protocol/batches.md, Lines). `version`: of the module, as the creator names it,
 * zero for none; `manifest`: the CID in the job. Rejects with DealError DEAL_WRONG_VERSION, or ChainError.
 */
export async function findLines ({ chain }: { chain: Pick<Chain, 'moduleVersion'> }, { version, manifest, price, poolBp }: { version: Hash, manifest: string, price: number, poolBp: number | undefined }): Promise<Line[]> {
  if (version === zeroHash) return linesOf(price, [], poolBp)
  const published = await chain.moduleVersion(version)
  if (published?.manifest !== cidDigest(manifest)) throw new DealError('DEAL_WRONG_VERSION', 'the version is not published, or is not of the job\'s module', { data: { version, manifest } })
  return linesOf(price, published.shares, poolBp)
}
