import { bytesToHex } from 'viem'
import { createSeededRandom } from '../../src/core/random.ts'
import { createSigner } from '../../src/identity/signer.ts'
import { admissible } from '../../src/match/admissible.ts'
import { solveFloor } from '../../src/match/floor.ts'
import { createInstance } from '../../src/match/instance.ts'
import { DEFAULT_AUCTION_RULES, DEFAULT_MATCH_RULES } from '../../src/match/options.ts'
import { phasesOf } from '../../src/match/phases.ts'
import { askFor, collateralFor, feeFor, priceFor, referenceFor, welfareOf } from '../../src/match/price.ts'
import type { Match, Snapshot } from '../../src/match/problem.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { commitDigest, commitmentOf, encodeAuctionMessage, encodeEvidence, FALLBACK_SALT, revealDigest, solutionIdOf, tieKey } from '../../src/wire/auction.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { encodeSolution } from '../../src/wire/solution.ts'

const AT_MS = 1_700_000_000_000

/** protocol/vectors/matching.json and auction.json: inputs and what the functions of src/match and src/wire/auction.ts make of them. */
export function matchingVectors (): Record<string, unknown> {
  return { 'matching.json': matching(), 'auction.json': auction() }
}

function matching (): unknown {
  const snapshot = createInstance(createSeededRandom(6), { jobs: 6, offers: 3, rules: DEFAULT_MATCH_RULES, nowMs: AT_MS, loadPercent: 100 })
  const { rules, atMs } = snapshot
  const pairs = snapshot.jobs.flatMap((job) => snapshot.offers.map((offer) => {
    const result = admissible(job, offer, rules, atMs)
    const ask = askFor(job.offer, offer.offer)
    const head = { job: job.id, offer: offer.id, ask, reference: referenceFor(job.offer, rules) }
    if (!result.ok) return { ...head, reason: result.reason }
    const price = priceFor(job.offer, offer.offer, rules)
    return { ...head, price, fee: feeFor(price, rules), collateral: collateralFor(price, rules, job.offer), welfare: welfareOf(job.offer, offer.offer, rules) }
  }))
  const floor = solveFloor(snapshot)
  const first = floor.matches[0] as Match
  const unknown = `0x${'ee'.repeat(32)}` as const
  const refused = pairs.find((pair) => 'reason' in pair) as { job: Hash, offer: Hash }
  const cases: Record<string, Match[]> = {
    floor: [...floor.matches], empty: [], 'job twice': [first, first], inadmissible: [{ job: refused.job, offer: refused.offer, devices: [] }],
    'unknown ids': [first, { job: unknown, offer: first.offer, devices: [] }], ...overCapacity(snapshot, pairs)
  }
  const solutions = Object.entries(cases).map(([name, matches]) => ({ name, matches, expect: verifySolution(snapshot, { epoch: snapshot.epoch, engine: 'vector', matches }) }))
  return { about: 'protocol/matching.md. Amounts in nLILY, times in ms.', snapshot, pairs, solutions }
}

/** Every admissible job on the offer that most of them could take. */
function overCapacity (snapshot: Snapshot, pairs: Array<{ job: Hash, offer: Hash } & ({ reason: string } | { price: number })>): Record<string, Match[]> {
  const most = snapshot.offers.map((offer) => pairs.filter((pair) => pair.offer === offer.id && 'price' in pair)).sort((left, right) => right.length - left.length)[0] ?? []
  return { 'all on one offer': most.map(({ job, offer }) => ({ job, offer, devices: [] })) }
}

function auction (): unknown {
  const domain = { chainId: 31337, market: '0x00000000000000000000000000000000000000aa' } as const
  const privateKey = new Uint8Array(32).fill(7)
  const signer = createSigner(privateKey)
  const epoch = 42
  const id = (number: number): Hash => `0x${number.toString(16).padStart(16, '0').padEnd(64, '0')}`
  const solution = { epoch, engine: 'floor', matches: [{ job: id(3), offer: id(10), devices: [5, 2] }, { job: id(1), offer: id(10), devices: [] }, { job: id(2), offer: id(9), devices: [63] }] }
  const bytes = encodeSolution(solution)
  const solutionId = solutionIdOf(bytes)
  const salt = id(0x5a17)
  const unsignedCommit = { epoch, solver: signer.address, commitment: commitmentOf(solutionId, salt, signer.address) }
  const commit = { ...unsignedCommit, signature: signer.sign(commitDigest(domain, unsignedCommit)) }
  const unsignedReveal = { epoch, solver: signer.address, solution: bytes, salt }
  const reveal = { ...unsignedReveal, signature: signer.sign(revealDigest(domain, unsignedReveal)) }
  const unsignedPosting = { ...unsignedReveal, salt: FALLBACK_SALT }
  const posting = { ...unsignedPosting, signature: signer.sign(revealDigest(domain, unsignedPosting)) }
  return {
    about: 'protocol/auction.md. The private key is for this vector only.',
    domain, privateKey: bytesToHex(privateKey), solver: signer.address,
    solution: { value: solution, bytes: bytesToHex(bytes), solutionId },
    salt,
    commit: { value: commit, digest: commitDigest(domain, commit), bytes: bytesToHex(encodeAuctionMessage({ type: 'commit', commit })) },
    reveal: { digest: revealDigest(domain, reveal), signature: reveal.signature, bytes: bytesToHex(encodeAuctionMessage({ type: 'reveal', reveal })) },
    posting: { digest: revealDigest(domain, posting), signature: posting.signature, bytes: bytesToHex(encodeAuctionMessage({ type: 'reveal', reveal: posting })) },
    evidence: bytesToHex(encodeEvidence({ commit, reveal })),
    tieKey: tieKey(epoch, signer.address),
    phases: { rules: DEFAULT_AUCTION_RULES, genesisTime: 1_700_000_000, value: phasesOf(DEFAULT_AUCTION_RULES, 1_700_000_000, epoch) }
  }
}
