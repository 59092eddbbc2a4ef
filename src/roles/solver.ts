import { bytesToHex } from 'viem'
import type { Chain } from '../chain/chain.ts'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { Signer } from '../identity/signer.ts'
import type { Engine, Warm } from '../match/engine.ts'
import { solutionToBytes } from '../match/fit.ts'
import type { Phases } from '../match/phases.ts'
import { verifySolution } from '../match/verify.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { certificateIdOf, commitDigest, commitmentOf, MAX_REVEALED_CERTIFICATE_BYTES, NO_CERTIFICATE, revealDigest, solutionIdOf } from '../wire/auction.ts'
import { encodeCertificate, type Certificate } from '../wire/certificate.ts'
import type { AuctionView } from './auction.ts'
import type { Batcher } from './batch/batcher.ts'
import type { Contacts } from './contacts.ts'
import { RoleError } from './errors.ts'
import { serveOpen } from './opening.ts'
import { createSendingTime } from './sending-time.ts'

export interface SolverComponents {
  contacts: Pick<Contacts, 'peerOf'>
  mesh: Pick<Mesh, 'requests'>
  batcher: Batcher
  auction: AuctionView
  engine: Engine
  chain: Pick<Chain, 'domain' | 'send'>
  signer: Signer
  clock: Clock
  random: Random
  logger: Logger
}

/** Reveals wait for every clock to have passed the commit deadline. */
const REVEAL_DELAY_MS = 50

/** Prices of a book with more classes than a certificate may name are kept back: the book has the prices of others, or the reference price. */
function toReveal (prices: Certificate): Uint8Array | undefined {
  const bytes = encodeCertificate(prices)
  return bytes.length > MAX_REVEALED_CERTIFICATE_BYTES ? undefined : bytes
}

/** The solver role: solves each epoch's book, commits, reveals, and opens the deals of its solution on chain. */
export function createSolver (components: SolverComponents): Startable {
  const { auction, engine, signer, clock, random, logger } = components
  const { domain } = components.chain
  const stopping = new AbortController()
  const stops: Array<() => void> = []
  const sendingTime = createSendingTime()
  /** What the last epoch ended with: most of the book is the same in the next. */
  let last: Warm | undefined

  const compete = async (phases: Phases): Promise<void> => {
    const { epoch } = phases
    const snapshot = auction.snapshot(epoch, 'solve')
    if (snapshot.jobs.length === 0 || snapshot.offers.length === 0) return
    const answerBy = sendingTime.answerBy(phases)
    let prices: Certificate | undefined
    const solution = await engine.solve(snapshot, { deadlineMs: answerBy, seed: random.below(2 ** 31), signal: stopping.signal, clock, onPrices: (found) => { prices = found }, ...(last === undefined ? {} : { warm: last }) })
    last = { snapshot, matches: solution.matches, ...(prices === undefined ? {} : { certificate: prices }) }
    const answeredMs = clock.now()
    if (solution.matches.length === 0) return
    const { ok, code, reason } = verifySolution(snapshot, solution)
    if (!ok) throw new RoleError('ENGINE_INFEASIBLE', `the engine's answer is not feasible: ${code ?? ''}`, { data: { engine: engine.name, code, reason } })
    const bytes = solutionToBytes(snapshot, solution)
    const certificate = prices === undefined ? undefined : toReveal(prices)
    const statement = {
      epoch, solver: signer.address, solutionId: solutionIdOf(bytes), certificateId: certificate === undefined ? NO_CERTIFICATE : certificateIdOf(signer.address, certificate), salt: bytesToHex(random.bytes(32))
    }
    const commit = { epoch, solver: signer.address, commitment: commitmentOf(statement) }
    try {
      await auction.say({ type: 'commit', commit: { ...commit, signature: signer.sign(commitDigest(domain, commit)) } })
    } finally {
      sendingTime.note({ answerBy, answeredMs, saidMs: clock.now() })
    }
    await clock.wait(phases.commitDeadline + REVEAL_DELAY_MS - clock.now(), stopping.signal)
    const signed = { ...statement, signature: signer.sign(revealDigest(domain, statement)) }
    const { solver, certificateId, salt, signature, solutionId } = signed
    await auction.say({ type: 'reveal', reveal: { epoch, solver, solution: bytes, certificateId, salt, signature } })
    if (certificate !== undefined) await auction.say({ type: 'certificate', certificate: { epoch, solver, solutionId, salt, signature, certificate } })
    logger.debug('solver.revealed', { epoch, engine: engine.name, matches: solution.matches.length })
  }

  return {
    start: async () => {
      stops.push(
        auction.onEpoch((phases) => {
          compete(phases).catch((error: unknown) => { if (!stopping.signal.aborted) logger.warn('solver.epoch', { epoch: phases.epoch, error: errorMessage(error) }) })
        }),
        serveOpen(components, stopping.signal)
      )
      await Promise.resolve()
    },
    stop: async () => {
      for (const stop of stops) stop()
      stopping.abort(new Error('the node is stopping'))
      await Promise.resolve()
    }
  }
}
