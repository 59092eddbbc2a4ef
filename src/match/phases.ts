import { BP } from './integers.ts'
import type { AuctionRules } from './options.ts'

/** The times of one epoch, unix ms; each phase includes its start and excludes its end. */
export interface Phases {
  readonly epoch: number
  /** Snapshot and start of the commit phase. */
  readonly epochStart: number
  /** End of commits, start of reveals. */
  readonly commitDeadline: number
  /** End of reveals, start of the fall-back phase. */
  readonly revealDeadline: number
  /** End of the fall-back phase: what stands now is ranked, consents begin. */
  readonly fallbackDeadline: number
  /** Consents to this epoch's matches end. */
  readonly consentDeadline: number
}

/** The epoch at `nowMs`, counted from the deployment's genesis time (unix s); negative before it. */
export function epochAt (rules: AuctionRules, genesisTime: number, nowMs: number): number {
  return Math.floor((nowMs - genesisTime * 1000) / rules.epochMs)
}

/** Whole epochs from when a record was written (its `seq`, unix ms) to `atMs`: what its age counts. */
export function epochsSince (rules: Pick<AuctionRules, 'epochMs'>, seq: number, atMs: number): number {
  return Math.max(0, Math.floor((atMs - seq) / rules.epochMs))
}

/** The phases of an epoch. */
export function phasesOf (rules: AuctionRules, genesisTime: number, epoch: number): Phases {
  const epochStart = genesisTime * 1000 + epoch * rules.epochMs
  const at = (bp: number): number => epochStart + Math.floor(rules.epochMs * bp / BP)
  return {
    epoch, epochStart, commitDeadline: at(rules.commitBp), revealDeadline: at(rules.revealBp),
    fallbackDeadline: at(rules.fallbackBp), consentDeadline: at(rules.consentBp)
  }
}
