import { encodeAbiParameters, keccak256 } from 'viem'
import { BATCHED_LANE, dealTermsDigest, type DealCore, type DealTerms } from '../../wire/deal-terms.ts'
import type { Address, Hash } from '../../wire/shapes.ts'
import type { Domain } from '../../wire/typed-data.ts'
import { fromAmount } from '../amounts.ts'
import { ChainError } from '../errors.ts'
import { buildTree, leafHash, rootFrom, type Tree } from './tree.ts'

/** protocol/batches.md, Layout: a batch as the contract Batches takes it. Pure. */

/** One word of resolved leaves. */
export const MAX_LEAVES = 256

/** Owners and rows are the packed words; leaf i of the tree has row i. */
export interface BatchLayout { readonly owners: readonly bigint[], readonly rows: readonly bigint[], readonly tree: Tree }
/** A committed batch as calls bring it. Times are unix seconds; bit i of `voided`: leaf i locked nothing. */
export interface Batch {
  readonly solver: Address, readonly slot: number, readonly committedAt: bigint, readonly expiry: bigint
  readonly root: Hash, readonly voided: bigint, readonly owners: readonly bigint[], readonly rows: readonly bigint[]
}

/**
 * Owners, rows and tree of deals in this order. `sessionOf` gives the number of the session that an account's money is locked under.
 * Throws ChainError CHAIN_BATCH_LAYOUT naming the leaf.
 */
export function layoutBatch (domain: Domain, deals: readonly DealTerms[], sessionOf: (account: Address) => number): BatchLayout {
  if (deals.length === 0 || deals.length > MAX_LEAVES) throw refused(`a batch has 1 to ${MAX_LEAVES} leaves, not ${deals.length}`, {})
  const wordOf = new Map<Address, bigint>()
  for (const [leaf, { core }] of deals.entries()) {
    const word = fromAmount(Math.floor(core.jobNumber / 32))
    if ((wordOf.get(core.creator) ?? word) !== word) throw refused(`leaf ${leaf}: jobs of ${core.creator} lie in two nullifier words; put it into another batch`, { leaf })
    wordOf.set(core.creator, word)
  }
  const accounts = [...new Set(deals.flatMap(({ core }) => [core.creator, core.provider]))].sort()
  if (accounts.length > 256) throw refused(`a batch has at most 256 owners, not ${accounts.length}`, {})
  const indexOf = new Map(accounts.map((account, index) => [account, index]))
  const owners = accounts.map((account) => BigInt(account) | BigInt(sessionOf(account)) << 160n | (wordOf.get(account) ?? 0n) << 168n)
  const rows = deals.map(({ core }, leaf) => packRow(core, leaf, indexOf))
  const tree = buildTree(deals.map((terms, leaf) => leafHash(leaf, dealTermsDigest(domain, terms))))
  return { owners, rows, tree }
}

/** What the chain keeps of a batch. */
export function batchId (chainId: number, batches: Address, batch: Batch): Hash {
  return idOf(chainId, batches, batch, sixteens(batch.rows).map(wordsHash))
}

/** The same from an opening of one of its leaves. */
export function openedBatchId (chainId: number, batches: Address, opening: Opening): Hash {
  return idOf(chainId, batches, opening, opening.others.toSpliced(Number(opening.leaf) >> 4, 0, wordsHash(opening.rows)))
}

/** One leaf of a batch with as much of the batch as its id needs: `claim`, `challengeLeaf` and the answers to accusations take it. */
export interface Opening extends Omit<Batch, 'rows'> { readonly leaf: bigint, readonly rows: readonly bigint[], readonly others: readonly Hash[], readonly proof: readonly Hash[] }

/** The opening of leaf `leaf`, whose proof under the root is `proof`. Throws RangeError where there is no such leaf. */
export function openingOf (batch: Batch, leaf: number, proof: readonly Hash[]): Opening {
  const chunks = sixteens(batch.rows)
  const place = leaf >> 4
  const rows = chunks[place]
  if (rows === undefined || leaf >= batch.rows.length) throw new RangeError(`a batch of ${batch.rows.length} leaves has no leaf ${leaf}`)
  return { ...batch, leaf: BigInt(leaf), rows, others: chunks.filter((_, index) => index !== place).map(wordsHash), proof }
}

/** The leaf whose row is that of these terms; -1 when there is none. That the leaf is these terms only its proof tells. */
export function leafOf (batch: Pick<Batch, 'owners' | 'rows'>, core: DealCore): number {
  const place = new Map([core.creator, core.provider].map((account) => [account, ownerIndex(batch, account)]))
  const creator = place.get(core.creator) ?? -1
  const provider = place.get(core.provider) ?? -1
  const owner = batch.owners[creator]
  if (owner === undefined || provider < 0 || owner >> 168n !== BigInt(Math.floor(core.jobNumber / 32))) return -1
  return batch.rows.indexOf(packRow(core, -1, place))
}

/** Whether the deal with these terms, one of a batch, is what the opening opens: by its row, by the tree, and in time. That the batch is on chain only its id tells. */
export function isOpened (domain: Domain, opening: Opening, terms: DealTerms): boolean {
  const leaf = Number(opening.leaf)
  const row = opening.rows[leaf & 15]
  return row !== undefined && terms.core.feeTo === opening.solver && leafOf({ ...opening, rows: [row] }, terms.core) === 0 && Number(opening.committedAt) <= terms.core.openBy &&
    rootFrom(leafHash(leaf, dealTermsDigest(domain, terms)), opening.proof) === opening.root
}

/** Whose money a leaf locks and which deal it is, by its row. Undefined for owners that are not there. */
export function rowOf (batch: Batch, leaf: number): { creator: Address, provider: Address, jobNumber: number, attempt: number, sum: number } | undefined {
  const row = batch.rows[leaf] ?? 0n
  const bits = (from: number, count: number): number => Number(BigInt.asUintN(count, row >> BigInt(from)))
  const [creator, provider] = [batch.owners[bits(0, 8)], batch.owners[bits(8, 8)]]
  if (creator === undefined || provider === undefined) return undefined
  const accountOf = (owner: bigint): Address => `0x${BigInt.asUintN(160, owner).toString(16).padStart(40, '0')}`
  const mark = bits(16, 8)
  return { creator: accountOf(creator), provider: accountOf(provider), jobNumber: Number(creator >> 168n) * 32 + (mark >> 3), attempt: mark & 7, sum: bits(24, 56) + bits(80, 56) + bits(136, 56) + bits(192, 64) }
}

/** Place of an account among the batch's owners; -1 if it is none. */
export function ownerIndex ({ owners }: Pick<Batch, 'owners'>, account: Address): number {
  return owners.findIndex((owner) => BigInt.asUintN(160, owner) === BigInt(account))
}

function idOf (chainId: number, batches: Address, batch: Omit<Batch, 'rows'>, rows: readonly Hash[]): Hash {
  const [bytes32, uint256, address] = [{ type: 'bytes32' }, { type: 'uint256' }, { type: 'address' }] as const
  const head = keccak256(encodeAbiParameters([address, uint256, bytes32, uint256, uint256, uint256], [batch.solver, BigInt(batch.slot), batch.root, batch.committedAt, batch.expiry, batch.voided]))
  return keccak256(encodeAbiParameters([uint256, address, bytes32, bytes32, bytes32], [BigInt(chainId), batches, head, wordsHash(batch.owners), wordsHash(rows.map(BigInt))]))
}

/** Rows in the groups that are hashed together. */
function sixteens (rows: readonly bigint[]): ReadonlyArray<readonly bigint[]> {
  return Array.from({ length: Math.ceil(rows.length / 16) }, (_, index) => rows.slice(16 * index, 16 * index + 16))
}

function wordsHash (words: readonly bigint[]): Hash {
  return keccak256(`0x${words.map((word) => word.toString(16).padStart(64, '0')).join('')}`)
}

function packRow (core: DealCore, leaf: number, indexOf: ReadonlyMap<Address, number>): bigint {
  if (core.lane !== BATCHED_LANE) throw refused(`leaf ${leaf}: lane ${core.lane} is for direct deals`, { leaf })
  const amounts = [core.price, core.fee, core.reserve, core.collateral]
  if (amounts.some((amount) => amount >= 2 ** 56)) throw refused(`leaf ${leaf}: an amount does not fit 56 bits`, { leaf, amounts })
  const places = [indexOf.get(core.creator) ?? 0, indexOf.get(core.provider) ?? 0, (core.jobNumber % 32) * 8 + core.attempt]
  const low = places.reduce((word, place, index) => word | BigInt(place) << BigInt(8 * index), 0n)
  return amounts.reduce((word, amount, index) => word | fromAmount(amount) << BigInt(24 + 56 * index), low)
}

function refused (message: string, data: Record<string, unknown>): ChainError {
  return new ChainError('CHAIN_BATCH_LAYOUT', message, { data, hint: 'protocol/batches.md has the layout and the limits of a batch.' })
}
