import type { Address, Hash } from '../wire/shapes.ts'
import { ABIS } from './abis.ts'
import { toAmount } from './amounts.ts'
import type { ChainClients } from './clients.ts'
import type { Deployment } from './deployment.ts'

/** What the contract Modules keeps of a version: the digest of its manifest, and who has which part of a job's price, in 1/10,000, its own first. */
export interface PublishedVersion { readonly manifest: Hash, readonly shares: ReadonlyArray<{ readonly payee: Address, readonly bp: number }> }

/** A version by its id; undefined where there is none. Rejects with ChainError when the chain is away. */
export type ReadVersion = (id: Hash) => Promise<PublishedVersion | undefined>

export function createVersionRead ({ viem, guard }: Pick<ChainClients, 'viem' | 'guard'>, { contracts }: Pick<Deployment, 'contracts'>): ReadVersion {
  const modules = { address: contracts.modules, abi: ABIS.modules } as const
  return async (id) => {
    const { manifest, publishedAt, lineageBp } = await guard('entry', async () => await viem.readContract({ ...modules, functionName: 'entry', args: [id] }))
    if (toAmount(BigInt(publishedAt)) === 0) return undefined
    if (lineageBp === 0) return { manifest, shares: [] }
    const [payees, bp] = await guard('royalties', async () => await viem.readContract({ ...modules, functionName: 'royalties', args: [id] }))
    return { manifest, shares: payees.map((payee, index) => ({ payee: payee.toLowerCase() as Address, bp: bp[index] ?? 0 })) }
  }
}
