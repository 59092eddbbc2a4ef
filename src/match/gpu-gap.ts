import type { GpuDemand, JobOffer } from '../wire/job-offer.ts'
import type { GpuSupply, ResourceOffer } from '../wire/resource-offer.ts'
import { serves } from './devices.ts'

/** What the offer's devices lack for the job, in words: the first entry that none of them serves, or that they do not serve all at once. */
export function gpuGap ({ gpus: entries }: JobOffer, { gpus: devices }: ResourceOffer): string {
  if (devices.length < entries.length) return `the offer has ${devices.length} of ${entries.length} devices`
  const entry = entries.find((one) => !devices.some((device) => serves(device, one)))
  return entry === undefined ? 'the offer\'s devices serve the entries one by one, not together' : entryGap(entry, devices)
}

function entryGap (entry: GpuDemand, devices: readonly GpuSupply[]): string {
  const named = devices.filter(({ model }) => entry.models.length === 0 || entry.models.includes(model))
  if (named.length === 0) return `the offer has ${[...new Set(devices.map(({ model }) => model))].join(', ')}, the job takes ${entry.models.join(', ')}`
  const large = named.filter(({ vramMiB }) => vramMiB >= entry.vramMiB)
  if (large.length === 0) return `the offer's devices have ${entry.vramMiB - Math.max(...named.map(({ vramMiB }) => vramMiB))} MiB of VRAM too little`
  return `the offer's devices have ${(entry.shareBp - Math.max(...large.map(({ shareBp }) => shareBp))) / 100} % of a device too little free`
}
