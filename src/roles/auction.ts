import type { BookReplica } from '../book/replica.ts'
import type { Chain } from '../chain/chain.ts'
import { errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import { createCompetition, type Competition } from '../match/competition.ts'
import { epochAt, phasesOf, type Phases } from '../match/phases.ts'
import type { AuctionRules, MatchRules } from '../match/options.ts'
import { createCertifier } from '../match/class-certifier.ts'
import type { PricedPair } from '../match/class-price.ts'
import type { Snapshot } from '../match/problem.ts'
import type { Ranked } from '../match/ranking.ts'
import { rewardFee, rewardOf, type Reward } from '../match/reward.ts'
import { cutoffsOf, snapshotOf } from '../match/snapshot.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { decodeAuctionMessage, decodeEvidence, encodeAuctionMessage, encodeEvidence, MAX_AUCTION_MESSAGE_BYTES, type AuctionMessage } from '../wire/auction.ts'
import { WireError } from '../wire/errors.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { auctionTopic } from '../wire/topics.ts'
import type { Domain } from '../wire/typed-data.ts'
import { createClassPrices, type ClassPrices } from './class-prices.ts'
import type { Contacts } from './contacts.ts'
import { createCoolDown } from './cool-down.ts'
import type { Eligibility } from './eligibility.ts'
import { RoleError } from './errors.ts'
import type { NetworkClock } from './network-clock.ts'
import { createPromises } from './promises.ts'
import { createSightings } from './sightings.ts'

/** One pair of a published solution, with all that its consent needs. */
export interface Pairing extends PricedPair { epoch: number, solver: Address, solverPeer: string | undefined, solutionId: Hash, evidence: Uint8Array }
/** An epoch as this node ranks it. `pairingsOf` gives a job's pairs, best solution first; `feeOf` its solver's fee for a pair at a price, nLILY. */
export interface AuctionDecision { epoch: number, ranking: readonly Ranked[], pairingsOf: (jobOfferId: Hash) => Pairing[], feeOf: (solutionId: Hash, price: number) => number }

/** The auction as every node follows it, solver or not. */
export interface AuctionView extends Startable {
  readonly topic: string
  phases: (epoch: number) => Phases
  currentEpoch: () => number
  /** What counts for who solves or who verifies (protocol/auction.md, Snapshot), of eligible owners, at the epoch's time. */
  snapshot: (epoch: number, cutoff: 'solve' | 'verify') => Snapshot
  /** Says a message of our own: counted here, then gossiped. RoleError AUCTION_REFUSED when this node would not take it. */
  say: (message: AuctionMessage) => Promise<void>
  revealsOf: (epoch: number) => number
  decision: (epoch: number) => AuctionDecision | undefined
  /** Called at each boundary, and with each ranking, while the node's clock is sound. */
  onEpoch: (listener: (phases: Phases) => void) => () => void
  onDecided: (listener: (decision: AuctionDecision) => void) => () => void
  readonly prices: ClassPrices
  /** Whether commits of this solver are taken now. */
  isListening: (solver: Address) => boolean
  /** Does not listen to a solver for a while that stalled now. */
  noteStalled: (solver: Address) => void
  /** A solver's fee for a pair of its solution at `price` by this node's ranking, nLILY; the least one for a solution that it does not remember. */
  feeOf: (solutionId: Hash, price: number) => number
  /** The pair of a proposal, checked: adopts the evidence, refuses what a better verified solution leaves out. Throws RoleError AUCTION_*. */
  checkPair: (proposal: { epoch: number, evidence: Uint8Array, job: Hash, offer: Hash }) => Pairing
}

/** Epochs whose competition is kept for late questions. */
const KEEP_EPOCHS = 30

export function createAuction (
  components: { mesh: Pick<Mesh, 'topics'>, replica: Pick<BookReplica, 'book'>, eligibility: Eligibility, contacts: Pick<Contacts, 'peerOf'>, chain: Pick<Chain, 'domain' | 'blockTime' | 'isNullified' | 'account'>, clock: NetworkClock, logger: Logger, domain: Domain },
  options: { rules: AuctionRules, match: MatchRules, genesisTime: number }
): AuctionView {
  const { mesh, replica, eligibility, clock, logger, domain } = components
  const { rules } = options
  const sightings = createSightings({ book: replica.book, eligibility, clock }, { keepMs: rules.epochMs * 2, rules })
  const topic = auctionTopic(domain.chainId)
  const competitions = new Map<number, Competition>()
  const snapshots = new Map<number, Snapshot>()
  const decisions = new Map<number, AuctionDecision>()
  /** What every solver could know: its floor tells fair solutions. */
  const yardsticks = new Map<number, Snapshot>()
  const epochListeners = new Set<(phases: Phases) => void>()
  const decidedListeners = new Set<(decision: AuctionDecision) => void>()
  const solvers = new Set<Address>()
  let cancelTimer: (() => void) | undefined
  let unsubscribe: (() => void) | undefined
  let stopWatching: (() => void) | undefined

  const phases = (epoch: number): Phases => phasesOf(rules, options.genesisTime, epoch)
  const currentEpoch = (): number => epochAt(rules, options.genesisTime, clock.now())

  const isBonded = (solver: Address): boolean => eligibility.bond(solver) >= rules.minSolverBond
  const coolDown = createCoolDown({ epochs: rules.coolDownEpochs })
  const promises = createPromises({ chain: components.chain, coolDown, clock, isBonded }, { rules, genesisTime: options.genesisTime })
  /** Reads the bond of a solver that was not heard of before; a flood of made-up ones is not asked for. */
  const learnBond = async (message: AuctionMessage): Promise<void> => {
    if (message.type !== 'commit' || solvers.has(message.commit.solver) || solvers.size >= rules.maxSolvers * 4) return
    solvers.add(message.commit.solver)
    await eligibility.refresh([message.commit.solver], rules.epochMs).catch((error: unknown) => {
      solvers.delete(message.commit.solver)
      logger.warn('auction.bond', { error: errorMessage(error) })
    })
  }

  const competitionOf = (epoch: number): Competition | undefined => {
    const known = competitions.get(epoch)
    if (known !== undefined || Math.abs(epoch - currentEpoch()) > 1) return known
    const created = createCompetition({ domain, isBonded, isWelcome: (solver) => !coolDown.isCooling(solver, epoch) }, { phases: phases(epoch), rules })
    competitions.set(epoch, created)
    for (const old of competitions.keys()) {
      if (old > epoch - KEEP_EPOCHS) break
      for (const map of [competitions, snapshots, decisions, yardsticks]) map.delete(old)
    }
    return created
  }

  const snapshot = (epoch: number, cutoff: 'solve' | 'verify'): Snapshot => {
    const at = phases(epoch)
    return snapshotOf(sightings.funded(at.epochStart), { phases: at, cutoff: cutoffsOf(at, rules)[cutoff], rules: options.match })
  }

  const take = async (message: AuctionMessage): Promise<{ verdict: 'accept' | 'ignore' | 'reject', code?: string }> => {
    if (message.type === 'promise') return await promises.judge(message.promise)
    const competition = competitionOf(epochOf(message))
    if (competition === undefined) return { verdict: 'ignore', code: 'AUCTION_EPOCH' }
    if (message.type === 'commit') return competition.addCommit(message.commit, clock.now())
    return message.type === 'reveal' ? competition.addReveal(message.reveal, clock.now()) : competition.addCertificate(message.certificate, clock.now())
  }

  const decide = (epoch: number): AuctionDecision | undefined => {
    const competition = competitions.get(epoch)
    const held = snapshots.get(epoch)
    if (competition === undefined || held === undefined) return undefined
    const yardstick = yardsticks.get(epoch)
    const ranking = competition.ranking(held, yardstick === undefined ? undefined : { snapshot: yardstick, rules })
    const jobs = new Map(held.jobs.map((row) => [row.id, row]))
    const offers = new Map(held.offers.map((row) => [row.id, row]))
    const pairingsIn = (ranked: Ranked, jobId: Hash): Pairing[] => {
      const job = jobs.get(jobId)
      const evidence = competition.evidence(ranked.solver)
      if (ranked.score <= 0 || job === undefined || evidence === undefined) return []
      return ranked.solution.matches.filter((match) => match.job === jobId).flatMap(({ offer: offerId, devices }): Pairing[] => {
        const offer = offers.get(offerId)
        return offer === undefined ? [] : [{ epoch, job, offer, devices, solver: ranked.solver, solverPeer: components.contacts.peerOf(ranked.solver), solutionId: ranked.solutionId, evidence: encodeEvidence(evidence) }]
      })
    }
    const pairingsOf = (jobId: Hash): Pairing[] => {
      const pairings = ranking.flatMap((ranked) => pairingsIn(ranked, jobId))
      // A job that the best solution leaves out waits: a worse one would take what the best gave to others.
      return pairings[0]?.solver === ranking[0]?.solver ? pairings : []
    }
    // Only who proposes or opens asks; a ranking is made for every proposal that comes.
    let reward: { found: Reward | undefined } | undefined
    const feeOf = (solutionId: Hash, price: number): number => {
      const { found } = reward ??= { found: rewardOf(held, ranking) }
      return rewardFee(price, options.match, solutionId === found?.solutionId ? found : undefined)
    }
    const decision = { epoch, ranking, pairingsOf, feeOf }
    decisions.set(epoch, decision)
    return decision
  }

  const prices = createClassPrices({ certifier: createCertifier(), nowMs: clock.now }, {
    rules,
    epochOf: (epoch) => {
      const competition = competitions.get(epoch)
      const held = snapshots.get(epoch)
      return competition === undefined || held === undefined ? undefined : { competition, snapshot: held, ranking: decisions.get(epoch)?.ranking ?? [] }
    }
  })

  /** Consents are over: whoever kept its solution back, or contradicted itself, is not heard for a while. */
  const noteStalled = (epoch: number): void => {
    const competition = competitions.get(epoch)
    for (const solver of [...competition?.silent() ?? [], ...competition?.faults().map((fault) => fault.solver) ?? []]) {
      coolDown.note(solver, epoch)
      logger.info('auction.stalled', { epoch, solver })
    }
  }

  /** The clockwork of an epoch: boundary, end of commits (the book that counts is fixed), end of postings (ranking). */
  const runEpoch = (epoch: number): void => {
    const at = phases(epoch)
    noteStalled(epoch - 1)
    competitionOf(epoch)
    if (clock.isSound()) for (const listener of epochListeners) listener(at)
    cancelTimer = clock.after(at.commitDeadline - clock.now(), () => {
      snapshots.set(epoch, snapshot(epoch, 'verify'))
      yardsticks.set(epoch, snapshot(epoch, 'solve'))
      cancelTimer = clock.after(at.fallbackDeadline - clock.now(), () => {
        const decision = decide(epoch)
        if (decision !== undefined && decision.ranking.length > 0) {
          logger.debug('auction.decided', { epoch, ranking: decision.ranking.map(({ solver, engine, score, winner }) => ({ solver, engine, score, winner })) })
          // Whose clock is off would consent to what others have closed.
          if (clock.isSound()) for (const listener of decidedListeners) listener(decision)
        }
        scheduleNext(epoch + 1)
      })
    })
  }
  const scheduleNext = (epoch: number): void => {
    const next = Math.max(epoch, currentEpoch() + (clock.now() > phases(currentEpoch()).epochStart ? 1 : 0))
    const boundary = phases(next).epochStart
    // Funds are read shortly before the boundary, so that all nodes see about the same chain.
    cancelTimer = clock.after(boundary - clock.now() - rules.epochMs * 0.1, () => {
      const accounts = [...replica.book.live('job'), ...replica.book.live('offer')].map(({ record }) => record.account)
      eligibility.refresh([...accounts, ...solvers], rules.epochMs / 2).catch((error: unknown) => { logger.warn('auction.eligibility', { error: errorMessage(error) }) })
      cancelTimer = clock.after(boundary - clock.now(), () => { runEpoch(next) })
    })
  }

  return {
    start: async () => {
      unsubscribe = mesh.topics.subscribe(topic, {
        maxBytes: MAX_AUCTION_MESSAGE_BYTES,
        validate: async (data) => {
          try {
            const message = decodeAuctionMessage(data)
            await learnBond(message)
            return (await take(message)).verdict
          } catch (error) {
            if (error instanceof WireError) return 'reject'
            throw error
          }
        }
      })
      stopWatching = sightings.watch()
      scheduleNext(currentEpoch() + 1)
      await Promise.resolve()
    },
    stop: async () => {
      stopWatching?.()
      cancelTimer?.()
      unsubscribe?.()
      await Promise.resolve()
    },
    topic,
    phases,
    currentEpoch,
    snapshot,
    say: async (message) => {
      await learnBond(message)
      const judgement = await take(message)
      if (judgement.verdict !== 'accept') throw new RoleError('AUCTION_REFUSED', `our own message does not fit: ${judgement.code ?? judgement.verdict}`, { data: { ...judgement } })
      await mesh.topics.publish(topic, encodeAuctionMessage(message))
    },
    revealsOf: (epoch) => {
      const held = snapshots.get(epoch)
      return held === undefined ? 0 : competitions.get(epoch)?.ranking(held).filter((ranked) => ranked.score > 0).length ?? 0
    },
    decision: (epoch) => decisions.get(epoch),
    onEpoch: (listener) => {
      epochListeners.add(listener)
      return () => { epochListeners.delete(listener) }
    },
    onDecided: (listener) => {
      decidedListeners.add(listener)
      return () => { decidedListeners.delete(listener) }
    },
    prices,
    isListening: (solver) => !coolDown.isCooling(solver, currentEpoch()),
    noteStalled: (solver) => { coolDown.note(solver, currentEpoch()) },
    feeOf: (solutionId, price) => {
      const decision = [...decisions.values()].find(({ ranking }) => ranking.some((ranked) => ranked.solutionId === solutionId))
      return decision?.feeOf(solutionId, price) ?? options.match.minFee
    },
    checkPair: ({ epoch, evidence, job, offer }) => {
      if (!clock.isSound()) throw new RoleError('AUCTION_CLOCK', `this node's clock is ${clock.measuredMs() ?? 0} ms behind its peers'`, { data: { behindMs: clock.measuredMs() }, hint: 'Set the clock.' })
      const competition = competitions.get(epoch)
      if (competition === undefined || !snapshots.has(epoch)) throw new RoleError('AUCTION_EPOCH', `epoch ${epoch} is not open for consent here`, { data: { epoch } })
      const opened = decodeEvidence(evidence)
      const judgement = competition.adopt(opened, clock.now())
      if (judgement.verdict !== 'accept' && judgement.code !== 'AUCTION_DUPLICATE') throw new RoleError(judgement.code ?? 'AUCTION_REFUSED', 'the evidence of the solution does not hold here', { data: { epoch } })
      const decision = decide(epoch)
      const pairings = decision?.pairingsOf(job) ?? []
      if (pairings.length === 0) throw new RoleError('AUCTION_NOT_BEST', 'the best solution that this node verified leaves this job out', { data: { epoch, best: decision?.ranking[0]?.solutionId } })
      const wanted = pairings.find((pairing) => pairing.offer.id === offer && pairing.solver === opened.reveal.solver)
      if (wanted === undefined) throw new RoleError('AUCTION_NO_SUCH_PAIR', 'the solution does not match this pair, or this node does not hold its records', { data: { epoch, job, offer } })
      return wanted
    }
  }
}

function epochOf (message: Exclude<AuctionMessage, { type: 'promise' }>): number {
  if (message.type === 'commit') return message.commit.epoch
  return message.type === 'reveal' ? message.reveal.epoch : message.certificate.epoch
}
