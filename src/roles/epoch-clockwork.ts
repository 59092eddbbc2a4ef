import type { AuctionRules } from '../match/options.ts'
import { epochAt, phasesOf, type Phases } from '../match/phases.ts'
import type { NetworkClock } from './network-clock.ts'

/** What is done at the times of an epoch, in this order. */
export interface EpochSteps {
  /** Shortly before the boundary. */
  approaching: () => void
  started: (phases: Phases) => void
  /** The book that counts is fixed. */
  commitsClosed: (epoch: number) => void
  /** Everything published is there. */
  postingsClosed: (epoch: number) => void
}

/** Counts epochs by the network's clock, and runs the steps of each from the next boundary on until it is stopped. */
export interface EpochClockwork {
  phases: (epoch: number) => Phases
  currentEpoch: () => number
  start: () => void
  stop: () => void
}

/** Funds are read this share of an epoch before the boundary, so that all nodes see about the same chain. */
const APPROACH_SHARE = 0.1

export function createEpochClockwork (components: { clock: Pick<NetworkClock, 'now' | 'after'>, steps: EpochSteps }, options: { rules: AuctionRules, genesisTime: number }): EpochClockwork {
  const { clock, steps } = components
  const { rules, genesisTime } = options
  let cancel: (() => void) | undefined

  const phases = (epoch: number): Phases => phasesOf(rules, genesisTime, epoch)
  const currentEpoch = (): number => epochAt(rules, genesisTime, clock.now())
  const at = (timeMs: number, act: () => void): void => { cancel = clock.after(timeMs - clock.now(), act) }

  const run = (epoch: number): void => {
    const { commitDeadline, fallbackDeadline } = phases(epoch)
    steps.started(phases(epoch))
    at(commitDeadline, () => {
      steps.commitsClosed(epoch)
      at(fallbackDeadline, () => {
        steps.postingsClosed(epoch)
        schedule(epoch + 1)
      })
    })
  }
  const schedule = (epoch: number): void => {
    const next = Math.max(epoch, currentEpoch() + (clock.now() > phases(currentEpoch()).epochStart ? 1 : 0))
    const { epochStart } = phases(next)
    at(epochStart - rules.epochMs * APPROACH_SHARE, () => {
      steps.approaching()
      at(epochStart, () => { run(next) })
    })
  }

  return {
    phases,
    currentEpoch,
    start: () => { schedule(currentEpoch() + 1) },
    stop: () => { cancel?.() }
  }
}
