import fc from 'fast-check'
import t from 'tap'
import { hashTypedData } from 'viem'
import { certificateSetOf, commitDigest, commitmentOf, decodeAuctionMessage, decodeEvidence, decodeProof, encodeAuctionMessage, encodeEvidence, encodeProof, MAX_AUCTION_MESSAGE_BYTES, MAX_REVEALED_CERTIFICATE_BYTES, MAX_PROOF_BYTES, revealDigest, solutionIdOf, statementOf, type AuctionCertificate, type AuctionCommit, type AuctionReveal } from '../../src/wire/auction.ts'
import type { Hash, Signature } from '../../src/wire/shapes.ts'
import { encodeSolution, MAX_SOLUTION_BYTES } from '../../src/wire/solution.ts'

const hash = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`
const solver = `0x${'ab'.repeat(20)}` as const
const signature = `0x${'cd'.repeat(64)}` as Signature
const domain = { chainId: 31337, market: `0x${'12'.repeat(20)}` } as const

const commit: AuctionCommit = { epoch: 7, solver, commitment: hash(1), signature }
const reveal: AuctionReveal = { epoch: 7, solver, solution: encodeSolution({ epoch: 7, engine: 'floor', matches: [{ job: hash(3), offer: hash(4), devices: [] }] }), certificateId: hash(5), salt: hash(2), signature }
const certificate: AuctionCertificate = { epoch: 7, solver, solutionId: hash(6), salt: hash(2), signature, certificate: new Uint8Array(9) }

t.test('messages and evidence survive encoding', async (t) => {
  t.same(decodeAuctionMessage(encodeAuctionMessage({ type: 'commit', commit })), { type: 'commit', commit })
  t.same(decodeAuctionMessage(encodeAuctionMessage({ type: 'reveal', reveal })), { type: 'reveal', reveal })
  t.same(decodeAuctionMessage(encodeAuctionMessage({ type: 'certificate', certificate })), { type: 'certificate', certificate })
  t.same(decodeProof(encodeProof({ commit, certificate })), { commit, certificate })
  t.same(decodeEvidence(encodeEvidence({ commit, reveal })), { commit, reveal })
  t.same(decodeEvidence(encodeEvidence({ reveal })), { reveal })
})

t.test('digests are EIP-712 as viem computes it', async (t) => {
  const viemDomain = { name: 'lilynode', version: '1', chainId: domain.chainId, verifyingContract: domain.market }
  t.equal(commitDigest(domain, commit), hashTypedData({
    domain: viemDomain, primaryType: 'AuctionCommit', types: { AuctionCommit: [{ name: 'epoch', type: 'uint64' }, { name: 'solver', type: 'address' }, { name: 'commitment', type: 'bytes32' }] },
    message: { epoch: 7n, solver, commitment: commit.commitment }
  }))
  t.equal(revealDigest(domain, statementOf(reveal)), hashTypedData({
    domain: viemDomain, primaryType: 'AuctionReveal', types: { AuctionReveal: [{ name: 'epoch', type: 'uint64' }, { name: 'solver', type: 'address' }, { name: 'solutionId', type: 'bytes32' }, { name: 'certificateId', type: 'bytes32' }, { name: 'salt', type: 'bytes32' }] },
    message: { epoch: 7n, solver, solutionId: solutionIdOf(reveal.solution), certificateId: reveal.certificateId, salt: reveal.salt }
  }))
})

t.test('a commitment binds solution, certificate, salt and solver', async (t) => {
  const bound = { solutionId: hash(1), certificateId: hash(2), salt: hash(3), solver }
  const all = [bound, { ...bound, solutionId: hash(9) }, { ...bound, certificateId: hash(9) }, { ...bound, salt: hash(9) }, { ...bound, solver: `0x${'ac'.repeat(20)}` as const }].map(commitmentOf)
  t.equal(new Set(all).size, 5)
})

t.test('a set of certificates has one hash whatever the order', async (t) => {
  t.equal(certificateSetOf([hash(1), hash(2)]), certificateSetOf([hash(2), hash(1)]))
  t.not(certificateSetOf([hash(1)]), certificateSetOf([hash(1), hash(2)]))
  t.equal(certificateSetOf([]), hash(0))
})

t.test('sizes are bounded on both sides', async (t) => {
  t.ok(encodeAuctionMessage({ type: 'reveal', reveal: { ...reveal, solution: new Uint8Array(MAX_SOLUTION_BYTES) } }).length <= MAX_AUCTION_MESSAGE_BYTES)
  const largest = { ...certificate, certificate: new Uint8Array(MAX_REVEALED_CERTIFICATE_BYTES) }
  t.ok(encodeProof({ commit, certificate: largest }).length <= MAX_PROOF_BYTES)
  for (const bytes of [0, MAX_REVEALED_CERTIFICATE_BYTES + 1]) t.throws(() => decodeAuctionMessage(encodeAuctionMessage({ type: 'certificate', certificate: { ...certificate, certificate: new Uint8Array(bytes) } })), { code: 'WIRE_INVALID' })
  t.throws(() => decodeAuctionMessage(new Uint8Array(MAX_AUCTION_MESSAGE_BYTES + 1)), { code: 'WIRE_TOO_LARGE' })
})

t.test('foreign bytes give coded errors only', async () => {
  const valid = [encodeAuctionMessage({ type: 'commit', commit }), encodeAuctionMessage({ type: 'reveal', reveal }), encodeAuctionMessage({ type: 'certificate', certificate }), encodeEvidence({ commit, reveal }), encodeProof({ commit, certificate })]
  const changed = fc.record({ base: fc.constantFrom(...valid), at: fc.nat(), byte: fc.nat(255), cut: fc.nat(40) }).map(({ base, at, byte, cut }) => {
    const bytes = Uint8Array.from(base).subarray(0, base.length - cut)
    bytes[at % bytes.length] = byte
    return bytes
  })
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changed), (bytes) => [decodeAuctionMessage, decodeEvidence, decodeProof].every((decode) => {
    try {
      decode(bytes)
      return true
    } catch (error) {
      return (error as { code?: string }).code?.startsWith('WIRE_') === true
    }
  })), { numRuns: 2000, seed: 2 })
})
