import { statfs } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { RoleError } from '../errors.ts'
import type { JobOffer, Resources } from '../../wire/job-offer.ts'
import type { GpuSupply } from '../../wire/resource-offer.ts'
import type { Hash } from '../../wire/shapes.ts'

/** A named part of the machine that is offered on its own, as a share of what was measured, and the GPUs that are in it: none unless they are named. */
export interface UnitShare { name: string, share: number, gpus?: readonly GpuSupply[] }

/** What a job needs of the GPU at one place of its unit, bp. */
export interface DeviceShare { place: number, shareBp: number }

/** The shares that a job needs of the devices that it was matched to. */
export function sharesOf ({ gpus }: Pick<JobOffer, 'gpus'>, devices: readonly number[]): DeviceShare[] {
  return devices.map((place, entry) => ({ place, shareBp: gpus[entry]?.shareBp ?? 0 }))
}

/** Memory kept for the system and the node itself. */
const SYSTEM_MEMORY_SHARE = 0.2
/** Disk kept free. */
const SYSTEM_DISK_SHARE = 0.5
const MIB = 2 ** 20

/** What this machine has, as far as a job may use it; measured, never taken from a flag. */
export async function measureMachine (diskPath: string): Promise<Resources> {
  const disk = await statfs(diskPath)
  return {
    cpuMilli: cpus().length * 1000,
    memoryMiB: Math.floor(totalmem() * (1 - SYSTEM_MEMORY_SHARE) / MIB),
    diskMiB: Math.floor(disk.bavail * disk.bsize * (1 - SYSTEM_DISK_SHARE) / MIB)
  }
}

/**
 * What is promised to whom: the last word on this provider's capacity. A deal holds its part from the moment the
 * provider signs terms until the deal is terminal.
 */
export interface CapacityLedger {
  readonly units: ReadonlyMap<string, Resources>
  free: (unit: string) => Resources
  /** The unit's GPUs with the share of each that is free. */
  gpus: (unit: string) => GpuSupply[]
  /** False when the unit or one of its GPUs has not enough left. Idempotent per deal. */
  reserve: (dealId: Hash, unit: string, demand: Resources, shares?: readonly DeviceShare[]) => boolean
  release: (dealId: Hash) => void
  /** Calls back when what is free has changed, also by a deal of another network, until the returned function is called. */
  onChange: (listener: () => void) => () => void
}

/** A ledger over shares of a measured machine. Throws RoleError ROLE_BAD_UNITS when the shares exceed the machine. */
export function createCapacityLedger (machine: Resources, shares: readonly UnitShare[]): CapacityLedger {
  const total = shares.reduce((sum, unit) => sum + unit.share, 0)
  if (shares.length === 0 || total > 1 + 1e-9 || shares.some((unit) => !(unit.share > 0))) {
    throw new RoleError('ROLE_BAD_UNITS', `unit shares add up to ${total.toFixed(3)}; they must be positive and at most 1 together`, { data: { shares }, hint: 'Write --unit gpu0=0.5 --unit gpu1=0.5 for two halves.' })
  }
  const units = new Map(shares.map(({ name, share }) => [name, scale(machine, share)]))
  const devices = new Map(shares.map(({ name, gpus }) => [name, gpus ?? []]))
  const listeners = new Set<() => void>()
  const changed = (): void => { for (const listener of listeners) listener() }
  const held = new Map<Hash, { unit: string, demand: Resources, shares: readonly DeviceShare[] }>()
  const free = (unit: string): Resources => {
    let left = units.get(unit) ?? { cpuMilli: 0, memoryMiB: 0, diskMiB: 0 }
    for (const entry of held.values()) if (entry.unit === unit) left = subtract(left, entry.demand)
    return left
  }
  const freeShare = (unit: string, place: number): number => {
    const whole = devices.get(unit)?.[place]?.shareBp ?? 0
    const taken = [...held.values()].filter((entry) => entry.unit === unit).flatMap((entry) => entry.shares)
    return taken.reduce((left, share) => share.place === place ? left - share.shareBp : left, whole)
  }
  return {
    units,
    free,
    gpus: (unit) => (devices.get(unit) ?? []).map((device, place) => ({ ...device, shareBp: freeShare(unit, place) })),
    reserve: (dealId, unit, demand, wanted = []) => {
      if (held.has(dealId)) return true
      const left = subtract(free(unit), demand)
      if (left.cpuMilli < 0 || left.memoryMiB < 0 || left.diskMiB < 0) return false
      if (wanted.some(({ place, shareBp }) => shareBp > freeShare(unit, place))) return false
      held.set(dealId, { unit, demand, shares: wanted })
      changed()
      return true
    },
    release: (dealId) => { if (held.delete(dealId)) changed() },
    onChange: (listener) => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    }
  }
}

function scale (machine: Resources, share: number): Resources {
  return { cpuMilli: Math.floor(machine.cpuMilli * share), memoryMiB: Math.floor(machine.memoryMiB * share), diskMiB: Math.floor(machine.diskMiB * share) }
}

function subtract (a: Resources, b: Resources): Resources {
  return { cpuMilli: a.cpuMilli - b.cpuMilli, memoryMiB: a.memoryMiB - b.memoryMiB, diskMiB: a.diskMiB - b.diskMiB }
}
