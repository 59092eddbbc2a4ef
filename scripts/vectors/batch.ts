import { hash } from 'node:crypto'
import { bytesToHex } from 'viem'
import { batchId, layoutBatch, openingOf, type Batch } from '../../src/chain/batch/layout.ts'
import { openingToMessage } from '../../src/chain/batch/opening-message.ts'
import { leafHash, proofOf } from '../../src/chain/batch/tree.ts'
import { encodeMessage } from '../../src/wire/deal-room.ts'
import { BATCHED_LANE, dealTermsDigest, PLAIN_REST, type DealTerms } from '../../src/wire/deal-terms.ts'
import { orderDigest } from '../../src/wire/order.ts'
import { revokeSessionDigest } from '../../src/wire/session.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'
import { linesOf } from '../../src/deal/lines.ts'
import { disownDigest, linesRootOf, statementDigest } from '../../src/wire/statement.ts'
import type { Domain } from '../../src/wire/typed-data.ts'

const DOMAIN: Domain = { chainId: 31_337, market: '0x5fbdb2315678afecb367f032d93f642f64180aa3' }
const NOW = 1_700_000_000
const word = (name: string): Hash => `0x${hash('sha256', `lilynode vector ${name}`, 'hex')}`
const account = (name: string): Address => word(name).slice(0, 42) as Address
const hex = (words: readonly bigint[]): Hash[] => words.map((value) => `0x${value.toString(16).padStart(64, '0')}` as const)

/** protocol/vectors/batch.json: a batch of five leaves with its words, tree and id, what is signed about it, and the opening of a leaf of a larger one as a mediation carries it. */
export function batchVectors (): Record<string, unknown> {
  const dealAt = (index: number): DealTerms => ({
    core: {
      creator: account(`creator ${index % 2}`), provider: account(`provider ${index % 3}`), feeTo: account('solver'), price: 2_064_240 + index, fee: 100_000, collateral: 5_160_610, reserve: 60_000 * index,
      jobNumber: 96 + index, attempt: index % 8, lane: BATCHED_LANE, openBy: NOW + 300
    },
    rest: {
      jobOfferId: word(`job ${index}`), resourceOfferId: word('offer'), solutionId: word('solution'), verification: 1, auditBp: 0, mediatorRoot: word('mediators'), creatorSaltHash: word(`salt ${index}`), providerSaltHash: word(`other salt ${index}`),
      startBy: NOW + 900, submitSeconds: 900, judgeSeconds: 3600, challengeSeconds: 3600, claimFee: 10_000_000, auditFee: 50_000_000, parameters: word('parameters'), ...PLAIN_REST
    }
  })
  const deals = [0, 1, 2, 3, 4].map(dealAt)
  const { owners, rows, tree } = layoutBatch(DOMAIN, deals, () => 1)
  const batch: Batch = { solver: account('solver'), slot: 2, committedAt: BigInt(NOW), expiry: BigInt(NOW + 20_000), root: tree.root, voided: 4n, owners, rows }
  const batches = account('batches')
  const id = batchId(DOMAIN.chainId, batches, batch)
  // Two groups of rows, so that the opening has the hash of one.
  const many = Array.from({ length: 17 }, (_, index) => dealAt(index))
  const larger = layoutBatch(DOMAIN, many, () => 1)
  const ofMany: Batch = { ...batch, root: larger.tree.root, owners: larger.owners, rows: larger.rows }
  const opening = openingToMessage(openingOf(ofMany, 16, proofOf(larger.tree, 16)))
  const creator = account('creator 0')
  const statements = [[], [{ payee: account('author'), amount: 50_000 }, { payee: account('pool'), amount: 7 }]].map((lines) => {
    const statement = { batch: id, creator, leaves: 0b10101n, lines }
    return { ...statement, leaves: '0x15', digest: statementDigest(DOMAIN, statement), linesRoot: linesRootOf(lines) }
  })
  // What terms pin for a module of two versions, and a network that gives the pool 25/10,000.
  const price = 2_064_243
  const shares = [{ payee: account('author'), bp: 250 }, { payee: account('its parent\'s author'), bp: 1000 }]
  const lines = linesOf(price, shares, 25)
  const order = { kind: 6, account: creator, to: creator, number: 1, amount: 1_000_000_000, nonce: 3 }
  return {
    'batch.json': {
      domain: DOMAIN, batches, session: 1, deals: deals.map((terms) => ({ terms, digest: dealTermsDigest(DOMAIN, terms) })),
      owners: hex(owners), rows: hex(rows), leaves: deals.map((terms, leaf) => leafHash(leaf, dealTermsDigest(DOMAIN, terms))), root: tree.root, proofs: deals.map((_, leaf) => proofOf(tree, leaf)),
      batch: { solver: batch.solver, slot: batch.slot, committedAt: NOW, expiry: NOW + 20_000, voided: '0x4' }, id,
      statements, lines: { price, shares, poolBp: 25, lines, linesRoot: linesRootOf(lines) }, disown: { batch: id, leaf: 3, digest: disownDigest(DOMAIN, id, 3) },
      mediation: { terms: many[16], id: batchId(DOMAIN.chainId, batches, ofMany), leaf: opening, bytes: bytesToHex(encodeMessage(opening)) },
      revokeSession: { account: creator, nonce: 257, digest: revokeSessionDigest(DOMAIN, creator, 257) }, order: { ...order, digest: orderDigest(DOMAIN, order) }
    }
  }
}
