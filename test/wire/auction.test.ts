import fc from 'fast-check'
import t from 'tap'
import { hashTypedData } from 'viem'
import { commitDigest, commitmentOf, decodeAuctionMessage, decodeEvidence, decodeSolution, encodeAuctionMessage, encodeEvidence, encodeSolution, MAX_AUCTION_MESSAGE_BYTES, MAX_SOLUTION_BYTES, revealDigest, solutionIdOf, type AuctionCommit, type AuctionReveal, type Solution } from '../../src/wire/auction.ts'
import { encodeCbor } from '../../src/wire/cbor.ts'
import type { Hash, Signature } from '../../src/wire/shapes.ts'

const hash = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`
const solver = `0x${'ab'.repeat(20)}` as const
const signature = `0x${'cd'.repeat(64)}` as Signature
const domain = { chainId: 31337, market: `0x${'12'.repeat(20)}` } as const

const anySolution: fc.Arbitrary<Solution> = fc.record({
  epoch: fc.nat(), engine: fc.stringMatching(/^[a-z0-9-]{1,32}$/),
  matches: fc.uniqueArray(fc.record({ job: fc.integer({ min: 1, max: 30 }).map(hash), offer: fc.integer({ min: 1, max: 9 }).map(hash) }), { maxLength: 20, selector: ({ job, offer }) => `${job}${offer}` })
})
const pairs = (solution: Solution): string[] => solution.matches.map(({ job, offer }) => `${offer}${job}`)
const commit: AuctionCommit = { epoch: 7, solver, commitment: hash(1), signature }
const reveal: AuctionReveal = { epoch: 7, solver, solution: encodeSolution({ epoch: 7, engine: 'floor', matches: [{ job: hash(3), offer: hash(4) }] }), salt: hash(2), signature }

t.test('a solution has one encoding, whatever the order of its matches', async () => {
  fc.assert(fc.property(anySolution, (solution) => {
    const bytes = encodeSolution(solution)
    const back = decodeSolution(bytes)
    return Buffer.compare(bytes, encodeSolution({ ...solution, matches: [...solution.matches].reverse() })) === 0 &&
      back.epoch === solution.epoch && back.engine === solution.engine && pairs(back).join() === pairs(solution).sort().join()
  }), { seed: 1 })
})

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
  const wide = (count: number): Solution => ({ epoch: 7, engine: 'x', matches: Array.from({ length: count }, (_, at) => ({ job: hash(at + 1), offer: hash(at + 1) })) })
  const deep = (count: number): Solution => ({ epoch: 7, engine: 'x', matches: Array.from({ length: count }, (_, at) => ({ job: hash(at + 1), offer: hash(1 + at % 20) })) })
  t.throws(() => encodeSolution(wide(1000)), { code: 'WIRE_TOO_LARGE' })
  const full = encodeSolution(deep(1990))
  t.ok(full.length <= MAX_SOLUTION_BYTES)
  t.ok(encodeAuctionMessage({ type: 'reveal', reveal: { ...reveal, solution: new Uint8Array(MAX_SOLUTION_BYTES) } }).length <= MAX_AUCTION_MESSAGE_BYTES)
  t.equal(decodeSolution(full).matches.length, 1990)
  t.throws(() => decodeSolution(new Uint8Array(MAX_SOLUTION_BYTES + 1)), { code: 'WIRE_TOO_LARGE' })
  t.throws(() => decodeAuctionMessage(new Uint8Array(MAX_AUCTION_MESSAGE_BYTES + 1)), { code: 'WIRE_TOO_LARGE' })
})

t.test('what is not in the one form is refused', async (t) => {
  const id = (number: number): Uint8Array => Buffer.from(hash(number).slice(2), 'hex')
  const jobs = (...numbers: number[]): Uint8Array => Buffer.concat(numbers.map(id))
  const refused = (groups: unknown, code: string): void => { t.throws(() => decodeSolution(encodeCbor([1, 7, 'x', groups])), { code }) }
  refused([[id(2), jobs(1)], [id(1), jobs(2)]], 'WIRE_NOT_CANONICAL')
  refused([[id(1), jobs(1)], [id(1), jobs(2)]], 'WIRE_NOT_CANONICAL')
  refused([[id(1), jobs(2, 1)]], 'WIRE_NOT_CANONICAL')
  refused([[id(1), jobs(1, 1)]], 'WIRE_NOT_CANONICAL')
  refused([[id(1), jobs()]], 'WIRE_INVALID')
  refused([[id(1), jobs(1).subarray(1)]], 'WIRE_INVALID')
  refused([[jobs(1, 2), jobs(1)]], 'WIRE_INVALID')
  t.throws(() => decodeSolution(encodeCbor([2, 7, 'x', []])), { code: 'WIRE_INVALID' })
  t.throws(() => decodeSolution(encodeCbor([1, 7, 'X y', []])), { code: 'WIRE_INVALID' })
  t.throws(() => decodeSolution(encodeCbor([1, 7, 'x', [], 99])), { code: 'WIRE_INVALID' }, 'a score has no place')
  t.throws(() => encodeSolution({ epoch: 7, engine: 'x', matches: [{ job: hash(1), offer: hash(1) }, { job: hash(1), offer: hash(1) }] }), { code: 'WIRE_INVALID' })
})

t.test('foreign bytes give coded errors only', async () => {
  const valid = [encodeAuctionMessage({ type: 'commit', commit }), encodeAuctionMessage({ type: 'reveal', reveal }), encodeEvidence({ commit, reveal }), reveal.solution]
  const changed = fc.record({ base: fc.constantFrom(...valid), at: fc.nat(), byte: fc.nat(255), cut: fc.nat(40) }).map(({ base, at, byte, cut }) => {
    const bytes = Uint8Array.from(base).subarray(0, base.length - cut)
    bytes[at % bytes.length] = byte
    return bytes
  })
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changed), (bytes) => [decodeAuctionMessage, decodeEvidence, decodeSolution].every((decode) => {
    try {
      decode(bytes)
      return true
    } catch (error) {
      return (error as { code?: string }).code?.startsWith('WIRE_') === true
    }
  })), { numRuns: 2000, seed: 2 })
})
