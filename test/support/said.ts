import type { Signer } from '../../src/identity/signer.ts'
import type { Solution } from '../../src/match/problem.ts'
import { certificateIdOf, commitDigest, commitmentOf, NO_CERTIFICATE, revealDigest, solutionIdOf, type AuctionCertificate, type AuctionCommit, type AuctionReveal } from '../../src/wire/auction.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { encodeSolution } from '../../src/wire/solution.ts'
import type { Domain } from '../../src/wire/typed-data.ts'

/** All that a solver says of one solution. `certificate` is of one zero byte without prices. */
export interface Said { commit: AuctionCommit, reveal: AuctionReveal, certificate: AuctionCertificate }

/** Signs a solution, given as such or as bytes, for an epoch. */
export function say (domain: Domain, signer: Signer, what: { solution: Solution | Uint8Array, epoch: number, salt: Hash, prices?: Uint8Array | undefined }): Said {
  const { epoch, salt, prices } = what
  const solution = what.solution instanceof Uint8Array ? what.solution : encodeSolution(what.solution)
  const statement = { epoch, solver: signer.address, solutionId: solutionIdOf(solution), certificateId: prices === undefined ? NO_CERTIFICATE : certificateIdOf(signer.address, prices), salt }
  const commit = { epoch, solver: signer.address, commitment: commitmentOf(statement) }
  const signed = { epoch, solver: signer.address, salt, signature: signer.sign(revealDigest(domain, statement)) }
  return {
    commit: { ...commit, signature: signer.sign(commitDigest(domain, commit)) },
    reveal: { ...signed, solution, certificateId: statement.certificateId },
    certificate: { ...signed, solutionId: statement.solutionId, certificate: prices ?? new Uint8Array(1) }
  }
}
