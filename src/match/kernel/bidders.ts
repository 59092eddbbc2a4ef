import type { Ask } from '../../wire/resource-offer.ts'
import type { JobOffer } from '../../wire/job-offer.ts'
import type { Market } from '../market.ts'
import { BP } from '../integers.ts'
import { ageFor, bandFor } from '../score.ts'
import { accepts, isUniform, type DeviceGroup } from './devices.ts'
import type { JobClass, JobClasses } from './job-classes.ts'

/** What job classes bid on devices of one kind, or without any; filled as they are asked for. Amounts are nLILY. */
export interface Biddings {
  readonly device: DeviceGroup | undefined
  /** Per job class: the run of its bids; or one of the following. */
  readonly run: Int32Array
  /** Its reference price there and the band round it. A reference beyond 2^53 - 1 is no pair's, but bounds some. */
  readonly reference: Float64Array
  readonly low: Float64Array
  readonly high: Float64Array
}

/** `Biddings.run` of a class that was not asked for, and of one of which no entry accepts the device. */
export const UNASKED = -2
export const NO_BID = -1

/** Job classes as columns of numbers, and their bids. */
export interface Bidders {
  readonly cpuMilli: Float64Array
  readonly memoryMiB: Float64Array
  readonly diskMiB: Float64Array
  readonly runSeconds: Float64Array
  /** GPUs it asks for, the sum of their shares, and the share of each when all entries are the same, else 0. */
  readonly devices: Float64Array
  readonly shares: Float64Array
  readonly share: Float64Array
  /** Its largest limit. */
  readonly topLimit: Float64Array
  /** Of the kind of the device; the same for the same model and VRAM. Undefined: of jobs without GPUs. */
  biddingsOn: (device: DeviceGroup | undefined) => Biddings
  /** Fills in what the class bids there; its run, or `NO_BID`. */
  ask: (biddings: Biddings, job: number) => number
  /** All kinds that were asked for. */
  asked: () => Iterable<Biddings>
  runs: () => Runs
  /** Clipped limits in the order of each class's jobs, one run for each time a class was asked for. */
  bids: () => Float64Array
}

/** Per run: its job class, the place of its first bid, the reference price that its bids are clipped round. */
export interface Runs { readonly job: Int32Array, readonly bid: Int32Array, readonly reference: Float64Array }

/** ceil(runSeconds * shares * second / 10,000), exact below 2^53; Infinity above. */
export function gpuAmount (runSeconds: number, shares: number, second: number): number {
  const product = runSeconds * shares * second
  if (Number.isSafeInteger(product)) return Math.ceil(product / BP)
  const exact = (BigInt(runSeconds) * BigInt(shares) * BigInt(second) + BigInt(BP - 1)) / BigInt(BP)
  return exact > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(exact)
}

/** base + runSeconds * resources. Nothing is negative, so a sum or product beyond what is safe stays beyond. */
export function plainAmount (unit: Ask, { resources: { cpuMilli, memoryMiB, diskMiB }, runSeconds }: Pick<JobOffer, 'resources' | 'runSeconds'>): number {
  return unit.base + runSeconds * (cpuMilli * unit.cpuMilliSecond + memoryMiB * unit.memoryMiBSecond + diskMiB * unit.diskMiBSecond)
}

export function createBidders (market: Market, jobs: JobClasses): Bidders {
  const { rules } = market
  const { limits, classes } = jobs
  const column = (value: (jobClass: JobClass) => number): Float64Array => {
    const numbers = new Float64Array(classes.length)
    for (let at = 0; at < numbers.length; at++) numbers[at] = value(classes[at] as JobClass)
    return numbers
  }
  const shares = column(({ row }) => row.offer.gpus.reduce((sum, { shareBp }) => sum + shareBp, 0))
  let bids = new Float64Array(4 * limits.length)
  let count = 0
  const runs = { job: [] as number[], bid: [] as number[], reference: [] as number[] }
  const kinds = new Map<string, Biddings>()

  const find = (job: number, into: Biddings): void => {
    const { device } = into
    const { row, jobs: members } = classes[job] as JobClass
    into.run[job] = NO_BID
    if (device !== undefined && !row.offer.gpus.some((entry) => accepts(entry, device))) return
    const { models, default: usual } = rules.reference.gpuSecond
    const second = device === undefined ? 0 : Object.hasOwn(models, device.model) ? models[device.model] as number : usual
    const reference = plainAmount(rules.reference, row.offer) + gpuAmount(row.offer.runSeconds, shares[job] as number, second)
    const age = ageFor(row, rules)
    const { low, high } = bandFor(Math.min(reference, Number.MAX_SAFE_INTEGER), rules)
    into.run[job] = runs.job.push(job) - 1
    runs.bid.push(count)
    runs.reference.push(reference)
    into.reference[job] = reference
    into.low[job] = low
    into.high[job] = high
    if (count + members.length > bids.length) bids = lengthened(bids, 2 * (count + members.length))
    const own = bids.subarray(count, count + members.length)
    for (let at = 0; at < own.length; at++) own[at] = Math.min(high, Math.max(low, limits[members[at] as number] as number)) + age
    count += members.length
  }
  return {
    cpuMilli: column(({ row }) => row.offer.resources.cpuMilli), memoryMiB: column(({ row }) => row.offer.resources.memoryMiB), diskMiB: column(({ row }) => row.offer.resources.diskMiB),
    runSeconds: column(({ row }) => row.offer.runSeconds), devices: column(({ row }) => row.offer.gpus.length), shares,
    share: column(({ row }) => isUniform(row.offer.gpus) ? row.offer.gpus[0]?.shareBp ?? 0 : 0),
    topLimit: column(({ jobs: members }) => limits[members[0] as number] as number),
    biddingsOn: (device) => {
      const key = device === undefined ? '' : `${device.model}/${device.vramMiB}`
      let biddings = kinds.get(key)
      if (biddings === undefined) {
        const room = (): Float64Array => new Float64Array(classes.length)
        biddings = { device, run: new Int32Array(classes.length).fill(UNASKED), reference: room(), low: room(), high: room() }
        kinds.set(key, biddings)
      }
      return biddings
    },
    ask: (biddings, job) => {
      if (biddings.run[job] === UNASKED) find(job, biddings)
      return biddings.run[job] as number
    },
    asked: () => kinds.values(),
    runs: () => ({ job: Int32Array.from(runs.job), bid: Int32Array.from(runs.bid), reference: Float64Array.from(runs.reference) }),
    bids: () => bids.slice(0, count)
  }
}

function lengthened (numbers: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const longer = new Float64Array(length)
  longer.set(numbers)
  return longer
}
