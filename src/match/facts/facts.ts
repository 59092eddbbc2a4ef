import { zeroHash } from 'viem'
import { lockable } from '../admissible.ts'
import type { Market } from '../market.ts'
import { trustedBy, type Trust } from '../mediators.ts'
import { referenceAlone, secondOf } from '../price.ts'
import type { JobRow, OfferRow } from '../problem.ts'
import { ageFor, FULL_REPUTATION, isTickJob, isTickOffer } from '../score.ts'
import { isTicked } from '../ticks.ts'
import { FLAG, JOB, OFFER } from './layout.ts'
import { accountNumber, createNames } from './names.ts'

/**
 * What matches are checked by, as numbers: a record is read when a match first names it, and not again for the next solution of the same snapshot. Offers are
 * those that are stated. `layout.ts` says where what stands; entries and devices are pushed in its order.
 */
export interface Facts {
  readonly jobs: Float64Array
  readonly offers: Float64Array
  /** The GPUs of all jobs read so far, the devices of all offers. They grow. */
  readonly entries: readonly number[]
  readonly devices: readonly number[]
  /** The place of the first number, of a record that is read now if it was not. */
  readJob: (jobAt: number) => number
  readOffer: (offerAt: number) => number
  /** Per bit of mediators: the account, as `accountNumber` has it. */
  readonly mediators: readonly number[]
}

const known = new WeakMap<Market, Facts>()

/** The market's facts, the same for each solution that is checked on it. */
export function factsOf (market: Market): Facts {
  let facts = known.get(market)
  if (facts === undefined) {
    facts = createFacts(market)
    known.set(market, facts)
  }
  return facts
}

function createFacts (market: Market): Facts {
  const { rules, atMs } = market
  // In the order of their reading, so that memory of records that nobody names is never touched.
  const jobs = new Float64Array(market.jobs.length * JOB.width)
  const offers = new Float64Array(market.offers.length * OFFER.width)
  const entries: number[] = []
  const devices: number[] = []
  const mediators: number[] = []
  const [markets, engines, models, trusted] = [createNames(), createNames(), createNames(), createNames()]

  const mediatorBits = (trust: Trust): number => {
    let bits = 0
    for (const address of trustedBy(trust, rules)) {
      const bit = trusted.bitOf(address)
      if (bit !== 0 && (bits & bit) === 0) mediators[31 - Math.clz32(bit)] = accountNumber(address)
      bits |= bit
    }
    return bits
  }
  /** Pushes the job's entries; false when it accepts models without a bit. */
  const writeEntries = (gpus: JobRow['offer']['gpus']): boolean => {
    let isNamed = true
    for (const { models: accepted, vramMiB, shareBp } of gpus) {
      let bits = 0
      for (const model of accepted) {
        const bit = models.bitOf(model)
        if (bit === 0) isNamed = false
        bits |= bit
      }
      entries.push(bits, vramMiB, shareBp)
    }
    return isNamed
  }

  const writeJob = (row: JobRow, at: number): void => {
    const { offer } = row
    const { verification, gpus } = offer
    const quorumHolds = !('replicas' in verification) || verification.quorum <= verification.replicas
    jobs[at + JOB.entries] = gpus.length
    jobs[at + JOB.firstEntry] = entries.length
    const isNamed = writeEntries(gpus)
    const isPlain = offer.validUntil > atMs && offer.matchedUntil <= atMs && row.incomplete !== true && offer.sealKey === zeroHash && quorumHolds && isNamed
    const hasLists = offer.avoid.length > 0 || offer.targets.length > 0
    jobs[at + JOB.flags] = (isPlain ? FLAG.isPlain : 0) | (isTickJob(row) ? FLAG.isTick : 0) | (verification.strategy === 'audit' ? FLAG.isAudited : 0) | (hasLists ? FLAG.hasLists : 0)
    jobs[at + JOB.cpuMilli] = offer.resources.cpuMilli
    jobs[at + JOB.memoryMiB] = offer.resources.memoryMiB
    jobs[at + JOB.diskMiB] = offer.resources.diskMiB
    jobs[at + JOB.runSeconds] = offer.runSeconds
    jobs[at + JOB.spanMs] = (offer.stageSeconds + offer.runSeconds) * 1000
    jobs[at + JOB.deadline] = offer.deadline
    jobs[at + JOB.limit] = offer.limit
    jobs[at + JOB.minReputation] = offer.minReputationBp
    jobs[at + JOB.lockBp] = Math.max(rules.collateralBp, offer.collateralBp)
    jobs[at + JOB.reference] = referenceAlone({ resources: offer.resources, runSeconds: offer.runSeconds, gpus: [] }, rules)
    jobs[at + JOB.age] = ageFor(row, rules)
    jobs[at + JOB.account] = accountNumber(row.account)
    jobs[at + JOB.market] = markets.numberOf(offer.market)
    jobs[at + JOB.engineBit] = engines.bitOf(offer.engine)
    jobs[at + JOB.mediatorBits] = verification.strategy === 'audit' ? mediatorBits(offer) : 0
  }
  const writeOffer = (row: OfferRow, at: number): void => {
    const { offer } = row
    const isPlain = offer.validUntil > atMs && offer.freeFrom <= atMs + rules.maxAheadMs && isTicked(offer)
    offers[at + OFFER.flags] = (isPlain ? FLAG.isPlain : 0) | (isTickOffer(row) ? FLAG.isTick : 0) | (offer.creators.length > 0 || offer.modules.length > 0 ? FLAG.hasLists : 0)
    offers[at + OFFER.cpuMilli] = offer.capacity.cpuMilli
    offers[at + OFFER.memoryMiB] = offer.capacity.memoryMiB
    offers[at + OFFER.diskMiB] = offer.capacity.diskMiB
    offers[at + OFFER.maxRunSeconds] = offer.maxRunSeconds
    offers[at + OFFER.startMs] = Math.max(atMs, offer.freeFrom)
    offers[at + OFFER.reputation] = row.reputationBp ?? FULL_REPUTATION
    offers[at + OFFER.lockable] = lockable(row)
    offers[at + OFFER.base] = offer.ask.base
    offers[at + OFFER.cpuSecond] = offer.ask.cpuMilliSecond
    offers[at + OFFER.memorySecond] = offer.ask.memoryMiBSecond
    offers[at + OFFER.diskSecond] = offer.ask.diskMiBSecond
    offers[at + OFFER.account] = accountNumber(row.account)
    offers[at + OFFER.market] = markets.numberOf(offer.market)
    offers[at + OFFER.engineBits] = offer.engines.reduce((bits, engine) => bits | engines.bitOf(engine), 0)
    offers[at + OFFER.mediatorBits] = mediatorBits(offer)
    offers[at + OFFER.devices] = offer.gpus.length
    offers[at + OFFER.firstDevice] = devices.length
    for (const { model, vramMiB, shareBp, secondAsk } of offer.gpus) devices.push(models.bitOf(model), vramMiB, shareBp, secondAsk, secondOf(model, rules))
  }
  return {
    jobs, offers, entries, devices, mediators,
    readJob: placed(market.jobs.length, JOB.width, (jobAt, at) => { writeJob(market.jobs[jobAt] as JobRow, at) }),
    readOffer: placed(market.offers.length, OFFER.width, (offerAt, at) => { writeOffer(market.stated[offerAt] as OfferRow, at) })
  }
}

/** Gives each record a place when it is first asked for, the next free one, and has it written there. */
function placed (records: number, width: number, write: (record: number, at: number) => void): (record: number) => number {
  /** One more than the place; 0: not read. */
  const places = new Int32Array(records)
  let next = 0
  return (record) => {
    const known = places[record] as number
    if (known !== 0) return known - 1
    const at = next
    next += width
    places[record] = at + 1
    write(record, at)
    return at
  }
}
