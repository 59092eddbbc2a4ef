import t from 'tap'
import { createSeededRandom } from '../../src/core/random.ts'
import { createSigner, type Signer } from '../../src/identity/signer.ts'
import { createCompetition, type Competition } from '../../src/match/competition.ts'
import { verifyEvidence } from '../../src/match/evidence.ts'
import { isFaultProven } from '../../src/match/fault.ts'
import { solveFloor } from '../../src/match/floor.ts'
import { auctionRulesShape, DEFAULT_AUCTION_RULES as RULES } from '../../src/match/options.ts'
import { epochAt, epochsSince, phasesOf } from '../../src/match/phases.ts'
import type { Match, Snapshot, Solution } from '../../src/match/problem.ts'
import { cutoffsOf, knownToAll, sameOr, snapshotOf, withoutDeparted, type Cutoff } from '../../src/match/snapshot.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { commitDigest, decodeEvidence, encodeEvidence, FALLBACK_SALT, solutionIdOf, statementOf, tieKey, type AuctionCommit, type AuctionReveal } from '../../src/wire/auction.ts'
import { encodeSolution } from '../../src/wire/solution.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { say as sayAs, type Said } from '../support/said.ts'
import { address, AT_MS, book, hash, job, offer, RULES as MATCH_RULES } from './rows.ts'

const domain = { chainId: 31337, market: address(0xfeed) }
const GENESIS = AT_MS / 1000 - 70
const phases = phasesOf(RULES, GENESIS, 7)
const keys = createSeededRandom(11)
const signers = Array.from({ length: 8 }, () => createSigner(keys.bytes(32)))
const [ann, bob, cat] = signers as [Signer, Signer, Signer]
const SALT = hash(0x5a17)

const inCommit = phases.epochStart
const inReveal = phases.commitDeadline
const inFallback = phases.revealDeadline
const inConsent = phases.fallbackDeadline

// One offer holds either jobs 1 and 2, or job 3; job 3 on offer 2 needs more limit than it has.
const snapshot = book([job(1), job(2), job(3, { resources: { cpuMilli: 95, memoryMiB: 10, diskMiB: 10 }, limit: 1200 })], [offer(1), offer(2, { maxRunSeconds: 1 })])
const match = (jobNumber: number): Match => ({ job: hash(jobNumber), offer: offer(1).id, devices: [] })
const solution = (...jobs: number[]): Solution => ({ epoch: 7, engine: 'test', matches: jobs.map(match) })

const say = (signer: Signer, what: Solution | Uint8Array, salt: Hash = SALT, epoch = 7, prices?: Uint8Array): Said => sayAs(domain, signer, { solution: what, epoch, salt, prices })
const open = (rules = RULES, isBonded?: (solver: string) => boolean): Competition => createCompetition({ domain, ...(isBonded === undefined ? {} : { isBonded }) }, { phases, rules })
const publish = (competition: Competition, signer: Signer, what: Solution, salt?: Hash): void => {
  const { commit, reveal } = say(signer, what, salt)
  const judgements = [competition.addCommit(commit, inCommit), competition.addReveal(reveal, inReveal)]
  if (judgements.some(({ verdict, code }) => verdict !== 'accept' || code !== undefined)) throw new Error(`not published: ${JSON.stringify(judgements)}`)
}
const ignored = (code: string): object => ({ verdict: 'ignore', code })
const rejected = (code: string): object => ({ verdict: 'reject', code })

t.test('epochs count from genesis and their phases ascend', async (t) => {
  t.same(phases, { epoch: 7, epochStart: AT_MS, commitDeadline: AT_MS + 4000, revealDeadline: AT_MS + 5500, fallbackDeadline: AT_MS + 6500, consentDeadline: AT_MS + 10_000 })
  t.same([AT_MS - 1, AT_MS, AT_MS + 9_999].map((now) => epochAt(RULES, GENESIS, now)), [6, 7, 7])
  t.equal(auctionRulesShape.safeParse({ ...RULES, commitBp: RULES.revealBp }).success, false)
})

t.test('a record ages by whole epochs; one that is dated ahead has none', async (t) => {
  t.same([AT_MS, AT_MS - 9_999, AT_MS - 10_000, AT_MS - 25_000, AT_MS + 30_000].map((seq) => epochsSince(RULES, seq, AT_MS)), [0, 0, 1, 2, 0])
})

t.test('a commit is taken in its phase only', async (t) => {
  const { commit } = say(ann, solution(1))
  const competition = open()
  t.same(competition.addCommit(commit, phases.epochStart - 1), ignored('AUCTION_EARLY'))
  t.same(competition.addCommit(commit, phases.commitDeadline), ignored('AUCTION_LATE'))
  t.same(competition.addCommit(commit, phases.commitDeadline - 1), { verdict: 'accept' })
  t.same(competition.addCommit(commit, inCommit), ignored('AUCTION_DUPLICATE'))
})

t.test('a message of another epoch is ignored', async (t) => {
  const { commit, reveal } = say(ann, { ...solution(1), epoch: 8 }, SALT, 8)
  t.same(open().addCommit(commit, inCommit), ignored('AUCTION_EPOCH'))
  t.same(open().addReveal(reveal, inReveal), ignored('AUCTION_EPOCH'))
  const mixed = say(ann, { ...solution(1), epoch: 8 })
  const competition = open()
  competition.addCommit(mixed.commit, inCommit)
  t.same(competition.addReveal(mixed.reveal, inReveal), rejected('AUCTION_EPOCH'), 'a solution for another epoch inside')
})

t.test('a message that its solver did not sign is rejected', async (t) => {
  const { commit, reveal } = say(ann, solution(1))
  t.same(open().addCommit({ ...commit, solver: bob.address }, inCommit), rejected('AUCTION_SIGNATURE'))
  const competition = open()
  competition.addCommit(commit, inCommit)
  t.same(competition.addReveal({ ...reveal, signature: say(bob, solution(1)).reveal.signature }, inReveal), rejected('AUCTION_SIGNATURE'))
  t.same(competition.addReveal({ ...reveal, solution: encodeSolution(solution(1, 2)) }, inReveal), rejected('AUCTION_SIGNATURE'), 'another solution under the same signature')
  t.same(competition.faults(), [], 'nobody can make a fault for somebody else')
})

t.test('a reveal is taken until its deadline and only after a commit', async (t) => {
  const { commit, reveal } = say(ann, solution(1))
  t.same(open().addReveal(reveal, inReveal), ignored('AUCTION_NO_COMMIT'))
  const competition = open()
  competition.addCommit(commit, inCommit)
  t.same(competition.addReveal(reveal, phases.revealDeadline), ignored('AUCTION_LATE'))
  t.same(competition.addReveal(reveal, phases.revealDeadline - 1), { verdict: 'accept' })
  t.same(competition.addReveal(reveal, inReveal), ignored('AUCTION_DUPLICATE'))
})

t.test('bytes that are no solution are rejected', async (t) => {
  for (const bytes of [new Uint8Array(), new Uint8Array(100).fill(0xff), new Uint8Array(66_000)]) {
    const { commit, reveal } = say(ann, bytes)
    const competition = open()
    competition.addCommit(commit, inCommit)
    t.same(competition.addReveal(reveal, inReveal), rejected('AUCTION_MALFORMED'))
  }
})

t.test('only bonded solvers may commit, and not more than the rules keep', async (t) => {
  t.same(open(RULES, (solver) => solver === ann.address).addCommit(say(bob, solution(1)).commit, inCommit), ignored('AUCTION_UNBONDED'))
  const competition = open({ ...RULES, maxSolvers: 1 })
  competition.addCommit(say(ann, solution(1)).commit, inCommit)
  t.same(competition.addCommit(say(bob, solution(1)).commit, inCommit), ignored('AUCTION_FULL'))
})

t.test('two commits of one solver are a fault that takes its solution out', async (t) => {
  const competition = open()
  publish(competition, ann, solution(1, 2))
  t.same(competition.addCommit(say(ann, solution(1)).commit, inCommit), { verdict: 'accept', code: 'AUCTION_EQUIVOCATION' })
  t.match(competition.faults(), [{ kind: 'commit-twice', solver: ann.address, epoch: 7 }])
  t.same(competition.ranking(snapshot), [])
  t.same(competition.addReveal(say(ann, solution(1)).reveal, inReveal), ignored('AUCTION_FAULTY'))
})

t.test('a reveal that its commit does not bind is a fault, as is a second reveal', async (t) => {
  const one = open()
  one.addCommit(say(ann, solution(1)).commit, inCommit)
  t.match(one.addReveal(say(ann, solution(1, 2)).reveal, inReveal), { code: 'AUCTION_EQUIVOCATION' })
  t.match(one.faults(), [{ kind: 'reveal-mismatch' }])
  const two = open()
  publish(two, ann, solution(1))
  t.match(two.addReveal(say(ann, solution(1, 2)).reveal, inReveal), { code: 'AUCTION_EQUIVOCATION' })
  t.match(two.faults(), [{ kind: 'reveal-twice' }])
  t.same([...one.ranking(snapshot), ...two.ranking(snapshot)], [])
})

t.test('a fault convinces who was not there, an invented one does not', async (t) => {
  const first = say(ann, solution(1))
  const second = say(ann, solution(1, 2))
  const head = { solver: ann.address, epoch: 7 }
  t.equal(isFaultProven(domain, { ...head, kind: 'commit-twice', messages: [first.commit, second.commit] }), true)
  t.equal(isFaultProven(domain, { ...head, kind: 'reveal-mismatch', messages: [first.commit, statementOf(second.reveal)] }), true)
  t.equal(isFaultProven(domain, { ...head, kind: 'reveal-twice', messages: [statementOf(first.reveal), statementOf(second.reveal)] }), true)
  t.equal(isFaultProven(domain, { ...head, kind: 'commit-twice', messages: [first.commit, first.commit] }), false)
  t.equal(isFaultProven(domain, { ...head, kind: 'reveal-mismatch', messages: [first.commit, statementOf(first.reveal)] }), false)
  t.equal(isFaultProven(domain, { ...head, kind: 'reveal-twice', messages: [statementOf(first.reveal), statementOf(first.reveal)] }), false)
  t.equal(isFaultProven(domain, { ...head, kind: 'commit-twice', messages: [first.commit, { ...say(bob, solution(1)).commit, solver: ann.address }] }), false)
})

t.test('the highest recomputed score wins, whatever order messages came in', async (t) => {
  const [one, two] = [open(), open()]
  publish(one, ann, solution(1))
  publish(one, bob, solution(1, 2))
  publish(two, bob, solution(1, 2))
  publish(two, ann, solution(1))
  t.match(one.ranking(snapshot), [{ solver: bob.address, engine: 'test', score: 200, matches: 2, winner: true, fallback: false }, { solver: ann.address, score: 100, matches: 1, winner: false }])
  t.same(one.ranking(snapshot), two.ranking(snapshot))
  t.match(one.winner(snapshot), { solver: bob.address, solutionId: solutionIdOf(encodeSolution(solution(1, 2))) })
})

t.test('equal scores go to the lowest keccak of epoch and solver', async (t) => {
  const competition = open()
  for (const [at, signer] of signers.entries()) publish(competition, signer, solution(1, 2), hash(at + 1))
  const order = signers.map((signer) => signer.address).sort((left, right) => tieKey(7, left) < tieKey(7, right) ? -1 : 1)
  t.same(competition.ranking(snapshot).map((entry) => entry.solver), order)
})

t.test('an infeasible solution never wins, however much it promises', async (t) => {
  const competition = open()
  publish(competition, ann, solution(1, 2, 3))
  t.match(competition.ranking(snapshot), [{ score: 0, winner: false }])
  t.equal(competition.winner(snapshot), undefined)
  publish(competition, bob, solution(1))
  t.equal(competition.winner(snapshot)?.solver, bob.address)
})

t.test('no message can carry a score: a tampered solution is another solution, scored anew', async (t) => {
  const competition = open()
  publish(competition, ann, solution(1))
  const evidence = competition.evidence(ann.address) as { commit: AuctionCommit, reveal: AuctionReveal }
  const claim = { ...evidence.reveal, score: 1_000_000 } as AuctionReveal
  t.match(verifyEvidence(domain, { ...evidence, reveal: claim }, snapshot), { ok: true, verified: { score: 100 } })
  t.same(encodeEvidence({ ...evidence, reveal: claim }), encodeEvidence(evidence), 'a claimed score is not even encoded')
  t.same(verifyEvidence(domain, { ...evidence, reveal: { ...evidence.reveal, solution: encodeSolution(solution(1, 2)) } }, snapshot), { ok: false, code: 'AUCTION_SIGNATURE' })
  t.same(verifyEvidence(domain, { commit: evidence.commit, reveal: say(ann, solution(1, 2)).reveal }, snapshot), { ok: false, code: 'AUCTION_MISMATCH' })
  t.same(verifyEvidence(domain, { reveal: evidence.reveal }, snapshot), { ok: false, code: 'AUCTION_NO_COMMIT' })
  t.same(verifyEvidence(domain, { commit: say(bob, solution(1)).commit, reveal: evidence.reveal }, snapshot), { ok: false, code: 'AUCTION_MISMATCH' })
  const head = { epoch: 7, solver: bob.address, commitment: evidence.commit.commitment }
  t.same(verifyEvidence(domain, { commit: { ...head, signature: bob.sign(commitDigest(domain, head)) }, reveal: evidence.reveal }, snapshot), { ok: false, code: 'AUCTION_MISMATCH' }, 'the same commitment, signed by another solver')
  t.same(verifyEvidence(domain, { ...evidence, commit: { ...evidence.commit, signature: evidence.reveal.signature } }, snapshot), { ok: false, code: 'AUCTION_SIGNATURE' })
})

t.test('the floor may be posted in the fall-back phase, without a commit and by anyone who made none', async (t) => {
  const { reveal } = say(cat, solveFloor(snapshot), FALLBACK_SALT)
  const competition = open(RULES, () => false)
  t.same(competition.addReveal(reveal, phases.revealDeadline - 1), ignored('AUCTION_EARLY'))
  t.same(competition.addReveal(reveal, phases.fallbackDeadline), ignored('AUCTION_LATE'))
  t.same(competition.addReveal(reveal, inFallback), { verdict: 'accept' })
  t.match(competition.winner(snapshot), { solver: cat.address, fallback: true, score: verifySolution(snapshot, solveFloor(snapshot)).score })
  const other = open()
  other.addCommit(say(cat, solution(1)).commit, inCommit)
  t.same(other.addReveal(reveal, inFallback), ignored('AUCTION_MISMATCH'))
  t.same(open({ ...RULES, maxFallbacks: 0 }).addReveal(reveal, inFallback), ignored('AUCTION_FULL'))
})

t.test('a posting never counts more than the floor, so seeing all reveals gains nothing', async (t) => {
  // The floor serves job 3, the highest bid, for 40; jobs 1 and 2 in its place are worth 200.
  const greedy = book([job(1), job(2), job(3, { resources: { cpuMilli: 95, memoryMiB: 10, diskMiB: 10 }, limit: 1040 })], [offer(1)])
  t.equal(verifySolution(greedy, solveFloor(greedy)).score, 40)
  t.equal(verifySolution(greedy, solution(1, 2)).score, 200)
  const competition = open()
  // Whoever committed stands first, even with the highest tie key.
  const [last, ...others] = [...signers].sort((left, right) => tieKey(7, left.address) < tieKey(7, right.address) ? 1 : -1) as [Signer, ...Signer[]]
  publish(competition, last, solution(3))
  for (const signer of others) competition.addReveal(say(signer, solution(1, 2), FALLBACK_SALT).reveal, inFallback)
  t.equal(competition.ranking(greedy).length, signers.length)
  t.match(competition.ranking(greedy), [{ solver: last.address, score: 40, winner: true }, { score: 40, fallback: true, winner: false }])
})

t.test('solvers take what was there at the boundary, verifiers what was there before the commit deadline, for one tick what came after the grace period began', async (t) => {
  const { solve, verify } = cutoffsOf(phases, RULES)
  t.same([solve, verify], [{ seenBeforeMs: AT_MS, lateFromMs: AT_MS - 1000, freshFromMs: AT_MS - 2000, datedFromMs: AT_MS - 3000 }, { seenBeforeMs: AT_MS + 4000, lateFromMs: AT_MS - 1000, freshFromMs: AT_MS - 2000, datedFromMs: AT_MS - 3000, goneFromMs: AT_MS - 2000 }])
  const seen = { jobs: [AT_MS - 1001, AT_MS - 1000, AT_MS - 1, AT_MS, AT_MS + 3999, AT_MS + 4000].map((firstSeenMs, at) => ({ row: job(at + 1), writtenMs: 0, firstSeenMs })), offers: [{ row: offer(1), writtenMs: 0, firstSeenMs: 0 }] }
  const held = (cutoff: Cutoff): unknown[] => snapshotOf(seen, { phases, cutoff, rules: MATCH_RULES }).jobs.map((row) => [row.id, row.late === true])
  t.same(held(solve), [[hash(1), false], [hash(2), true], [hash(3), true]])
  t.same(held(verify), [[hash(1), false], [hash(2), true], [hash(3), true], [hash(4), true], [hash(5), true]])
  const late = snapshotOf(seen, { phases, cutoff: verify, rules: MATCH_RULES })
  t.match(verifySolution(late, { ...solution(), matches: [match(1)] }), { ok: true, score: 100 })
  t.match(verifySolution(late, { ...solution(), matches: [match(1), match(5)] }), { ok: true, score: 101 }, 'a late one is matched for a tick')
  t.same(knownToAll(late).jobs.map(({ id }) => id), [hash(1)], 'and tells nothing about prices')
  t.equal(verifySolution({ ...late, offers: late.offers.map((row) => ({ ...row, late: true })) }, { ...solution(), matches: [match(1)] }).score, 1, 'nor does a late offer count more')
  t.match(snapshotOf(seen, { phases, cutoff: solve, rules: MATCH_RULES }), { epoch: 7, atMs: phases.epochStart })
})

t.test('a book that stands still is one snapshot for who solves, who verifies and what is priced; rows that differ make another', async (t) => {
  const { solve, verify } = cutoffsOf(phases, RULES)
  const seenWith = (firstSeenMs: number): Parameters<typeof snapshotOf>[0] => ({ jobs: [{ row: rows[0], writtenMs: 0, firstSeenMs: 0 }, { row: rows[1], writtenMs: 0, firstSeenMs }], offers: [] })
  const rows = [job(1), job(2)] as const
  const quiet = snapshotOf(seenWith(AT_MS - 1500), { phases, cutoff: solve, rules: MATCH_RULES })
  const again = snapshotOf(seenWith(AT_MS - 1500), { phases, cutoff: verify, rules: MATCH_RULES })
  t.equal(quiet.jobs[1]?.fresh, true)
  t.equal(sameOr(quiet, again), quiet)
  t.equal(knownToAll(quiet), quiet)
  const lively = snapshotOf(seenWith(AT_MS + 1), { phases, cutoff: verify, rules: MATCH_RULES })
  t.equal(sameOr(quiet, lively), lively, 'one came late')
  t.equal(sameOr(quiet, { ...again, epoch: 8 }).epoch, 8)
  t.same(knownToAll(lively).jobs, [rows[0]])
})

t.test('a record that left too late for solvers to know counts for who verifies, wherever in that span each node saw it leave', async (t) => {
  const { solve, verify } = cutoffsOf(phases, RULES)
  const seenBy = (goneMs: number): Parameters<typeof snapshotOf>[0] => ({
    jobs: [{ row: job(1), writtenMs: 0, firstSeenMs: 0, goneMs }, { row: job(2), writtenMs: 0, firstSeenMs: 0 }],
    // The provider's unit had room for both jobs; what came after has room for none.
    offers: [{ row: offer(1), writtenMs: 0, firstSeenMs: 0, goneMs }, { row: { ...offer(9, { capacity: { cpuMilli: 1, memoryMiB: 1, diskMiB: 1 } }), account: offer(1).account }, writtenMs: 0, firstSeenMs: goneMs }]
  })
  const at = (goneMs: number, cutoff: Cutoff): Snapshot => snapshotOf(seenBy(goneMs), { phases, cutoff, rules: MATCH_RULES })
  t.match(verifySolution(at(AT_MS - 2001, verify), solution(1, 2)), { ok: true, counted: 0, unknown: 2 }, 'gone before the span')
  const [early, late] = [at(AT_MS - 2000, verify), at(AT_MS + 3999, verify)]
  const verified = verifySolution(early, solution(1, 2))
  t.match(verified, { ok: true, counted: 2, unknown: 0 })
  t.same(verifySolution(late, solution(1, 2)), verified, 'scored alike')
  t.match(verifySolution(early, { ...solution(1, 2), matches: [match(1), { job: hash(2), offer: offer(9).id, devices: [] }] }), { code: 'MATCH_INADMISSIBLE' })
  t.same(at(AT_MS - 2000, solve).jobs.map(({ id }) => id), [hash(2)], 'who solves takes nothing that has left')
  t.same(withoutDeparted(early).offers.map(({ id }) => id), [offer(9).id], 'what remains is marked')
})

t.test('two nodes that hold different records rank differently, and evidence settles which pair to take', async (t) => {
  // The creator of job 2 knows all; the provider missed job 2 and one of the solutions.
  const providers = book([job(1), job(3, { resources: { cpuMilli: 95, memoryMiB: 10, diskMiB: 10 }, limit: 1200 })], [offer(1)])
  const [creator, provider] = [open(), open()]
  for (const node of [creator, provider]) publish(node, ann, solution(1))
  publish(creator, bob, solution(2, 1))
  t.equal(creator.winner(snapshot)?.solver, bob.address)
  t.equal(provider.winner(providers)?.solver, ann.address)
  // The creator's consent request brings bob's evidence, and job 2 with it.
  const bytes = encodeEvidence(creator.evidence(bob.address) as NonNullable<ReturnType<Competition['evidence']>>)
  t.match(verifyEvidence(domain, decodeEvidence(bytes), providers), { ok: true, verified: { ok: true, score: 100, unknown: 1 } })
  t.same(provider.adopt(decodeEvidence(bytes), inConsent), { verdict: 'accept' })
  t.same(provider.ranking(snapshot).map((entry) => entry.solver), creator.ranking(snapshot).map((entry) => entry.solver))
  t.equal(provider.winner(snapshot)?.solver, bob.address)
})

t.test('a solver that is not listened to commits in vain, but what another party shows of it counts', async (t) => {
  const source = open()
  publish(source, ann, solution(1))
  const evidence = source.evidence(ann.address) as NonNullable<ReturnType<Competition['evidence']>>
  const deaf = createCompetition({ domain, isWelcome: () => false }, { phases, rules: RULES })
  t.same(deaf.addCommit(evidence.commit as AuctionCommit, inCommit), ignored('AUCTION_COOLING'))
  t.same(deaf.addReveal(evidence.reveal, inReveal), ignored('AUCTION_NO_COMMIT'))
  t.same(deaf.adopt(evidence, inConsent), { verdict: 'accept' })
  t.equal(deaf.winner(snapshot)?.solver, ann.address)
})

t.test('evidence is adopted until consents end, and never of a solver at fault', async (t) => {
  const source = open()
  publish(source, ann, solution(1))
  const evidence = source.evidence(ann.address) as NonNullable<ReturnType<Competition['evidence']>>
  t.same(open().adopt(evidence, phases.revealDeadline - 1), ignored('AUCTION_EARLY'))
  t.same(open().adopt(evidence, phases.consentDeadline), ignored('AUCTION_LATE'))
  t.same(open(RULES, () => false).adopt(evidence, inConsent), ignored('AUCTION_UNBONDED'))
  t.same(open().adopt({ ...evidence, reveal: { ...evidence.reveal, salt: hash(1) } }, inConsent), rejected('AUCTION_SIGNATURE'))
  const knows = open()
  knows.addCommit(evidence.commit as AuctionCommit, inCommit)
  t.same(knows.adopt(evidence, inConsent), { verdict: 'accept' }, 'a commit without its reveal is completed')
  t.same(knows.adopt(evidence, inConsent), ignored('AUCTION_DUPLICATE'))
  const other = open()
  other.addCommit(say(ann, solution(1, 2)).commit, inCommit)
  t.same(other.adopt(evidence, inConsent), { verdict: 'accept', code: 'AUCTION_EQUIVOCATION' })
  t.same(other.adopt(evidence, inConsent), ignored('AUCTION_FAULTY'))
  const posting = open()
  posting.addReveal(say(cat, solution(1), FALLBACK_SALT).reveal, inFallback)
  const late = open()
  t.same(late.adopt(posting.evidence(cat.address) as typeof evidence, inConsent), { verdict: 'accept' }, 'a posting needs no commit')
  t.equal(late.winner(snapshot)?.solver, cat.address)
})

t.test('a certificate counts whether it comes before or after its reveal, and only as it was committed', async (t) => {
  const prices = new Uint8Array(12).fill(1)
  const { commit, reveal, certificate } = say(ann, solution(1), SALT, 7, prices)
  for (const order of ['first', 'last']) {
    const competition = open()
    t.same(competition.addCertificate(certificate, inReveal), ignored('AUCTION_NO_COMMIT'))
    competition.addCommit(commit, inCommit)
    if (order === 'last') competition.addReveal(reveal, inReveal)
    t.same(competition.addCertificate(certificate, inReveal), { verdict: 'accept' }, order)
    t.same(competition.addCertificate(certificate, inReveal), ignored('AUCTION_DUPLICATE'))
    if (order === 'first') t.same(competition.addReveal(reveal, inReveal), { verdict: 'accept' })
    t.same(competition.certificates(), [{ commit, certificate }])
    t.equal(competition.winner(snapshot)?.solver, ann.address)
  }
  const competition = open()
  competition.addCommit(commit, inCommit)
  t.same(competition.addCertificate(certificate, phases.revealDeadline), ignored('AUCTION_LATE'))
  t.same(competition.addCertificate({ ...certificate, certificate: new Uint8Array(12) }, inReveal), rejected('AUCTION_SIGNATURE'), 'other prices under the same signature')
  t.same(competition.certificates(), [])
})

t.test('another certificate than the committed one, or than the revealed one, is a fault', async (t) => {
  const [one, two] = [new Uint8Array(12).fill(1), new Uint8Array(12).fill(2)]
  const honest = say(ann, solution(1), SALT, 7, one)
  const other = say(ann, solution(1), SALT, 7, two)
  const mismatch = open()
  mismatch.addCommit(honest.commit, inCommit)
  t.match(mismatch.addCertificate(other.certificate, inReveal), { code: 'AUCTION_EQUIVOCATION' })
  t.match(mismatch.faults(), [{ kind: 'reveal-mismatch' }])
  const twice = open()
  twice.addCommit(honest.commit, inCommit)
  twice.addCertificate(honest.certificate, inReveal)
  t.match(twice.addReveal(other.reveal, inReveal), { code: 'AUCTION_EQUIVOCATION' })
  t.match(twice.faults(), [{ kind: 'reveal-twice' }])
  t.ok([...mismatch.faults(), ...twice.faults()].every((fault) => isFaultProven(domain, fault)))
  t.same([twice.certificates(), twice.ranking(snapshot)], [[], []], 'neither solution nor certificate count')
})

t.test('a posting has no certificate', async (t) => {
  t.same(open().addReveal(say(cat, solution(1), FALLBACK_SALT, 7, new Uint8Array(12)).reveal, inFallback), rejected('AUCTION_MALFORMED'))
})

t.test('a certificate may be adopted with its commit while parties consent, from a bonded solver', async (t) => {
  const { commit, certificate } = say(ann, solution(1), SALT, 7, new Uint8Array(12))
  const stranger = say(bob, solution(1), SALT, 7, new Uint8Array(12))
  const competition = open(RULES, (solver) => solver === ann.address)
  t.same(competition.adoptCertificate({ commit, certificate }, inReveal), ignored('AUCTION_EARLY'))
  t.same(competition.adoptCertificate({ commit, certificate }, inConsent), { verdict: 'accept' })
  t.same(competition.adoptCertificate({ commit, certificate }, inConsent), ignored('AUCTION_DUPLICATE'))
  t.same(competition.adoptCertificate(stranger, inConsent), ignored('AUCTION_UNBONDED'))
  t.same(competition.adoptCertificate({ commit: stranger.commit, certificate }, inConsent), rejected('AUCTION_MISMATCH'))
  t.same(competition.adoptCertificate({ commit, certificate }, phases.consentDeadline), ignored('AUCTION_LATE'))
})
