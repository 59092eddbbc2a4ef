import type { Market } from '../market.ts'
import { BP } from '../options.ts'
import { ageFor, bandFor, type Band } from '../score.ts'
import type { Ask } from '../../wire/resource-offer.ts'
import type { JobOffer } from '../../wire/job-offer.ts'
import { accepts, isUniform, type DeviceGroup } from './devices.ts'
import type { JobClass, JobClasses } from './job-classes.ts'

/** What a job class bids on devices of one kind: its run of `bids`, its reference price there and the band round it. */
export interface Bidding { readonly at: number, readonly reference: number, readonly band: Band }

/** Job classes as columns of numbers, and their bids. */
export interface Bidders {
  readonly cpuMilli: Float64Array
  readonly memoryMiB: Float64Array
  readonly diskMiB: Float64Array
  readonly runSeconds: Float64Array
  /** GPUs it asks for, the sum of their shares, and the share of each when all entries are the same, else 0. */
  readonly devices: Int32Array
  readonly shares: Float64Array
  readonly share: Float64Array
  readonly collateralBp: Float64Array
  /** Its largest limit. */
  readonly topLimit: Float64Array
  /** Grows as biddings are asked for. */
  readonly bids: number[]
  /** Undefined when no entry accepts the device (no device: a job without GPUs). A reference beyond 2^53 - 1 is no pair's, but bounds some. */
  on: (job: number, device: DeviceGroup | undefined) => Bidding | undefined
}

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
  const column = (value: (jobClass: JobClass) => number): Float64Array => Float64Array.from(jobs.classes, value)
  const shares = column(({ row }) => row.offer.gpus.reduce((sum, { shareBp }) => sum + shareBp, 0))
  const { limits } = jobs
  const bids: number[] = []
  /** Kinds of devices by what hangs on them, and per kind the biddings found so far; null: none. */
  const kinds = new Map<string, Array<Bidding | null | undefined>>()
  const kindOf = new WeakMap<DeviceGroup, Array<Bidding | null | undefined>>()
  const without: Array<Bidding | null | undefined> = []

  const kind = (device: DeviceGroup): Array<Bidding | null | undefined> => {
    const found = kindOf.get(device)
    if (found !== undefined) return found
    const key = `${device.model}/${device.vramMiB}`
    const table = kinds.get(key) ?? []
    kinds.set(key, table)
    kindOf.set(device, table)
    return table
  }
  const find = (job: number, device: DeviceGroup | undefined): Bidding | null => {
    const { row, jobs: members } = jobs.classes[job] as JobClass
    if (device !== undefined && !row.offer.gpus.some((entry) => accepts(entry, device))) return null
    const { models, default: usual } = rules.reference.gpuSecond
    const second = device === undefined ? 0 : Object.hasOwn(models, device.model) ? models[device.model] as number : usual
    const reference = plainAmount(rules.reference, row.offer) + gpuAmount(row.offer.runSeconds, shares[job] as number, second)
    const age = ageFor(row, rules)
    const bidding = { at: bids.length, reference, band: bandFor(Math.min(reference, Number.MAX_SAFE_INTEGER), rules) }
    const { low, high } = bidding.band
    for (const member of members) bids.push(Math.min(high, Math.max(low, limits[member] as number)) + age)
    return bidding
  }
  return {
    cpuMilli: column(({ row }) => row.offer.resources.cpuMilli), memoryMiB: column(({ row }) => row.offer.resources.memoryMiB), diskMiB: column(({ row }) => row.offer.resources.diskMiB),
    runSeconds: column(({ row }) => row.offer.runSeconds), devices: Int32Array.from(jobs.classes, ({ row }) => row.offer.gpus.length), shares,
    share: column(({ row }) => isUniform(row.offer.gpus) ? row.offer.gpus[0]?.shareBp ?? 0 : 0), collateralBp: column(({ row }) => Math.max(rules.collateralBp, row.offer.collateralBp)),
    topLimit: column(({ jobs: members }) => limits[members[0] as number] as number), bids,
    on: (job, device) => {
      const table = device === undefined ? without : kind(device)
      let bidding = table[job]
      if (bidding === undefined) table[job] = bidding = find(job, device)
      return bidding ?? undefined
    }
  }
}
