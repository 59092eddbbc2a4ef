import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { Signer } from '../identity/signer.ts'
import { solutionToBytes } from '../match/fit.ts'
import { solveFloor } from '../match/floor.ts'
import type { Phases } from '../match/phases.ts'
import { FALLBACK_SALT, NO_CERTIFICATE, revealDigest, solutionIdOf } from '../wire/auction.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { AuctionView } from './auction.ts'

/**
 * Keeps the market alive without solvers: when nobody revealed anything that scores, posts the floor solution in the
 * fall-back phase. Nodes wait a random part of the phase, so that usually one posts and the others see it.
 */
export function createFloorPoster (components: { auction: AuctionView, signer: Signer, clock: Clock, random: Random, logger: Logger, domain: Domain }): Startable {
  const { auction, signer, clock, random, logger, domain } = components
  const stopping = new AbortController()
  let stop: (() => void) | undefined

  const post = async (phases: Phases): Promise<void> => {
    const { epoch } = phases
    const span = phases.fallbackDeadline - phases.revealDeadline
    // Late in the phase: a reveal that is still on its way to us makes a posting needless.
    await clock.wait(phases.revealDeadline - clock.now() + Math.floor(span * (0.3 + random.below(400) / 1000)), stopping.signal)
    if (auction.revealsOf(epoch) > 0) return
    const snapshot = auction.snapshot(epoch, 'solve')
    const solution = solveFloor(snapshot)
    if (solution.matches.length === 0) return
    const bytes = solutionToBytes(snapshot, solution)
    const head = { epoch, solver: signer.address, certificateId: NO_CERTIFICATE, salt: FALLBACK_SALT }
    await auction.say({ type: 'reveal', reveal: { ...head, solution: bytes, signature: signer.sign(revealDigest(domain, { ...head, solutionId: solutionIdOf(bytes) })) } })
    logger.info('floor.posted', { epoch, matches: solution.matches.length })
  }

  return {
    start: async () => {
      stop = auction.onEpoch((phases) => {
        post(phases).catch((error: unknown) => { if (!stopping.signal.aborted) logger.debug('floor.post', { epoch: phases.epoch, error: errorMessage(error) }) })
      })
      await Promise.resolve()
    },
    stop: async () => {
      stop?.()
      stopping.abort(new Error('the node is stopping'))
      await Promise.resolve()
    }
  }
}
