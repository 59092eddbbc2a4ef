import { ceilShare, safe } from '../integers.ts'
import type { Market } from '../market.ts'
import { ONE_TICK } from '../options.ts'
import { bandFor, clip, FULL_REPUTATION, premiumFor } from '../score.ts'
import type { Facts } from './facts.ts'
import { DEVICE, ENTRY, FLAG, JOB, OFFER } from './layout.ts'

/** What a pair counts and what its provider locks, nLILY. */
export interface Terms { readonly welfare: number, readonly collateral: number }

/**
 * The terms of a pair that is admissible on these devices, from numbers alone; undefined when they do not say that it is: then the records decide
 * (`admissible.ts`), and give the reason. Never terms for a pair that the records refuse, nor others than theirs: `test/match/facts.test.ts`.
 */
export function termsOf ({ rules }: Market, facts: Facts, job: number, offer: number, places: readonly number[]): Terms | undefined {
  const { jobs, offers, entries, devices } = facts
  const jobFlags = jobs[job + JOB.flags] as number
  const offerFlags = offers[offer + OFFER.flags] as number
  if ((jobFlags & offerFlags & FLAG.isPlain) === 0 || ((jobFlags | offerFlags) & FLAG.hasLists) !== 0 || places.length !== jobs[job + JOB.entries]) return undefined
  if (jobs[job + JOB.account] === offers[offer + OFFER.account] || jobs[job + JOB.market] !== offers[offer + OFFER.market]) return undefined
  if (((jobs[job + JOB.engineBit] as number) & (offers[offer + OFFER.engineBits] as number)) === 0) return undefined
  if ((jobFlags & FLAG.isAudited) !== 0 && !shareMediator(facts, job, offer)) return undefined
  const runSeconds = jobs[job + JOB.runSeconds] as number
  const [cpuMilli, memoryMiB, diskMiB] = [jobs[job + JOB.cpuMilli] as number, jobs[job + JOB.memoryMiB] as number, jobs[job + JOB.diskMiB] as number]
  const isWithin = cpuMilli <= (offers[offer + OFFER.cpuMilli] as number) && memoryMiB <= (offers[offer + OFFER.memoryMiB] as number) && diskMiB <= (offers[offer + OFFER.diskMiB] as number) &&
    runSeconds <= (offers[offer + OFFER.maxRunSeconds] as number) && (jobs[job + JOB.minReputation] as number) <= (offers[offer + OFFER.reputation] as number) &&
    (offers[offer + OFFER.startMs] as number) + (jobs[job + JOB.spanMs] as number) <= (jobs[job + JOB.deadline] as number)
  if (!isWithin) return undefined

  let askShares = 0
  let referenceShares = 0
  for (let at = 0; at < places.length; at++) {
    const place = places[at] as number
    if (!Number.isInteger(place) || place < 0 || place >= (offers[offer + OFFER.devices] as number) || places.indexOf(place) < at) return undefined
    const entry = (jobs[job + JOB.firstEntry] as number) + at * ENTRY.width
    const device = (offers[offer + OFFER.firstDevice] as number) + place * DEVICE.width
    const share = entries[entry + ENTRY.shareBp] as number
    const models = entries[entry + ENTRY.modelBits] as number
    if (share > (devices[device + DEVICE.shareBp] as number) || (entries[entry + ENTRY.vramMiB] as number) > (devices[device + DEVICE.vramMiB] as number)) return undefined
    if (models !== 0 && (models & (devices[device + DEVICE.modelBit] as number)) === 0) return undefined
    askShares += share * (devices[device + DEVICE.secondAsk] as number)
    referenceShares += share * (devices[device + DEVICE.secondReference] as number)
  }

  const perSecond = cpuMilli * (offers[offer + OFFER.cpuSecond] as number) + memoryMiB * (offers[offer + OFFER.memorySecond] as number) + diskMiB * (offers[offer + OFFER.diskSecond] as number)
  const ask = safe((offers[offer + OFFER.base] as number) + runSeconds * perSecond + ceilShare(askShares, runSeconds))
  const reference = safe((jobs[job + JOB.reference] as number) + ceilShare(referenceShares, runSeconds))
  const limit = jobs[job + JOB.limit] as number
  // Nothing is negative and a run takes a second at least: what is beyond 2^53 - 1 on the way stays beyond, and is left to the records.
  if (!(ask <= limit) || reference === Number.POSITIVE_INFINITY) return undefined
  const collateral = ceilShare(Math.min(limit, Math.max(ask, reference)), jobs[job + JOB.lockBp] as number)
  if (!(collateral <= (offers[offer + OFFER.lockable] as number))) return undefined
  if (((jobFlags | offerFlags) & FLAG.isTick) !== 0) return { welfare: ONE_TICK, collateral }
  const band = bandFor(reference, rules)
  const reputationBp = offers[offer + OFFER.reputation] as number
  const cost = clip(reputationBp === FULL_REPUTATION ? ask : safe(ask + premiumFor(ask, { reputationBp }, rules)), band)
  return { welfare: Math.min(Number.MAX_SAFE_INTEGER, Math.max(ONE_TICK, clip(limit, band) - cost + (jobs[job + JOB.age] as number))), collateral }
}

/** Whether both trust a mediator with a bit that is neither of them. */
function shareMediator ({ jobs, offers, mediators }: Facts, job: number, offer: number): boolean {
  let common = (jobs[job + JOB.mediatorBits] as number) & (offers[offer + OFFER.mediatorBits] as number)
  while (common !== 0) {
    const account = mediators[31 - Math.clz32(common)]
    if (account !== jobs[job + JOB.account] && account !== offers[offer + OFFER.account]) return true
    common &= ~(1 << (31 - Math.clz32(common)))
  }
  return false
}
