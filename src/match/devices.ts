import type { GpuDemand, JobOffer } from '../wire/job-offer.ts'
import type { GpuSupply, ResourceOffer } from '../wire/resource-offer.ts'

/** protocol/matching.md, Devices. `devices[i]` is the place in the offer's `gpus` of the device that serves the job's `gpus[i]`. */
export type Devices = readonly number[]

/** Of every job without GPUs. */
export const NO_DEVICES: Devices = []
const PLAIN: readonly Devices[] = [NO_DEVICES]
/** Ways to serve a job on one offer that engines try: machines have one or two kinds of GPUs, a made-up list of 64 shall not cost 64 times as much. */
const MAX_VARIANTS = 8

/** Whether the device, as it is free, serves the entry. */
export function serves (device: GpuSupply, entry: GpuDemand): boolean {
  return entry.shareBp <= device.shareBp && entry.vramMiB <= device.vramMiB && (entry.models.length === 0 || entry.models.includes(device.model))
}

/** Whether the devices serve the job, looked at alone: one for each entry, all different. */
export function devicesServe (job: JobOffer, offer: ResourceOffer, devices: Devices): boolean {
  const { gpus } = job
  if (devices.length !== gpus.length) return false
  for (let at = 0; at < gpus.length; at++) {
    const place = devices[at] as number
    const device = offer.gpus[place]
    if (device === undefined || !serves(device, gpus[at] as GpuDemand) || devices.indexOf(place) < at) return false
  }
  return true
}

/** The devices of the pair looked at alone, by the greedy rule; undefined when it finds none. */
export function devicesFor (job: JobOffer, offer: ResourceOffer): Devices | undefined {
  return job.gpus.length === 0 ? NO_DEVICES : assign(job, offer, scarcestFirst(job.gpus), offer.gpus.map((_, at) => at))
}

/** All ways to serve the job that engines tell apart: each kind of device alone, then what the greedy rule mixes. */
export function variantsOf (job: JobOffer, offer: ResourceOffer): readonly Devices[] {
  if (job.gpus.length === 0) return PLAIN
  if (job.gpus.length > offer.gpus.length) return []
  const order = scarcestFirst(job.gpus)
  const kinds = kindsOf(offer)
  const [first, ...others] = [...new Set(kinds)]
  if (others.length === 0) {
    const devices = assign(job, offer, order, [...kinds.keys()])
    return devices === undefined ? [] : [devices]
  }
  const alone = [first, ...others].map((kind) => assign(job, offer, order, [...kinds.keys()].filter((at) => kinds[at] === kind))).filter((devices) => devices !== undefined)
  const mixed = assign(job, offer, order, [...kinds.keys()])
  const isMixed = mixed !== undefined && new Set(mixed.map((at) => kinds[at])).size > 1
  return (isMixed ? [mixed, ...alone] : alone).slice(0, MAX_VARIANTS)
}

/**
 * Devices of the same kinds as `like`, where `free` (bp by place) leaves room: entries by falling share, each to the fullest device that still has room, which
 * finds devices of one kind whenever there are any. Undefined when none are left.
 */
export function devicesLike (like: Devices, job: JobOffer, kinds: readonly number[], free: readonly number[]): Devices | undefined {
  if (like.length === 0) return like
  const chosen = new Array<number>(like.length).fill(-1)
  const order = like.length === 1 ? ONE : [...job.gpus.keys()].sort((left, right) => shareOf(job, right) - shareOf(job, left) || left - right)
  for (const entry of order) {
    const kind = kinds[like[entry] as number]
    let best = -1
    for (let at = 0; at < kinds.length; at++) {
      if (kinds[at] !== kind || (free[at] as number) < shareOf(job, entry) || chosen.includes(at)) continue
      if (best < 0 || (free[at] as number) < (free[best] as number)) best = at
    }
    if (best < 0) return undefined
    chosen[entry] = best
  }
  return chosen
}

/** Per device the first place of its kind: same model, VRAM and price, so that one does as well as another. */
export function kindsOf (offer: ResourceOffer): readonly number[] {
  let kinds = known.get(offer)
  if (kinds === undefined) {
    const { gpus } = offer
    kinds = gpus.map((device) => gpus.findIndex((other) => other.model === device.model && other.vramMiB === device.vramMiB && other.secondAsk === device.secondAsk))
    known.set(offer, kinds)
  }
  return kinds
}

const known = new WeakMap<ResourceOffer, readonly number[]>()

const ONE = [0]

function shareOf (job: JobOffer, entry: number): number {
  return (job.gpus[entry] as GpuDemand).shareBp
}

/** Entries in the order in which they choose: fewest models first (any last), then most VRAM, then largest share. */
function scarcestFirst (gpus: readonly GpuDemand[]): readonly number[] {
  if (gpus.length === 1) return ONE
  const width = ({ models }: GpuDemand): number => models.length === 0 ? Number.POSITIVE_INFINITY : models.length
  const before = (left: GpuDemand, right: GpuDemand): number => width(left) === width(right) ? right.vramMiB - left.vramMiB || right.shareBp - left.shareBp : width(left) - width(right)
  return [...gpus.keys()].sort((left, right) => before(gpus[left] as GpuDemand, gpus[right] as GpuDemand) || left - right)
}

/** Each entry to the cheapest of `places` that serves it, then the one of smallest free share, then the first. */
function assign (job: JobOffer, offer: ResourceOffer, order: readonly number[], places: readonly number[]): Devices | undefined {
  const chosen = new Array<number>(job.gpus.length).fill(-1)
  for (const entry of order) {
    let best: number | undefined
    for (const at of places) {
      const device = offer.gpus[at] as GpuSupply
      if (chosen.includes(at) || !serves(device, job.gpus[entry] as GpuDemand)) continue
      const other = best === undefined ? undefined : offer.gpus[best]
      if (other === undefined || device.secondAsk < other.secondAsk || (device.secondAsk === other.secondAsk && device.shareBp < other.shareBp)) best = at
    }
    if (best === undefined) return undefined
    chosen[entry] = best
  }
  return chosen
}
