import type { ContractCall, TxReceipt } from '../../src/chain/chain.ts'
import { commitCall, settleBatchCall, togetherCall, type SignedStatement } from '../../src/chain/batch/calls.ts'
import { batchId, layoutBatch, ownerIndex, type Batch, type BatchLayout } from '../../src/chain/batch/layout.ts'
import { ABIS } from '../../src/chain/abis.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../src/deal/options.ts'
import { buildTerms } from '../../src/deal/terms.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { saltHash, type MediatorList } from '../../src/wire/deal-messages.ts'
import { BATCHED_LANE, type DealTerms } from '../../src/wire/deal-terms.ts'
import { statementDigest, type Line } from '../../src/wire/statement.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import type { TestChain } from '../../test/support/chain.ts'
import { jobBody } from '../../test/support/records.ts'
import { SESSION_NUMBER, type Parties } from './parties.ts'

/** One batch on the real contracts, as the solver sends it. */
export interface SentBatch { readonly batch: Batch, readonly id: Hash, readonly layout: BatchLayout, readonly deals: readonly DealTerms[], readonly committed: TxReceipt }
export const hash = (byte: number): Hash => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`
const signal = (): AbortSignal => AbortSignal.timeout(60_000)

/** Deals of `size` leaves: leaf i of creator i mod C, whose jobs go to the providers in turn; amounts of 1 to 2 LILY, no two alike. */
export function dealsOf (parties: Parties, size: number, round: number, openBy: number, mediators: MediatorList): DealTerms[] {
  const { creators, providers, solver } = parties
  const perRound = Math.ceil(size / creators.length)
  return Array.from({ length: size }, (_, leaf) => {
    const turn = Math.floor(leaf / creators.length)
    const price = 1_000_000_000 + (leaf * 7_919_317 + round * 104_729) % 1_000_000_000
    const signer = (list: readonly Signer[], index: number): Hash => (list[index % list.length] as Signer).address
    return buildTerms({
      job: jobBody({ jobNumber: round * perRound + turn, runSeconds: 10 }), creator: signer(creators, leaf), jobOfferId: hash(1), provider: signer(providers, leaf * 7 + turn), resourceOfferId: hash(2),
      solver: solver.address, solutionId: hash(3), certificateSet: hash(0), lines: [], price, fee: Math.floor(price / 20), collateral: Math.ceil(price * 2.5), mediators, parameters: DEVNET_DEAL_PARAMETERS, parametersHash: hash(4),
      lane: BATCHED_LANE, openBy, providerSaltHash: saltHash(hash(5)), creatorSaltHash: saltHash(hash(6))
    })
  })
}

/** Commits `deals` into slot 0 and checks what the chain holds; `alongside` is sent before it in the same transaction. */
export async function commit (test: TestChain, { solver }: Parties, deals: readonly DealTerms[], alongside?: ContractCall): Promise<SentBatch> {
  const batches = { address: test.deployment.contracts.batches, abi: ABIS.batches } as const
  const layout = layoutBatch(solver.domain, deals, () => SESSION_NUMBER)
  const expiry = await solver.blockTime() + 1700
  const call = commitCall(0, expiry, layout)
  const committed = await solver.send(alongside === undefined ? call : togetherCall([alongside, call]), { name: 'commit', signal: signal() })
  const { timestamp } = await test.clients.request<{ timestamp: Hash }>('eth_getBlockByNumber', [`0x${committed.blockNumber.toString(16)}`, false])
  const batch: Batch = { solver: solver.address, slot: 0, committedAt: BigInt(timestamp), expiry: BigInt(expiry), root: layout.tree.root, voided: 0n, owners: layout.owners, rows: layout.rows }
  const id = batchId(solver.domain.chainId, batches.address, batch)
  const [held] = await test.clients.viem.readContract({ ...batches, functionName: 'slotOf', args: [solver.address, 0] })
  if (held !== id) throw new Error('the batch on chain is not the one computed here, or a leaf of it is void')
  return { batch, id, layout, deals, committed }
}

/** The call that settles `leaves` by a statement of each of their creators; `royalty` adds one line each. */
export function settlement (parties: Parties, { batch, id, deals }: SentBatch, leaves: bigint, royalty?: Line): ContractCall {
  return settleBatchCall(batch, parties.creators.flatMap((creator): SignedStatement[] => {
    const own = deals.reduce((bits, { core }, leaf) => core.creator === creator.address ? bits | 1n << BigInt(leaf) : bits, 0n) & leaves
    if (own === 0n) return []
    const lines = royalty === undefined ? [] : [royalty]
    const signature = creator.sign(statementDigest(parties.solver.domain, { batch: id, creator: creator.address, leaves: own, lines }))
    return [{ owner: ownerIndex(batch, creator.address), leaves: own, lines, signature }]
  }))
}

/** Sends it. */
export async function settle (parties: Parties, sent: SentBatch, leaves: bigint): Promise<TxReceipt> {
  return await parties.solver.send(settlement(parties, sent, leaves), { name: 'settle', signal: signal() })
}
