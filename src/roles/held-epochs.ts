import { createCompetition, type Competition, type CompetitionComponents } from '../match/competition.ts'
import type { AuctionRules, MatchRules } from '../match/options.ts'
import type { Phases } from '../match/phases.ts'
import type { Snapshot } from '../match/problem.ts'
import type { Ranked } from '../match/ranking.ts'
import { cutoffsOf, sameOr, snapshotOf } from '../match/snapshot.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { HeldEpoch } from './class-prices.ts'
import type { Contacts } from './contacts.ts'
import type { CoolDown } from './cool-down.ts'
import { decisionOf, type AuctionDecision } from './decision.ts'
import type { EpochClockwork } from './epoch-clockwork.ts'
import type { Sightings } from './sightings.ts'

/** What this node holds of the epochs of late: what was said, the book that counts, and the ranking. */
export interface HeldEpochs {
  /** Opens the competition of an epoch next to the current one; undefined for others. */
  open: (epoch: number) => Competition | undefined
  competition: (epoch: number) => Competition | undefined
  /** The book as it stands now, of eligible owners, for who solves or who verifies. */
  snapshot: (epoch: number, cutoff: 'solve' | 'verify') => Snapshot
  /** Fixes the book that counts. */
  fix: (epoch: number) => void
  isFixed: (epoch: number) => boolean
  /** Ranks what was said by now; undefined while the book is not fixed. */
  decide: (epoch: number) => AuctionDecision | undefined
  decision: (epoch: number) => AuctionDecision | undefined
  decisions: () => Iterable<AuctionDecision>
  /** Everything published so far, best first; fairness left out. */
  preview: (epoch: number) => Ranked[]
  /** What its prices are taken from; undefined while the book is not fixed. */
  priced: (epoch: number) => HeldEpoch | undefined
}

/** Epochs whose competition is kept for late questions. */
const KEEP_EPOCHS = 30

interface Held { competition: Competition, fixed?: { verify: Snapshot, solve: Snapshot }, decision?: AuctionDecision }

export function createHeldEpochs (
  components: { domain: Domain, isBonded: NonNullable<CompetitionComponents['isBonded']>, coolDown: CoolDown, sightings: Pick<Sightings, 'funded'>, contacts: Pick<Contacts, 'peerOf'>, clockwork: Pick<EpochClockwork, 'phases' | 'currentEpoch'> },
  options: { rules: AuctionRules, match: MatchRules }
): HeldEpochs {
  const { domain, isBonded, coolDown, sightings, contacts, clockwork } = components
  const { rules } = options
  const epochs = new Map<number, Held>()

  /** The newest snapshot: of a book that stands still the next one is the same. */
  let newest: Snapshot | undefined
  const snapshots = <C extends 'solve' | 'verify'>(epoch: number, cutoffs: readonly C[]): Record<C, Snapshot> => {
    const phases: Phases = clockwork.phases(epoch)
    const funded = sightings.funded(phases.epochStart)
    const found: Partial<Record<C, Snapshot>> = {}
    for (const cutoff of cutoffs) found[cutoff] = newest = sameOr(newest, snapshotOf(funded, { phases, cutoff: cutoffsOf(phases, rules)[cutoff], rules: options.match }))
    return found as Record<C, Snapshot>
  }

  return {
    open: (epoch) => {
      const known = epochs.get(epoch)?.competition
      if (known !== undefined || Math.abs(epoch - clockwork.currentEpoch()) > 1) return known
      const competition = createCompetition({ domain, isBonded, isWelcome: (solver) => !coolDown.isCooling(solver, epoch) }, { phases: clockwork.phases(epoch), rules })
      epochs.set(epoch, { competition })
      for (const old of epochs.keys()) {
        if (old > epoch - KEEP_EPOCHS) break
        epochs.delete(old)
      }
      return competition
    },
    competition: (epoch) => epochs.get(epoch)?.competition,
    snapshot: (epoch, cutoff) => snapshots(epoch, [cutoff])[cutoff],
    fix: (epoch) => {
      const held = epochs.get(epoch)
      if (held !== undefined) held.fixed = snapshots(epoch, ['solve', 'verify'])
    },
    isFixed: (epoch) => epochs.get(epoch)?.fixed !== undefined,
    decide: (epoch) => {
      const held = epochs.get(epoch)
      if (held?.fixed === undefined) return undefined
      const { competition, fixed } = held
      // What every solver could know: its floor tells fair solutions.
      const ranking = competition.ranking(fixed.verify, { snapshot: fixed.solve, rules })
      held.decision = decisionOf(ranking, { snapshot: fixed.verify, competition, peerOf: contacts.peerOf })
      return held.decision
    },
    decision: (epoch) => epochs.get(epoch)?.decision,
    decisions: () => [...epochs.values()].flatMap(({ decision }) => decision ?? []),
    preview: (epoch) => {
      const held = epochs.get(epoch)
      return held?.fixed === undefined ? [] : held.competition.ranking(held.fixed.verify)
    },
    priced: (epoch) => {
      const held = epochs.get(epoch)
      return held?.fixed === undefined ? undefined : { competition: held.competition, snapshot: held.fixed.verify, ranking: held.decision?.ranking ?? [] }
    }
  }
}
