import type { Phases } from '../match/phases.ts'

/** When an engine's answer is due, so that the commit to it is said in time. */
export interface SendingTime {
  /** Unix ms. */
  answerBy: (phases: Pick<Phases, 'epochStart' | 'commitDeadline'>) => number
  /** What an epoch took from `answerBy` on: how late the answer was, and what checking, certificate, signing and saying took. */
  note: (times: { answerBy: number, answeredMs: number, saidMs: number }) => void
}

/** A commit must be everywhere before its deadline: gossip over a home line. Short epochs are those of one machine, whose processes keep each other waiting: a quarter of the phase. */
const SPREAD_MS = 300
const SPREAD_SHARE = 0.25
/** Of the phase, before anything was measured; and at most, however slow it was: an engine that gets no time finds nothing. */
const FIRST_SHARE = 0.1
const MOST_SHARE = 0.4
/** Epochs that are remembered: the slowest of them counts. */
const REMEMBERED = 8

/** Counts backwards from the commit deadline with what the epochs of late took on this machine. */
export function createSendingTime (): SendingTime {
  let costs: number[] = []
  return {
    answerBy: ({ epochStart, commitDeadline }) => {
      const phase = commitDeadline - epochStart
      const cost = costs.length === 0 ? phase * FIRST_SHARE : Math.min(phase * MOST_SHARE, Math.max(...costs))
      return Math.floor(commitDeadline - Math.min(SPREAD_MS, phase * SPREAD_SHARE) - cost)
    },
    note: ({ answerBy, answeredMs, saidMs }) => {
      costs = [...costs, Math.max(0, answeredMs - answerBy) + saidMs - answeredMs].slice(-REMEMBERED)
    }
  }
}
