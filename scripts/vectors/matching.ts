import { bytesToHex } from 'viem'
import { createSeededRandom } from '../../src/core/random.ts'
import { createSigner } from '../../src/identity/signer.ts'
import { admissible } from '../../src/match/admissible.ts'
import { devicesFor, type Devices } from '../../src/match/devices.ts'
import { solveFloor } from '../../src/match/floor.ts'
import { createInstance } from '../../src/match/instance.ts'
import { mediatorSetHash } from '../../src/match/mediators.ts'
import { DEFAULT_AUCTION_RULES, DEFAULT_MATCH_RULES } from '../../src/match/options.ts'
import { phasesOf } from '../../src/match/phases.ts'
import { askFor, collateralFor, feeFor, priceFor, referenceAlone, referenceFor } from '../../src/match/price.ts'
import type { JobRow, Match, Snapshot } from '../../src/match/problem.ts'
import { ageFor, premiumFor, welfareOf } from '../../src/match/score.ts'
import { tickFor } from '../../src/match/ticks.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { certificateIdOf, certificateSetOf, commitDigest, commitmentOf, encodeProof, NO_CERTIFICATE, statementOf, encodeAuctionMessage, encodeEvidence, FALLBACK_SALT, revealDigest, solutionIdOf, tieKey } from '../../src/wire/auction.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { encodeSolution } from '../../src/wire/solution.ts'

const AT_MS = 1_700_000_000_000

/** protocol/vectors/matching.json and auction.json: inputs and what the functions of src/match and src/wire/auction.ts make of them. */
export function matchingVectors (): Record<string, unknown> {
  return { 'matching.json': matching(), 'auction.json': auction() }
}

function matching (): unknown {
  const rules = { ...DEFAULT_MATCH_RULES, mediatorSets: [[`0x${'cd'.repeat(20)}`, `0x${'ab'.repeat(20)}`]] as Array<Array<`0x${string}`>> }
  const made = createInstance(createSeededRandom(582), { jobs: 14, offers: 5, rules, nowMs: AT_MS, loadPercent: 130, gpuPercent: 60, togetherPercent: 30 })
  const snapshot: Snapshot = { ...made, jobs: made.jobs.map((row, at) => ({ ...row, ageEpochs: at * 5 })), offers: made.offers.map((row, at) => ({ ...row, reputationBp: 10_000 - at * 1000 })) }
  const pairs = snapshot.jobs.flatMap((job) => snapshot.offers.map((offer) => {
    const result = admissible(job, offer, snapshot)
    const head = { job: job.id, offer: offer.id }
    if (!result.ok) return { ...head, reason: result.reason }
    const devices = devicesFor(job.offer, offer.offer) as Devices
    const ask = askFor(job.offer, offer.offer, devices)
    const price = priceFor(job.offer, offer.offer, rules, devices)
    return {
      ...head, devices, ask, reference: referenceFor(job.offer, offer.offer, rules, devices), price, fee: feeFor(price, rules), collateral: collateralFor(price, rules, job.offer),
      premium: premiumFor(ask, offer, rules), age: ageFor(job, rules), welfare: welfareOf(job, offer, rules, devices)
    }
  }))
  const verify = (matches: readonly Match[]): unknown => verifySolution(snapshot, { epoch: snapshot.epoch, engine: 'vector', matches })
  const solutions = Object.entries(casesOf(snapshot, pairs)).map(([name, matches]) => ({ name, matches, expect: verify(matches) }))
  return {
    about: 'protocol/matching.md. Amounts in nLILY, times in ms.', snapshot, references: snapshot.jobs.map(({ id, offer }) => ({ job: id, reference: referenceAlone(offer, rules) })), pairs, solutions,
    ticks: [0, 1, 99, 101, 102, 103, 1000, 1_000_000, 2 ** 52].map((price) => ({ price, tick: tickFor(price) })),
    mediatorSets: rules.mediatorSets.map((members) => ({ members, hash: mediatorSetHash(members) }))
  }
}

type PairVector = { job: Hash, offer: Hash } & ({ reason: string } | { price: number, devices: Devices })

/** The floor's solution and what becomes of it with something wrong in it. */
function casesOf (snapshot: Snapshot, pairs: readonly PairVector[]): Record<string, Match[]> {
  const floor = [...solveFloor(snapshot).matches]
  const isAlone = ({ offer }: JobRow): boolean => offer.group.size === 0 && !('replicas' in offer.verification)
  const jobOf = (match: { job: Hash }): JobRow => snapshot.jobs.find(({ id }) => id === match.job) as JobRow
  const plain = floor.find((match) => isAlone(jobOf(match))) as Match
  const served = floor.find(({ devices }) => devices.length > 0) as Match
  const replica = floor.find((match) => 'replicas' in jobOf(match).offer.verification) as Match
  const member = floor.find((match) => jobOf(match).offer.group.size > 1) as Match
  const refused = pairs.find((pair) => 'reason' in pair && pair.reason !== 'gpu' && snapshot.jobs.find(({ id }) => id === pair.job)?.offer.gpus.length === 0) as PairVector
  const onOne = snapshot.offers.map((offer) => pairs.flatMap((pair): Match[] => pair.offer === offer.id && 'price' in pair && isAlone(jobOf(pair)) ? [{ job: pair.job, offer: pair.offer, devices: [...pair.devices] }] : []))
  const full = onOne.find((matches) => verifySolution(snapshot, { epoch: snapshot.epoch, engine: 'vector', matches }).code === 'MATCH_OVER_CAPACITY') as Match[]
  const without = (match: Match): Match[] => floor.filter((other) => other !== match)
  return {
    floor, empty: [], 'job twice': [plain, plain], inadmissible: [{ job: refused.job, offer: refused.offer, devices: [] }],
    'unknown ids': [plain, { job: `0x${'ee'.repeat(32)}`, offer: plain.offer, devices: [] }],
    'an unknown replica': [...without(replica), { ...replica, offer: `0x${'ee'.repeat(32)}` }],
    'a replica missing': without(replica), 'a member of a group missing': without(member),
    'wrong devices': [...without(served), { ...served, devices: served.devices.map(() => 63) }],
    'all on one offer': full
  }
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
  const certificate = new Uint8Array(40).map((_, at) => at)
  const statement = { epoch, solver: signer.address, solutionId, certificateId: certificateIdOf(signer.address, certificate), salt }
  const unsignedCommit = { epoch, solver: signer.address, commitment: commitmentOf(statement) }
  const commit = { ...unsignedCommit, signature: signer.sign(commitDigest(domain, unsignedCommit)) }
  const signature = signer.sign(revealDigest(domain, statement))
  const reveal = { epoch, solver: signer.address, solution: bytes, certificateId: statement.certificateId, salt, signature }
  const certified = { epoch, solver: signer.address, solutionId, salt, signature, certificate }
  const posted = { ...statement, certificateId: NO_CERTIFICATE, salt: FALLBACK_SALT }
  const posting = { epoch, solver: signer.address, solution: bytes, certificateId: NO_CERTIFICATE, salt: FALLBACK_SALT, signature: signer.sign(revealDigest(domain, posted)) }
  return {
    about: 'protocol/auction.md. The private key is for this vector only.',
    domain, privateKey: bytesToHex(privateKey), solver: signer.address,
    solution: { value: solution, bytes: bytesToHex(bytes), solutionId },
    salt,
    commit: { value: commit, digest: commitDigest(domain, commit), bytes: bytesToHex(encodeAuctionMessage({ type: 'commit', commit })) },
    reveal: { digest: revealDigest(domain, statement), signature: reveal.signature, bytes: bytesToHex(encodeAuctionMessage({ type: 'reveal', reveal })) },
    posting: { digest: revealDigest(domain, statementOf(posting)), signature: posting.signature, bytes: bytesToHex(encodeAuctionMessage({ type: 'reveal', reveal: posting })) },
    certificate: { bytes: bytesToHex(encodeAuctionMessage({ type: 'certificate', certificate: certified })), certificate: bytesToHex(certificate), certificateId: statement.certificateId },
    evidence: bytesToHex(encodeEvidence({ commit, reveal })),
    proof: bytesToHex(encodeProof({ commit, certificate: certified })),
    certificateSet: certificateSetOf([id(2), id(1)]),
    tieKey: tieKey(epoch, signer.address),
    phases: { rules: DEFAULT_AUCTION_RULES, genesisTime: 1_700_000_000, value: phasesOf(DEFAULT_AUCTION_RULES, 1_700_000_000, epoch) }
  }
}
