import type { Hash } from '../wire/shapes.ts'
import { passes } from './admissible.ts'
import { pricesOf, type Certificate } from './certificate.ts'
import { ACCESS } from './kernel/columns.ts'
import { accepts } from './kernel/devices.ts'
import type { Kernel } from './kernel/kernel.ts'
import { PLAIN_ROWS, ROWS, shareInRow } from './kernel/share-rows.ts'
import { BP } from './integers.ts'
import { ONE_TICK } from './options.ts'
import { referenceAlone } from './price.ts'
import type { JobRow, OfferRow } from './problem.ts'
import { bandFor, clip, isTickJob, type Band } from './score.ts'

/** A job with what is asked of it again and again. Amounts are nLILY in doubles: guesses that order, nothing that counts. */
export interface Applicant {
  readonly id: Hash
  readonly row: JobRow
  readonly bid: number
  readonly band: Band
  /** What it takes of each row (protocol/certificate.md, Rows). */
  readonly demand: Float64Array
  /** How many devices, and the smallest share that it asks of one, bp. */
  readonly gpus: number
  readonly leastShare: number
  /** Per number of access of offers, and per kind of their devices: whether that lets the job in. */
  readonly isLetIn: readonly boolean[]
  readonly isServed: readonly boolean[]
  /** It lists accounts that it wants or avoids. */
  readonly isPicky: boolean
  /** The same for jobs that differ in nothing that is guessed about but their limit. */
  readonly kind: string
}

export interface Estimate {
  applicantOf: (row: JobRow) => Applicant
  /** Offers that stand for their units: only those are guessed about. */
  readonly offers: Int32Array
  /**
   * What the job costs on the offer with the resources that it takes there, at the certificate's prices; Infinity where it asks more than the job's limit, or where
   * its rules, kinds of devices or the job's own lists leave the job out.
   */
  costOn: (applicant: Applicant, offerAt: number) => number
  /** The same for all `offers`. */
  costsOf: (applicant: Applicant, into: Float64Array) => void
  /** Per offer: base, CPU, memory, disk, and the second of its cheapest device; 0 without. */
  readonly asks: Float64Array
}

/** Constraints on the accounts that a job lists. */
const LISTS = ['avoid', 'target'] as const

/** Numbers of an offer in `asks`. */
export const ASKS = 5

/** Costs of jobs on offers as the certificate's prices see them; a job need not be the kernel's. */
export function createEstimate ({ market, units, ...kernel }: Kernel, certificate: Certificate): Estimate {
  const prices = pricesOf({ market, units, ...kernel }, certificate)
  const count = market.offers.length
  const offers: number[] = []
  const classOf = new Int32Array(count)
  const accessOf = new Int32Array(count)
  const kindOf = new Int32Array(count)
  const asks = new Float64Array(count * ASKS)
  /** Lists of devices that serve the same jobs. */
  const kinds = new Map<string, number>()
  const ofKind: OfferRow[] = []
  units.classes.forEach(({ units: members, accesses }, at) => {
    for (const { offers: own } of members) {
      own.forEach((offerAt, alternative) => {
        const row = market.offers[offerAt] as OfferRow
        const { ask, gpus } = row.offer
        const kind = JSON.stringify(gpus.map(({ model, vramMiB }) => [model, vramMiB]))
        if (!kinds.has(kind)) kinds.set(kind, ofKind.push(row) - 1)
        offers.push(offerAt)
        classOf[offerAt] = at
        accessOf[offerAt] = accesses[alternative] as number
        kindOf[offerAt] = kinds.get(kind) as number
        asks.set([ask.base, ask.cpuMilliSecond, ask.memoryMiBSecond, ask.diskMiBSecond, gpus.reduce((least, { secondAsk }) => Math.min(least, secondAsk), gpus[0]?.secondAsk ?? 0)], offerAt * ASKS)
      })
    }
  })
  const isLeftOut = (row: JobRow, offerAt: number): boolean => LISTS.some((reason) => !passes(reason, row, market.offers[offerAt] as OfferRow, market))
  const amountOn = ({ row: { offer }, band, demand, gpus, isLetIn, isServed }: Applicant, offerAt: number): number => {
    if (isLetIn[accessOf[offerAt] as number] !== true || isServed[kindOf[offerAt] as number] !== true) return Number.POSITIVE_INFINITY
    const at = offerAt * ASKS
    const perSecond = (demand[0] as number) * (asks[at + 1] as number) + (demand[1] as number) * (asks[at + 2] as number) + (demand[2] as number) * (asks[at + 3] as number) +
      (demand[PLAIN_ROWS] as number) * (asks[at + 4] as number) / BP
    const ask = (asks[at] as number) + offer.runSeconds * perSecond
    if (ask > offer.limit) return Number.POSITIVE_INFINITY
    const base = (classOf[offerAt] as number) * ROWS
    let rent = 0
    for (let row = 0; row < (gpus === 0 ? PLAIN_ROWS : ROWS); row++) rent += (prices[base + row] as number) * (demand[row] as number)
    return Math.max(ask, band.low) + rent
  }
  return {
    offers: Int32Array.from(offers),
    asks,
    costOn: (applicant, offerAt) => applicant.isPicky && isLeftOut(applicant.row, offerAt) ? Number.POSITIVE_INFINITY : amountOn(applicant, offerAt),
    costsOf: (applicant, into) => {
      for (const offer of offers) into[offer] = amountOn(applicant, offer)
      if (applicant.isPicky) for (const offer of offers) if (isLeftOut(applicant.row, offer)) into[offer] = Number.POSITIVE_INFINITY
    },
    applicantOf: (row) => {
      const { resources: { cpuMilli, memoryMiB, diskMiB }, gpus, limit } = row.offer
      const band = bandFor(Math.min(Number.MAX_SAFE_INTEGER, referenceAlone(row.offer, market.rules)), market.rules)
      const demand = new Float64Array(ROWS)
      demand.set([cpuMilli, memoryMiB, diskMiB])
      for (const { shareBp } of gpus) for (let at = PLAIN_ROWS; at < ROWS; at++) demand[at] = (demand[at] as number) + shareInRow(at - PLAIN_ROWS, shareBp)
      const isLetIn = units.accesses.map((other) => ACCESS.every((reason) => passes(reason, row, other, market)))
      const isPicky = row.offer.targets.length > 0 || row.offer.avoid.length > 0
      const isTick = isTickJob(row)
      return {
        id: row.id, row, bid: isTick ? ONE_TICK : clip(limit, band), band, demand, gpus: gpus.length, leastShare: gpus.reduce((least, { shareBp }) => Math.min(least, shareBp), BP), isLetIn, isPicky,
        isServed: ofKind.map(({ offer }) => gpus.every((entry) => offer.gpus.some((device) => accepts(entry, device)))),
        kind: isPicky || isTick ? row.id : `${cpuMilli} ${memoryMiB} ${diskMiB} ${row.offer.runSeconds} ${gpus.length === 0 ? '' : JSON.stringify(gpus)} ${isLetIn.map(Number).join('')}`
      }
    }
  }
}
