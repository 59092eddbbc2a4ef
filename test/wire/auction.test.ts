import fc from 'fast-check'
import t from 'tap'
import { hashTypedData } from 'viem'
import { commitDigest, commitmentOf, decodeAuctionMessage, decodeEvidence, encodeAuctionMessage, encodeEvidence, MAX_AUCTION_MESSAGE_BYTES, revealDigest, solutionIdOf, type AuctionCommit, type AuctionReveal } from '../../src/wire/auction.ts'
import type { Hash, Signature } from '../../src/wire/shapes.ts'
import { encodeSolution, MAX_SOLUTION_BYTES } from '../../src/wire/solution.ts'

const hash = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`
const solver = `0x${'ab'.repeat(20)}` as const
const signature = `0x${'cd'.repeat(64)}` as Signature
const domain = { chainId: 31337, market: `0x${'12'.repeat(20)}` } as const

const commit: AuctionCommit = { epoch: 7, solver, commitment: hash(1), signature }
const reveal: AuctionReveal = { epoch: 7, solver, solution: encodeSolution({ epoch: 7, engine: 'floor', matches: [{ job: hash(3), offer: hash(4), devices: [] }] }), salt: hash(2), signature }

t.test('messages and evidence survive encoding', async (t) => {
  t.same(decodeAuctionMessage(encodeAuctionMessage({ type: 'commit', commit })), { type: 'commit', commit })
  t.same(decodeAuctionMessage(encodeAuctionMessage({ type: 'reveal', reveal })), { type: 'reveal', reveal })
  t.same(decodeEvidence(encodeEvidence({ commit, reveal })), { commit, reveal })
  t.same(decodeEvidence(encodeEvidence({ reveal })), { reveal })
})

t.test('digests are EIP-712 as viem computes it', async (t) => {
  const viemDomain = { name: 'lilynode', version: '1', chainId: domain.chainId, verifyingContract: domain.market }
  t.equal(commitDigest(domain, commit), hashTypedData({
    domain: viemDomain, primaryType: 'AuctionCommit', types: { AuctionCommit: [{ name: 'epoch', type: 'uint64' }, { name: 'solver', type: 'address' }, { name: 'commitment', type: 'bytes32' }] },
    message: { epoch: 7n, solver, commitment: commit.commitment }
  }))
  t.equal(revealDigest(domain, reveal), hashTypedData({
    domain: viemDomain, primaryType: 'AuctionReveal', types: { AuctionReveal: [{ name: 'epoch', type: 'uint64' }, { name: 'solver', type: 'address' }, { name: 'solutionId', type: 'bytes32' }, { name: 'salt', type: 'bytes32' }] },
    message: { epoch: 7n, solver, solutionId: solutionIdOf(reveal.solution), salt: reveal.salt }
  }))
})

t.test('a commitment binds solution, salt and solver', async (t) => {
  const all = [commitmentOf(hash(1), hash(2), solver), commitmentOf(hash(3), hash(2), solver), commitmentOf(hash(1), hash(3), solver), commitmentOf(hash(1), hash(2), `0x${'ac'.repeat(20)}`)]
  t.equal(new Set(all).size, 4)
})

t.test('sizes are bounded on both sides', async (t) => {
  t.ok(encodeAuctionMessage({ type: 'reveal', reveal: { ...reveal, solution: new Uint8Array(MAX_SOLUTION_BYTES) } }).length <= MAX_AUCTION_MESSAGE_BYTES)
  t.throws(() => decodeAuctionMessage(new Uint8Array(MAX_AUCTION_MESSAGE_BYTES + 1)), { code: 'WIRE_TOO_LARGE' })
})

t.test('foreign bytes give coded errors only', async () => {
  const valid = [encodeAuctionMessage({ type: 'commit', commit }), encodeAuctionMessage({ type: 'reveal', reveal }), encodeEvidence({ commit, reveal })]
  const changed = fc.record({ base: fc.constantFrom(...valid), at: fc.nat(), byte: fc.nat(255), cut: fc.nat(40) }).map(({ base, at, byte, cut }) => {
    const bytes = Uint8Array.from(base).subarray(0, base.length - cut)
    bytes[at % bytes.length] = byte
    return bytes
  })
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changed), (bytes) => [decodeAuctionMessage, decodeEvidence].every((decode) => {
    try {
      decode(bytes)
      return true
    } catch (error) {
      return (error as { code?: string }).code?.startsWith('WIRE_') === true
    }
  })), { numRuns: 2000, seed: 2 })
})
