import type { Devices } from '../../src/match/devices.ts'
import type { OfferRow } from '../../src/match/problem.ts'
import type { ResourceOffer } from '../../src/wire/resource-offer.ts'
import type { Arrival, Schedule } from './schedule.ts'

/** A job that waits or runs. Times are ms after the start of the replay. */
export interface Tracked { readonly arrival: Arrival, matchedMs?: number, endMs?: number }

interface Run { readonly machine: number, readonly arrival: Arrival, readonly devices: Devices, readonly endMs: number }

/** The owners of the replayed jobs and machines: what waits, what runs where, and what is free. */
export interface Cluster {
  readonly jobs: readonly Tracked[]
  /** Jobs that have come and were not matched. */
  waiting: (nowMs: number) => Tracked[]
  /** What the machine offers now. */
  residual: (machine: number) => ResourceOffer
  /** Begins a run where there is room; false where there is none. */
  begin: (job: Tracked, place: { machine: number, devices: Devices }, nowMs: number) => boolean
  /** Ends what is over; the machines that have room again. */
  release: (nowMs: number) => number[]
  /** Of all GPUs of all machines, the share that runs hold now. */
  gpuShare: () => number
}

export function createCluster ({ arrivals, machines }: Schedule): Cluster {
  const jobs = arrivals.map((arrival): Tracked => ({ arrival }))
  const runs = machines.map((): Run[] => [])
  const gpus = machines.reduce((sum, { offer }) => sum + offer.gpus.length, 0)

  const residual = (machine: number): ResourceOffer => {
    const { offer } = machines[machine] as OfferRow
    const own = runs[machine] as Run[]
    const left = (key: keyof ResourceOffer['capacity']): number => own.reduce((rest, { arrival }) => rest - arrival.row.offer.resources[key], offer.capacity[key])
    return {
      ...offer, capacity: { cpuMilli: left('cpuMilli'), memoryMiB: left('memoryMiB'), diskMiB: left('diskMiB') },
      gpus: offer.gpus.map((gpu, place) => ({ ...gpu, shareBp: own.reduce((rest, { arrival, devices }) => devices.reduce((still, device, entry) => device === place ? still - (arrival.row.offer.gpus[entry]?.shareBp ?? 0) : still, rest), gpu.shareBp) }))
    }
  }
  return {
    jobs,
    waiting: (nowMs) => jobs.filter(({ arrival, matchedMs }) => arrival.atMs <= nowMs && matchedMs === undefined),
    residual,
    begin: (job, { machine, devices }, nowMs) => {
      const own = runs[machine] as Run[]
      own.push({ machine, arrival: job.arrival, devices, endMs: nowMs + job.arrival.runMs })
      const { capacity, gpus: free } = residual(machine)
      if (Object.values(capacity).some((rest) => rest < 0) || free.some(({ shareBp }) => shareBp < 0)) {
        own.pop()
        return false
      }
      job.matchedMs = nowMs
      job.endMs = nowMs + job.arrival.runMs
      return true
    },
    release: (nowMs) => runs.flatMap((own, machine) => {
      const over = own.filter(({ endMs }) => endMs <= nowMs)
      if (over.length === 0) return []
      runs[machine] = own.filter(({ endMs }) => endMs > nowMs)
      return [machine]
    }),
    gpuShare: () => gpus === 0 ? 0 : runs.flat().reduce((sum, { arrival }) => sum + arrival.row.offer.gpus.reduce((own, { shareBp }) => own + shareBp, 0), 0) / 10_000 / gpus
  }
}
