import type { GpuDemand } from '../../wire/job-offer.ts'
import type { GpuSupply } from '../../wire/resource-offer.ts'

/** Devices of one offer that differ in nothing but their free share; `low` and `high` are their places 0 to 31 and 32 to 63 as bits. */
export interface DeviceGroup { readonly model: string, readonly vramMiB: number, readonly secondAsk: number, readonly places: readonly number[], readonly low: number, readonly high: number }

/** The offer's devices by model, memory and ask, in the order of their first places. */
export function deviceGroups (gpus: readonly GpuSupply[]): DeviceGroup[] {
  const groups = new Map<string, { model: string, vramMiB: number, secondAsk: number, places: number[], low: number, high: number }>()
  let last: { model: string, vramMiB: number, secondAsk: number, places: number[], low: number, high: number } | undefined
  gpus.forEach(({ model, vramMiB, secondAsk }, place) => {
    // Most machines have one kind of device.
    const key = last?.model === model && last.vramMiB === vramMiB && last.secondAsk === secondAsk ? undefined : `${model}/${vramMiB}/${secondAsk}`
    const group = (key === undefined ? last : groups.get(key)) ?? { model, vramMiB, secondAsk, places: [], low: 0, high: 0 }
    if (key !== undefined) groups.set(key, group)
    last = group
    group.places.push(place)
    if (place < 32) group.low |= 1 << place
    else group.high |= 1 << (place - 32)
  })
  return [...groups.values()]
}

/** Whether each entry of the job alone is accepted by the group's devices. */
export function accepts (entry: GpuDemand, device: { model: string, vramMiB: number }): boolean {
  return entry.vramMiB <= device.vramMiB && (entry.models.length === 0 || entry.models.includes(device.model))
}

/** Whether all entries ask for the same: such jobs have columns that engines use; of others the columns only bound what they can count. */
export function isUniform (gpus: readonly GpuDemand[]): boolean {
  const first = gpus[0]
  return gpus.every((entry) => entry.shareBp === first?.shareBp && entry.vramMiB === first.vramMiB && entry.models.join() === first.models.join())
}
