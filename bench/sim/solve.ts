import { matchesOf } from '../../src/match/assemble.ts'
import { certificateOf, type Certificate } from '../../src/match/certificate.ts'
import { solutionToBytes } from '../../src/match/fit.ts'
import { kernelOf } from '../../src/match/kernel/kernel.ts'
import type { Phases } from '../../src/match/phases.ts'
import type { Snapshot, Solution } from '../../src/match/problem.ts'
import { programOf } from '../../src/match/search/program.ts'
import { search } from '../../src/match/search/search.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { certificateIdOf, commitDigest, commitmentOf, FALLBACK_SALT, NO_CERTIFICATE, revealDigest, solutionIdOf, type AuctionCertificate, type AuctionCommit, type AuctionReveal } from '../../src/wire/auction.ts'
import { encodeCertificate } from '../../src/wire/certificate.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import type { Domain } from '../../src/wire/typed-data.ts'
import type { Times } from './world.ts'

export const DOMAIN: Domain = { chainId: 31_337, market: '0x5fbdb2315678afecb367f032d93f642f64180aa3' }

/** What a price engine finds: matches of the snapshot and the prices that bound them. */
export interface Solved { readonly solution: Solution, readonly certificate?: Certificate }

/** The project's price engine on a budget of rounds instead of time: the same on every machine. `steps` of prices; left out: as many as it takes for such a book. */
export function solve (snapshot: Snapshot, { rounds, steps, seed }: { rounds: number, steps?: number, seed: number }): Solved {
  if (snapshot.jobs.length === 0 || snapshot.offers.length === 0) return { solution: { epoch: snapshot.epoch, engine: 'price', matches: [] } }
  const kernel = kernelOf(snapshot)
  const found = search(programOf(kernel), { budgetMs: 1, seed, now: () => 0, report: () => undefined, maxRounds: rounds, ...(steps === undefined ? {} : { steps }) })
  return { solution: { epoch: snapshot.epoch, engine: 'price', matches: matchesOf(kernel, found.places) }, certificate: certificateOf(kernel, found.prices) }
}

/** What a solver says in an epoch and when each half hears it; undefined: never. */
export interface Plan {
  readonly solver: Signer
  readonly solved: Solved
  readonly commit?: { readonly message: AuctionCommit, readonly atMs: Times }
  readonly reveal?: { readonly message: AuctionReveal, readonly atMs: Times }
  readonly certificate?: { readonly message: AuctionCertificate, readonly atMs: Times }
}

/** Never, for a half that is not told. */
export const NEVER = Number.MAX_SAFE_INTEGER
const SPREAD_MS = 400

/** What an honest solver says: the commit well before its deadline, reveal and certificate just after. */
export function planOf (solver: Signer, phases: Phases, snapshot: Snapshot, solved: Solved): Plan {
  const { epoch } = phases
  const bytes = solutionToBytes(snapshot, solved.solution)
  const certificate = solved.certificate === undefined ? undefined : encodeCertificate(solved.certificate)
  const salt: Hash = solutionIdOf(new TextEncoder().encode(`${solver.address}:${epoch}`))
  const statement = { epoch, solver: solver.address, solutionId: solutionIdOf(bytes), certificateId: certificate === undefined ? NO_CERTIFICATE : certificateIdOf(solver.address, certificate), salt }
  const commit = { epoch, solver: solver.address, commitment: commitmentOf(statement) }
  const signature = solver.sign(revealDigest(DOMAIN, statement))
  const at: Times = [phases.commitDeadline + SPREAD_MS, phases.commitDeadline + SPREAD_MS]
  return {
    solver, solved,
    commit: { message: { ...commit, signature: solver.sign(commitDigest(DOMAIN, commit)) }, atMs: [phases.commitDeadline - SPREAD_MS, phases.commitDeadline - SPREAD_MS] },
    reveal: { message: { epoch, solver: solver.address, solution: bytes, certificateId: statement.certificateId, salt, signature }, atMs: at },
    ...(certificate === undefined ? {} : { certificate: { message: { epoch, solver: solver.address, solutionId: statement.solutionId, salt, signature, certificate }, atMs: at } })
  }
}

/** A posting of the fall-back phase, without commit. */
export function postingOf (solver: Signer, phases: Phases, solution: Uint8Array, solved: Solved): Plan {
  const statement = { epoch: phases.epoch, solver: solver.address, solutionId: solutionIdOf(solution), certificateId: NO_CERTIFICATE, salt: FALLBACK_SALT }
  const atMs = phases.revealDeadline + SPREAD_MS
  return { solver, solved, reveal: { message: { epoch: phases.epoch, solver: solver.address, solution, certificateId: NO_CERTIFICATE, salt: FALLBACK_SALT, signature: solver.sign(revealDigest(DOMAIN, statement)) }, atMs: [atMs, atMs] } }
}
