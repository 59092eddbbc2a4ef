import type { Clock } from '../core/clock.ts'
import { FORWARD_RATE_MS, FORWARD_SPREAD_MS, FORWARD_SPREAD_PATIENT_MS, PATIENT_COPIES } from './options.ts'

/**
 * How long accepted messages may wait before they are passed on (protocol/topics.md): longer the more of them come, but only where
 * most of them come from several neighbours, so that one who waits keeps nobody waiting. Where messages come one way only it stays
 * short, and junk does not lengthen it, since only what was accepted counts.
 */
export interface Pause {
  /** A message was accepted. */
  accepted: () => void
  /** A message is passed on, which so many peers had sent by now. */
  passed: (copies: number) => void
  /** Whole milliseconds: FORWARD_SPREAD_MS to FORWARD_SPREAD_PATIENT_MS. */
  spreadMs: () => number
}

/** The rate of messages is that of the last seconds. */
const RATE_WINDOW_MS = 5_000
/** A message's share in the mean of copies. */
const COPIES_WEIGHT = 0.05

export function createPause (clock: Pick<Clock, 'now'>): Pause {
  /** Messages a second, as of `atMs`. */
  let rate = 0
  let atMs = clock.now()
  let meanCopies = 1
  return {
    accepted: () => {
      const nowMs = clock.now()
      rate = rate * Math.exp(Math.min(0, atMs - nowMs) / RATE_WINDOW_MS) + 1000 / RATE_WINDOW_MS
      atMs = nowMs
    },
    passed: (copies) => { meanCopies += COPIES_WEIGHT * (copies - meanCopies) },
    spreadMs: () => meanCopies < PATIENT_COPIES ? FORWARD_SPREAD_MS : Math.min(FORWARD_SPREAD_PATIENT_MS, Math.max(FORWARD_SPREAD_MS, Math.round(rate * FORWARD_RATE_MS)))
  }
}
