import { statementOf, type AuctionCertificate, type AuctionCommit, type AuctionReveal, type CertificateProof, type Evidence, type Statement } from '../wire/auction.ts'
import type { Address } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'
import { doesReveal, isCommitSigned, isSameStatement, isStatementSigned, openEvidence, openReveal, type EvidenceCode, type Opened } from './evidence.ts'
import type { Fault } from './fault.ts'
import type { AuctionRules } from './options.ts'
import type { Phases } from './phases.ts'
import type { Snapshot } from './problem.ts'
import { createRanking, isPosting, type Ranked, type Yardstick } from './ranking.ts'

/** Why a message was not taken (protocol/auction.md says which of them cost the sender score). */
export type AuctionCode = EvidenceCode | 'AUCTION_EARLY' | 'AUCTION_LATE' | 'AUCTION_DUPLICATE' | 'AUCTION_UNBONDED' | 'AUCTION_COOLING' | 'AUCTION_FULL' | 'AUCTION_FAULTY' | 'AUCTION_EQUIVOCATION'

/** What to do with a message: pass it on, drop it, or drop it and blame who sent it. */
export interface Judgement { verdict: 'accept' | 'ignore' | 'reject', code?: AuctionCode }

/** The auction of one epoch as one node sees it. Pure: time comes in with each message. */
export interface Competition {
  readonly phases: Phases
  addCommit: (commit: AuctionCommit, nowMs: number) => Judgement
  addReveal: (reveal: AuctionReveal, nowMs: number) => Judgement
  addCertificate: (certificate: AuctionCertificate, nowMs: number) => Judgement
  /** Takes another node's evidence until consents end, so that both rank the same solutions. */
  adopt: (evidence: Evidence, nowMs: number) => Judgement
  /** The same for a certificate. */
  adoptCertificate: (proof: CertificateProof, nowMs: number) => Judgement
  /** Every published solution, best first. Infeasible ones stand last with score 0 and never win. `yardstick` tells the fair ones. */
  ranking: (snapshot: Snapshot, yardstick?: Yardstick) => Ranked[]
  winner: (snapshot: Snapshot) => Ranked | undefined
  /** What makes another node take this solver's solution. */
  evidence: (solver: Address) => Evidence | undefined
  /** Price certificates of solvers without a fault, each as another node can check it. */
  certificates: () => CertificateProof[]
  faults: () => readonly Fault[]
  /** Solvers that committed and did not reveal; none where no committed solution was revealed at all, since this node may have been cut off. */
  silent: () => Address[]
}

export interface CompetitionComponents {
  domain: Domain
  /** Whether a solver may commit: its bond in the contracts. Left out: everyone may. */
  isBonded?: (solver: Address) => boolean
  /** Whether this node listens to the solver's own commits; what a party adopts from the other is taken all the same. Left out: to everyone. */
  isWelcome?: (solver: Address) => boolean
}

/** Opens the competition of one epoch. */
export function createCompetition (components: CompetitionComponents, options: { phases: Phases, rules: Pick<AuctionRules, 'maxSolvers' | 'maxFallbacks'> }): Competition {
  const { domain, isBonded = () => true, isWelcome = () => true } = components
  const { phases, rules } = options
  const commits = new Map<Address, AuctionCommit>()
  const reveals = new Map<Address, Opened>()
  const statements = new Map<Address, Statement>()
  const certificates = new Map<Address, CertificateProof>()
  const faults = new Map<Address, Fault>()

  const fault = (found: Fault): Judgement => {
    faults.set(found.solver, found)
    reveals.delete(found.solver)
    certificates.delete(found.solver)
    // Passed on: every node shall know before it consents.
    return { verdict: 'accept', code: 'AUCTION_EQUIVOCATION' }
  }

  /** The rules that commits, reveals and postings share. */
  const screen = (message: { epoch: number, solver: Address }, nowMs: number, from: number, until: number): Judgement | undefined => {
    if (message.epoch !== phases.epoch) return ignore('AUCTION_EPOCH')
    if (nowMs < from) return ignore('AUCTION_EARLY')
    if (nowMs >= until) return ignore('AUCTION_LATE')
    return faults.has(message.solver) ? ignore('AUCTION_FAULTY') : undefined
  }

  const takeCommit = (commit: AuctionCommit): Judgement => {
    const { epoch, solver } = commit
    const first = commits.get(solver)
    if (first?.commitment === commit.commitment) return ignore('AUCTION_DUPLICATE')
    if (first === undefined && !isBonded(solver)) return ignore('AUCTION_UNBONDED')
    if (first === undefined && commits.size >= rules.maxSolvers) return ignore('AUCTION_FULL')
    if (!isCommitSigned(domain, commit)) return reject('AUCTION_SIGNATURE')
    if (first !== undefined) return fault({ kind: 'commit-twice', solver, epoch, messages: [first, commit] })
    commits.set(solver, commit)
    return { verdict: 'accept' }
  }

  /** What a solver states about its reveal, signed: undefined when it fits the commit and what it stated before. */
  const takeStatement = (statement: Statement, commit: AuctionCommit | undefined): Judgement | undefined => {
    const { epoch, solver } = statement
    const first = statements.get(solver)
    // Statements are compared, not signatures, which can be made anew.
    if (first !== undefined && !isSameStatement(first, statement)) return fault({ kind: 'reveal-twice', solver, epoch, messages: [first, statement] })
    if (commit !== undefined && !doesReveal(commit, statement)) return fault({ kind: 'reveal-mismatch', solver, epoch, messages: [commit, statement] })
    statements.set(solver, statement)
    return undefined
  }

  const takeReveal = (reveal: AuctionReveal, commit: AuctionCommit | undefined): Judgement => {
    const result = openReveal(domain, reveal)
    if (!result.ok) return reject(result.code)
    const { opened } = result
    const held = reveals.get(reveal.solver)
    if (held !== undefined && isSameStatement(held.statement, opened.statement)) return ignore('AUCTION_DUPLICATE')
    const judgement = takeStatement(opened.statement, commit)
    if (judgement !== undefined) return judgement
    reveals.set(reveal.solver, opened)
    return { verdict: 'accept' }
  }

  const takeCertificate = (certificate: AuctionCertificate, commit: AuctionCommit): Judgement => {
    const statement = statementOf(certificate)
    const held = certificates.get(certificate.solver)
    if (held !== undefined && isSameStatement(statementOf(held.certificate), statement)) return ignore('AUCTION_DUPLICATE')
    if (!isStatementSigned(domain, statement)) return reject('AUCTION_SIGNATURE')
    const judgement = takeStatement(statement, commit)
    if (judgement !== undefined) return judgement
    certificates.set(certificate.solver, { commit, certificate })
    return { verdict: 'accept' }
  }

  const post = (reveal: AuctionReveal): Judgement => {
    if (commits.has(reveal.solver)) return ignore('AUCTION_MISMATCH')
    const postings = [...reveals.values()].filter((opened) => isPosting(opened.reveal)).length
    return !reveals.has(reveal.solver) && postings >= rules.maxFallbacks ? ignore('AUCTION_FULL') : takeReveal(reveal, undefined)
  }

  const rank = createRanking()
  const ranking = (snapshot: Snapshot, yardstick?: Yardstick): Ranked[] => rank(snapshot, [...reveals.values()], yardstick)

  return {
    phases,
    addCommit: (commit, nowMs) => {
      const screened = screen(commit, nowMs, phases.epochStart, phases.commitDeadline)
      if (screened !== undefined) return screened
      return commits.has(commit.solver) || isWelcome(commit.solver) ? takeCommit(commit) : ignore('AUCTION_COOLING')
    },
    addReveal: (reveal, nowMs) => {
      if (isPosting(reveal)) return screen(reveal, nowMs, phases.revealDeadline, phases.fallbackDeadline) ?? post(reveal)
      // A reveal before the commit deadline harms only its author, whose clock runs ahead of ours.
      const screened = screen(reveal, nowMs, phases.epochStart, phases.revealDeadline)
      if (screened !== undefined) return screened
      const commit = commits.get(reveal.solver)
      return commit === undefined ? ignore('AUCTION_NO_COMMIT') : takeReveal(reveal, commit)
    },
    addCertificate: (certificate, nowMs) => {
      const screened = screen(certificate, nowMs, phases.epochStart, phases.revealDeadline)
      if (screened !== undefined) return screened
      const commit = commits.get(certificate.solver)
      return commit === undefined ? ignore('AUCTION_NO_COMMIT') : takeCertificate(certificate, commit)
    },
    adopt: (evidence, nowMs) => {
      const { commit, reveal } = evidence
      const screened = screen(reveal, nowMs, phases.revealDeadline, phases.consentDeadline)
      if (screened !== undefined) return screened
      const result = openEvidence(domain, evidence)
      if (!result.ok) return reject(result.code)
      if (commit === undefined) return post(reveal)
      const taken = takeCommit(commit)
      const isKnown = taken.code === 'AUCTION_DUPLICATE'
      return taken.code === undefined || isKnown ? takeReveal(reveal, commit) : taken
    },
    adoptCertificate: ({ commit, certificate }, nowMs) => {
      const screened = screen(certificate, nowMs, phases.revealDeadline, phases.consentDeadline)
      if (screened !== undefined) return screened
      if (!doesReveal(commit, statementOf(certificate))) return reject('AUCTION_MISMATCH')
      const taken = takeCommit(commit)
      const isKnown = taken.code === 'AUCTION_DUPLICATE'
      return taken.code === undefined || isKnown ? takeCertificate(certificate, commit) : taken
    },
    ranking,
    winner: (snapshot) => ranking(snapshot).find((entry) => entry.winner),
    evidence: (solver) => {
      const opened = reveals.get(solver)
      if (opened === undefined) return undefined
      const commit = commits.get(solver)
      return { ...(commit === undefined ? {} : { commit }), reveal: opened.reveal }
    },
    certificates: () => [...certificates.values()],
    silent: () => {
      const silent = [...commits.keys()].filter((solver) => !reveals.has(solver) && !faults.has(solver))
      return [...reveals.values()].some(({ reveal }) => !isPosting(reveal)) ? silent : []
    },
    faults: () => [...faults.values()]
  }
}

function ignore (code: AuctionCode): Judgement {
  return { verdict: 'ignore', code }
}

function reject (code: AuctionCode): Judgement {
  return { verdict: 'reject', code }
}
