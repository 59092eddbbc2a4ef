import { commitCall, settleBatchCall, type SignedStatement } from '../../chain/batch/calls.ts'
import { batchId, layoutBatch, openingOf, ownerIndex, type Batch, type BatchLayout, type Opening } from '../../chain/batch/layout.ts'
import { proofOf } from '../../chain/batch/tree.ts'
import type { ContractCall } from '../../chain/chain.ts'
import { hasLeaf, leavesWord, NODE_SESSION } from '../../deal/batched.ts'
import { linesByLeaf } from '../../deal/lines.ts'
import type { LeafPlace } from '../../wire/deal-room.ts'
import { dealIdOf, type Consent } from '../../wire/deal-terms.ts'
import type { Address, Hash, Signature } from '../../wire/shapes.ts'
import type { Line } from '../../wire/statement.ts'
import type { Domain } from '../../wire/typed-data.ts'

/** Both consents to a deal, and the nodes that want to know its leaf. */
export interface GatheredDeal extends Consent { readonly creatorPeer: string, readonly providerPeer: string }
/** What a solver holds of a creator's word. `lines`: of each leaf that it names, in their order. */
export interface HeldStatement { readonly batch: Hash, readonly creator: Address, readonly leaves: Hash, readonly signature: Signature, readonly lines: ReadonlyArray<readonly Line[]>, readonly atMs: number }
/** Where the chain has it: a re-org that moves the commit gives another one. */
export interface BatchPlace { readonly id: Hash, readonly committedAt: number, readonly voided: Hash }

/** A batch of this solver. Pure but for what is noted in it. */
export interface OwnBatch {
  readonly slot: number
  /** Unix seconds. */
  readonly expiry: number
  readonly deals: readonly GatheredDeal[]
  readonly dealIds: readonly Hash[]
  readonly layout: BatchLayout
  readonly place: BatchPlace | undefined
  readonly statements: ReadonlyMap<Address, HeldStatement>
  /** Leaves whose money is still locked, as bits. */
  readonly live: bigint
  commitCall: () => ContractCall
  /** The batch's id if it was committed then, with these leaves void. */
  idAt: (committedAt: number, voided: bigint) => Hash
  put: (place: BatchPlace | undefined) => void
  resolve: (leaves: bigint) => void
  say: (statement: HeldStatement) => void
  dealOf: (dealId: Hash) => GatheredDeal | undefined
  leafOf: (dealId: Hash) => LeafPlace | undefined
  leavesOfCreator: (creator: Address) => bigint
  /** Whether a statement pays something now, and no lines of leaves that are resolved: those would come out of the others' reserve. */
  isPayable: (statement: HeldStatement) => boolean
  /** Statements that would pay something now. */
  payable: () => HeldStatement[]
  settleCall: () => ContractCall
  chainForm: () => Batch
  /** What a call shows of one leaf, void ones too. */
  openingOf: (leaf: number) => Opening
  /** Terms of the leaves that locked nothing. */
  voidDeals: () => Array<{ deal: GatheredDeal, leaf: number }>
}

/** Throws ChainError CHAIN_BATCH_LAYOUT where the deals are no batch. */
export function createOwnBatch (context: { domain: Domain, batches: Address, solver: Address }, { slot, expiry, deals }: { slot: number, expiry: number, deals: readonly GatheredDeal[] }): OwnBatch {
  const { domain, batches, solver } = context
  const layout = layoutBatch(domain, deals.map(({ terms }) => terms), () => NODE_SESSION)
  const all = (1n << BigInt(deals.length)) - 1n
  const dealIds = deals.map(({ terms: { core } }) => dealIdOf(domain, core.creator, core.jobNumber, core.attempt))
  const leafById = new Map(dealIds.map((dealId, leaf) => [dealId, leaf]))
  const statements = new Map<Address, HeldStatement>()
  let place: BatchPlace | undefined
  let live = all
  const formAt = (committedAt: number, voided: bigint): Batch => ({ solver, slot, committedAt: BigInt(committedAt), expiry: BigInt(expiry), root: layout.tree.root, voided, owners: layout.owners, rows: layout.rows })
  const chainForm = (): Batch => formAt(place?.committedAt ?? 0, BigInt(place?.voided ?? 0))
  const isPayable = ({ leaves, lines }: HeldStatement): boolean =>
    (BigInt(leaves) & live) !== 0n && [...linesByLeaf(leaves, lines)].every(([leaf, own]) => own.length === 0 || hasLeaf(live, leaf))
  const payable = (): HeldStatement[] => [...statements.values()].filter(isPayable)

  return {
    slot, expiry, deals, dealIds, layout, statements, chainForm, isPayable, payable,
    openingOf: (leaf) => openingOf(chainForm(), leaf, proofOf(layout.tree, leaf)),
    voidDeals: () => deals.flatMap((deal, leaf) => place !== undefined && hasLeaf(place.voided, leaf) ? [{ deal, leaf }] : []),
    get place () { return place },
    get live () { return live },
    commitCall: () => commitCall(slot, expiry, layout),
    idAt: (committedAt, voided) => batchId(domain.chainId, batches, formAt(committedAt, voided)),
    put: (put) => {
      // What was said of another id counts no more.
      if (put?.id !== place?.id) statements.clear()
      place = put
      live = all & ~BigInt(put?.voided ?? 0)
    },
    resolve: (leaves) => { live &= ~leaves },
    say: (statement) => { statements.set(statement.creator, statement) },
    dealOf: (dealId) => deals[leafById.get(dealId) ?? -1],
    leafOf: (dealId) => {
      const leaf = leafById.get(dealId)
      return leaf === undefined || place === undefined || hasLeaf(place.voided, leaf) ? undefined : { batch: place.id, leaf, proof: proofOf(layout.tree, leaf) }
    },
    leavesOfCreator: (creator) => BigInt(leavesWord(deals.flatMap(({ terms: { core } }, leaf) => core.creator === creator ? [leaf] : []))),
    settleCall: () => settleBatchCall(chainForm(), payable().map(({ creator, leaves, lines, signature }): SignedStatement => ({ owner: ownerIndex(layout, creator), leaves: BigInt(leaves), lines: lines.flat(), signature })))
  }
}
