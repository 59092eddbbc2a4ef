import type { BookReplica } from '../book/replica.ts'
import type { Chain } from '../chain/chain.ts'
import { errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import { createCertifier } from '../match/class-certifier.ts'
import type { Fault } from '../match/fault.ts'
import type { AuctionRules, MatchRules } from '../match/options.ts'
import type { Phases } from '../match/phases.ts'
import type { Snapshot } from '../match/problem.ts'
import type { Mesh } from '../mesh/mesh.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { auctionTopic } from '../wire/topics.ts'
import type { Domain } from '../wire/typed-data.ts'
import { createAuctionMessages, type AuctionMessages } from './auction-messages.ts'
import { createPairCheck, type PairCheck } from './checked-pair.ts'
import { createClassPrices, type ClassPrices } from './class-prices.ts'
import type { Contacts } from './contacts.ts'
import { createCoolDown } from './cool-down.ts'
import type { AuctionDecision } from './decision.ts'
import type { Eligibility } from './eligibility.ts'
import { createEpochClockwork } from './epoch-clockwork.ts'
import { createHeldEpochs } from './held-epochs.ts'
import type { NetworkClock } from './network-clock.ts'
import { createPromises } from './promises.ts'
import { createSightings } from './sightings.ts'

/** The auction as every node follows it, solver or not. */
export interface AuctionView extends Startable {
  readonly topic: string
  phases: (epoch: number) => Phases
  currentEpoch: () => number
  /** What counts for who solves or who verifies (protocol/auction.md, Snapshot), of eligible owners, at the epoch's time. */
  snapshot: (epoch: number, cutoff: 'solve' | 'verify') => Snapshot
  readonly say: AuctionMessages['say']
  revealsOf: (epoch: number) => number
  decision: (epoch: number) => AuctionDecision | undefined
  /** Called at each boundary, and with each ranking, while the node's clock is sound. */
  onEpoch: (listener: (phases: Phases) => void) => () => void
  onDecided: (listener: (decision: AuctionDecision) => void) => () => void
  /** Called when an epoch is over, with each solver that contradicted itself in it. */
  onFault: (listener: (fault: Fault) => void) => () => void
  readonly prices: ClassPrices
  /** Whether commits of this solver are taken now. */
  isListening: (solver: Address) => boolean
  /** Whether a solver has at least the bond that the rules ask for. */
  isBonded: (solver: Address) => boolean
  /** Does not listen to a solver for a while that stalled now. */
  noteStalled: (solver: Address) => void
  /** A solver's fee for a pair of its solution at `price` by this node's ranking, nLILY; the least one for a solution that it does not remember. */
  feeOf: (solutionId: Hash, price: number) => number
  readonly checkPair: PairCheck
}

/** Joins what an epoch's time brings, what peers say, and what is held of both. */
export function createAuction (
  components: { mesh: Pick<Mesh, 'topics'>, replica: Pick<BookReplica, 'book'>, eligibility: Eligibility, contacts: Pick<Contacts, 'peerOf'>, chain: Pick<Chain, 'domain' | 'blockTime' | 'isNullified' | 'account' | 'session'>, clock: NetworkClock, logger: Logger, domain: Domain },
  options: { rules: AuctionRules, match: MatchRules, genesisTime: number }
): AuctionView {
  const { mesh, replica, eligibility, contacts, clock, logger, domain } = components
  const { rules, match, genesisTime } = options
  const sightings = createSightings({ book: replica.book, eligibility, clock }, { keepMs: rules.epochMs * 2, rules })
  const topic = auctionTopic(domain.chainId)
  const epochListeners = new Set<(phases: Phases) => void>()
  const decidedListeners = new Set<(decision: AuctionDecision) => void>()
  const faultListeners = new Set<(fault: Fault) => void>()
  const stops: Array<() => void> = []

  const isBonded = (solver: Address): boolean => eligibility.bond(solver) >= rules.minSolverBond
  const coolDown = createCoolDown({ epochs: rules.coolDownEpochs })
  const promises = createPromises({ chain: components.chain, coolDown, clock, isBonded }, { rules, genesisTime })
  /** Consents are over: whoever kept its solution back, or contradicted itself, is not heard for a while. */
  const noteStalled = (epoch: number): void => {
    const competition = held.competition(epoch)
    for (const fault of competition?.faults() ?? []) for (const listener of faultListeners) listener(fault)
    for (const solver of [...competition?.silent() ?? [], ...competition?.faults().map((fault) => fault.solver) ?? []]) {
      coolDown.note(solver, epoch)
      logger.info('auction.stalled', { epoch, solver })
    }
  }

  const clockwork = createEpochClockwork({
    clock,
    steps: {
      approaching: () => {
        const accounts = [...replica.book.live('job'), ...replica.book.live('offer')].map(({ record }) => record.account)
        eligibility.refresh([...accounts, ...messages.solvers()], rules.epochMs / 2).catch((error: unknown) => { logger.warn('auction.eligibility', { error: errorMessage(error) }) })
      },
      started: (phases) => {
        noteStalled(phases.epoch - 1)
        held.open(phases.epoch)
        if (clock.isSound()) for (const listener of epochListeners) listener(phases)
      },
      commitsClosed: (epoch) => { held.fix(epoch) },
      postingsClosed: (epoch) => {
        const decision = held.decide(epoch)
        if (decision === undefined || decision.ranking.length === 0) return
        logger.debug('auction.decided', { epoch, ranking: decision.ranking.map(({ solver, engine, score, winner }) => ({ solver, engine, score, winner })) })
        // Whose clock is off would consent to what others have closed.
        if (clock.isSound()) for (const listener of decidedListeners) listener(decision)
      }
    }
  }, { rules, genesisTime })
  const { phases, currentEpoch } = clockwork
  const held = createHeldEpochs({ domain, isBonded, coolDown, sightings, contacts, clockwork }, { rules, match })

  const messages = createAuctionMessages({ mesh, held, promises, eligibility, clock, logger }, { topic, rules })
  const listenTo = <T>(listeners: Set<T>) => (listener: T): (() => void) => {
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }

  return {
    start: async () => {
      stops.push(messages.listen(), clockwork.stop, sightings.watch())
      clockwork.start()
      await Promise.resolve()
    },
    stop: async () => {
      for (const stop of stops.splice(0).reverse()) stop()
      await Promise.resolve()
    },
    topic,
    phases,
    currentEpoch,
    snapshot: held.snapshot,
    say: messages.say,
    revealsOf: (epoch) => held.preview(epoch).filter(({ score }) => score > 0).length,
    decision: held.decision,
    onEpoch: listenTo(epochListeners),
    onDecided: listenTo(decidedListeners),
    onFault: listenTo(faultListeners),
    prices: createClassPrices({ certifier: createCertifier(), nowMs: clock.now }, { rules, epochOf: held.priced }),
    isBonded,
    isListening: (solver) => !coolDown.isCooling(solver, currentEpoch()),
    noteStalled: (solver) => { coolDown.note(solver, currentEpoch()) },
    feeOf: (solutionId, price) => {
      const decision = [...held.decisions()].find(({ ranking }) => ranking.some((ranked) => ranked.solutionId === solutionId))
      return decision?.feeOf(solutionId, price) ?? match.minFee
    },
    checkPair: createPairCheck({ held, clock })
  }
}
