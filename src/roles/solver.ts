import { bytesToHex } from 'viem'
import type { Chain } from '../chain/chain.ts'
import { openCall } from '../chain/calls.ts'
import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { DealError } from '../deal/errors.ts'
import type { Signer } from '../identity/signer.ts'
import type { Certificate } from '../match/certificate.ts'
import type { Engine, Warm } from '../match/engine.ts'
import { solutionToBytes } from '../match/fit.ts'
import type { Phases } from '../match/phases.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { commitDigest, commitmentOf, revealDigest, solutionIdOf } from '../wire/auction.ts'
import { decodeMessage, encodeMessage, OPEN_PROTOCOL, openRequestShape } from '../wire/deal-room.ts'
import type { Hash } from '../wire/shapes.ts'
import type { AuctionView } from './auction.ts'

export interface SolverComponents { mesh: Pick<Mesh, 'requests'>, auction: AuctionView, engine: Engine, chain: Pick<Chain, 'domain' | 'send'>, signer: Signer, clock: Clock, random: Random, logger: Logger }

/** A commit must be everywhere before its deadline: gossip on one machine or a home line. */
const COMMIT_MARGIN_MS = 300
/** Reveals wait for every clock to have passed the commit deadline. */
const REVEAL_DELAY_MS = 50

/** The solver role: solves each epoch's book, commits, reveals, and opens the deals of its solution on chain. */
export function createSolver (components: SolverComponents): Startable {
  const { auction, engine, signer, clock, random, logger } = components
  const { domain } = components.chain
  const stopping = new AbortController()
  const stops: Array<() => void> = []
  /** What the epoch before ended with. */
  let last: Warm | undefined

  const compete = async (phases: Phases): Promise<void> => {
    const { epoch } = phases
    const snapshot = auction.snapshot(epoch, 'solve')
    if (snapshot.jobs.length === 0 || snapshot.offers.length === 0) return
    const deadlineMs = phases.commitDeadline - COMMIT_MARGIN_MS
    let certificate: Certificate | undefined
    const solution = await engine.solve(snapshot, {
      deadlineMs, seed: random.below(2 ** 31), signal: stopping.signal, clock, ...(last === undefined ? {} : { warm: last }), onPrices: (found) => { certificate = found }
    })
    last = { matches: solution.matches, ...(certificate === undefined ? {} : { certificate }) }
    if (solution.matches.length === 0) return
    const bytes = solutionToBytes(snapshot, solution)
    const salt: Hash = bytesToHex(random.bytes(32))
    const commitment = commitmentOf(solutionIdOf(bytes), salt, signer.address)
    await auction.say({ type: 'commit', commit: { epoch, solver: signer.address, commitment, signature: signer.sign(commitDigest(domain, { epoch, solver: signer.address, commitment })) } })
    await clock.wait(phases.commitDeadline + REVEAL_DELAY_MS - clock.now(), stopping.signal)
    const reveal = { epoch, solver: signer.address, solution: bytes, salt }
    await auction.say({ type: 'reveal', reveal: { ...reveal, signature: signer.sign(revealDigest(domain, reveal)) } })
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

/** Opens deals on chain for whoever's match it was: also what a node does that posted the floor. */
export function serveOpen (components: Pick<SolverComponents, 'mesh' | 'chain' | 'signer' | 'logger'>, signal: AbortSignal): () => void {
  const { chain, signer, logger } = components
  // Every job of a large epoch may ask at once.
  const limits = { maxBytes: 4096, perPeerPerSecond: 100, concurrency: 256, timeoutMs: 10_000 }
  return components.mesh.requests.serve(OPEN_PROTOCOL, limits, async (payload) => {
    const consent = decodeMessage(openRequestShape, payload, 'open request')
    if (consent.terms.core.feeTo !== signer.address) throw new DealError('DEAL_NOT_OURS', `the fee of this deal goes to ${consent.terms.core.feeTo}, not to us`, { data: { feeTo: consent.terms.core.feeTo } })
    const receipt = await chain.send(openCall(chain, consent), { name: 'open', signal })
    logger.info('deal.opened', { hash: receipt.hash, gas: receipt.gas })
    return encodeMessage({ transaction: receipt.hash })
  })
}
