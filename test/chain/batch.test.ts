import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { bytesToHex, hashTypedData, hexToBytes, numberToHex, type Hex } from 'viem'
import { settleBatchCall } from '../../src/chain/batch/calls.ts'
import { batchId, isOpened, layoutBatch, openedBatchId, openingOf, ownerIndex, type Batch } from '../../src/chain/batch/layout.ts'
import { messageToOpening, openingToMessage } from '../../src/chain/batch/opening-message.ts'
import { buildTree, leafHash, proofOf } from '../../src/chain/batch/tree.ts'
import { BATCHED_LANE, type DealTerms } from '../../src/wire/deal-terms.ts'
import { decodeMessage, encodeMessage } from '../../src/wire/deal-room.ts'
import { openingShape, type OpeningMessage } from '../../src/wire/opening.ts'
import { orderDigest, type Order } from '../../src/wire/order.ts'
import { disownDigest, statementDigest, type Line } from '../../src/wire/statement.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { createParties } from '../../bench/gas/parties.ts'
import { commit, dealsOf } from '../../bench/gas/batch.ts'
import { startTestChain } from '../support/chain.ts'

interface Typed { digest: Hash }
const vectors = JSON.parse(readFileSync(new URL('../../protocol/vectors/batch.json', import.meta.url), 'utf8')) as {
  domain: { chainId: number, market: Hex }, batches: Hex, deals: Array<{ terms: DealTerms, digest: Hash }>, owners: Hash[], rows: Hash[], root: Hash
  leaves: Hash[], proofs: Hash[][], batch: { solver: Hex, slot: number, committedAt: number, expiry: number, voided: Hex }, id: Hash
  statements: Array<{ batch: Hash, creator: Hex, leaves: Hex, lines: Line[] } & Typed>, disown: { batch: Hash, leaf: number } & Typed, mediation: { terms: DealTerms, id: Hash, leaf: OpeningMessage, bytes: Hex }, order: Order & Typed
}
const page = readFileSync(new URL('../../protocol/batches.md', import.meta.url), 'utf8')

t.test('a wallet that knows only the page signs the digests of the vectors', (t) => {
  const typesOn = (name: string): Array<{ name: string, type: string }> => {
    const [, fields = ''] = new RegExp(`\\b${name}\\(([^)]*)\\)`).exec(page) ?? []
    return fields.split(',').map((field) => { const [type = '', of = ''] = field.trim().split(' '); return { name: of, type } })
  }
  const domain = { name: 'lilynode', version: '1', chainId: vectors.domain.chainId, verifyingContract: vectors.domain.market }
  for (const { digest, ...message } of vectors.statements) {
    t.equal(hashTypedData({ domain, types: { Statement: typesOn('Statement'), Line: typesOn('Line') }, primaryType: 'Statement', message }), digest)
    t.equal(statementDigest(vectors.domain, { ...message, leaves: BigInt(message.leaves) }), digest, 'so does our code')
  }
  const { digest: disowned, ...disown } = vectors.disown
  t.equal(hashTypedData({ domain, types: { Disown: typesOn('Disown') }, primaryType: 'Disown', message: disown }), disowned)
  t.equal(disownDigest(vectors.domain, disown.batch, disown.leaf), disowned)
  const { digest: ordered, ...order } = vectors.order
  t.equal(hashTypedData({ domain, types: { Order: typesOn('Order') }, primaryType: 'Order', message: order }), ordered)
  t.equal(orderDigest(vectors.domain, order), ordered)
  t.end()
})

t.test('deals are laid out as in the vectors', (t) => {
  const deals = vectors.deals.map(({ terms }) => terms)
  const { owners, rows, tree } = layoutBatch(vectors.domain, deals, () => 1)
  t.same(owners.map((owner) => numberToHex(owner, { size: 32 })), vectors.owners)
  t.same(rows.map((row) => numberToHex(row, { size: 32 })), vectors.rows)
  t.equal(tree.root, vectors.root)
  t.same(deals.map((_, leaf) => proofOf(tree, leaf)), vectors.proofs)
  const { solver, slot, committedAt, expiry, voided } = vectors.batch
  const batch: Batch = { solver, slot, committedAt: BigInt(committedAt), expiry: BigInt(expiry), voided: BigInt(voided), root: tree.root, owners, rows }
  t.equal(batchId(vectors.domain.chainId, vectors.batches, batch), vectors.id)
  t.end()
})

t.test('an opening, told to another node, names its batch and the one deal that it opens', (t) => {
  const first = vectors.deals[0]?.terms as DealTerms
  // Forty deals: three groups of rows, the last one shorter. Jobs of one creator lie in one word.
  const deals = Array.from({ length: 40 }, (_, index): DealTerms => ({ ...first, core: { ...first.core, jobNumber: index % 32, attempt: index >> 5 } }))
  const { owners, rows, tree } = layoutBatch(vectors.domain, deals, () => 1)
  const batch: Batch = { solver: first.core.feeTo, slot: 3, committedAt: BigInt(first.core.openBy), expiry: 2n ** 40n, voided: 5n, root: tree.root, owners, rows }
  for (const [leaf, terms] of deals.entries()) {
    const opening = messageToOpening(openingToMessage(openingOf(batch, leaf, proofOf(tree, leaf))))
    t.equal(openedBatchId(vectors.domain.chainId, vectors.batches, opening), batchId(vectors.domain.chainId, vectors.batches, batch))
    t.ok(isOpened(vectors.domain, opening, terms))
    t.notOk(isOpened(vectors.domain, opening, deals[(leaf + 1) % 40] as DealTerms))
    t.notOk(isOpened(vectors.domain, opening, { ...terms, rest: { ...terms.rest, auditFee: terms.rest.auditFee + 1 } }), 'the row does not tell these apart')
    t.notOk(isOpened(vectors.domain, { ...opening, rows: opening.rows.map((row) => row ^ 1n << 30n) }, terms), 'and the tree not those')
    t.notOk(isOpened(vectors.domain, { ...opening, committedAt: opening.committedAt + 1n }, terms), 'too late')
  }
  t.end()
})

t.test('the leaf of a mediation is read and written as in the vectors', (t) => {
  const { terms, id, leaf, bytes } = vectors.mediation
  t.same(decodeMessage(openingShape, hexToBytes(bytes), 'leaf'), leaf)
  t.equal(bytesToHex(encodeMessage(leaf)), bytes)
  const opening = messageToOpening(leaf)
  t.equal(openedBatchId(vectors.domain.chainId, vectors.batches, opening), id)
  t.ok(isOpened(vectors.domain, opening, terms))
  t.end()
})

t.test('what fits no batch is refused with the leaf', (t) => {
  const [first] = vectors.deals
  const terms = first?.terms as DealTerms
  const changed = (core: Partial<DealTerms['core']>): DealTerms => ({ ...terms, core: { ...terms.core, ...core } })
  const layout = (deals: DealTerms[]) => () => layoutBatch(vectors.domain, deals, () => 1)
  t.throws(layout([]), { code: 'CHAIN_BATCH_LAYOUT' })
  t.throws(layout([changed({ lane: 0 })]), { code: 'CHAIN_BATCH_LAYOUT', data: { leaf: 0 } })
  t.throws(layout([changed({ price: 2 ** 53 - 1, collateral: 2 ** 56 })]), { code: 'CHAIN_BATCH_LAYOUT' })
  t.throws(layout([terms, changed({ jobNumber: terms.core.jobNumber + 32 })]), { code: 'CHAIN_BATCH_LAYOUT', data: { leaf: 1 } })
  t.throws(layout(Array.from({ length: 257 }, () => terms)), { code: 'CHAIN_BATCH_LAYOUT' })
  t.equal(terms.core.lane, BATCHED_LANE)
  t.end()
})

t.test('every leaf of a tree of any size has a proof that leads to its root', (t) => {
  const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes): Hash => `0x${Buffer.from(bytes).toString('hex')}`)
  fc.assert(fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), fc.nat(), (terms, at) => {
    const leaves = terms.map((digest, leaf) => leafHash(leaf, digest))
    const tree = buildTree(leaves)
    const leaf = at % leaves.length
    const root = proofOf(tree, leaf).reduce((hash, sibling) => buildTree([hash, sibling]).root, leaves[leaf] as Hash)
    return root === tree.root
  }), { numRuns: 200, seed: 3 })
  t.end()
})

t.test('the contracts compute the same ids and digests, pay what the rows say, and prove each leaf', async (t) => {
  const test = await startTestChain()
  t.teardown(async () => { await test.stop() })
  const parties = await createParties(test, { creators: 3, providers: 2 })
  const { solver, creators } = parties
  const sizes = [1, 7]
  for (const [round, size] of sizes.entries()) {
    // `commit` throws unless the id that the chain holds is the one computed here, with no leaf void.
    const sent = await commit(test, parties, dealsOf(parties, size, round, await solver.blockTime() + 100, { mediators: [], weights: [] }))
    t.equal(sent.layout.tree.root, sent.batch.root)
    const statements = creators.flatMap((creator) => {
      const leaves = sent.deals.reduce((bits, { core }, leaf) => core.creator === creator.address ? bits | 1n << BigInt(leaf) : bits, 0n)
      if (leaves === 0n) return []
      return [{ owner: ownerIndex(sent.batch, creator.address), leaves, lines: [], signature: creator.sign(statementDigest(solver.domain, { batch: sent.id, creator: creator.address, leaves, lines: [] })) }]
    })
    const before = await solver.account(solver.address)
    await solver.send(settleBatchCall(sent.batch, statements), { name: 'settle', signal: AbortSignal.timeout(10_000) })
    const after = await solver.account(solver.address)
    t.equal(after.free - before.free, sent.deals.reduce((sum, { core }) => sum + core.fee, 0), 'the fees')
    t.equal(before.locked - after.locked, sent.deals.reduce((sum, { core }) => sum + core.price + core.fee + core.reserve + core.collateral, 0), 'every nLILY that was locked')
  }
})
t.end()
