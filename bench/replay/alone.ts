import { solveFloor } from '../../src/match/floor.ts'
import type { MatchRules } from '../../src/match/options.ts'
import { AT_MS } from '../match/offers.ts'
import { createCluster, type Cluster } from './cluster.ts'
import type { Schedule } from './schedule.ts'

/** The same arrivals with the floor alone in one thread and virtual time: no mesh, no auction, and every epoch sees all that has come. */
export function replayAlone (schedule: Schedule, { epochs, epochMs, rules }: { epochs: number, epochMs: number, rules: MatchRules }): { cluster: Cluster, gpuShares: number[] } {
  const cluster = createCluster(schedule)
  const gpuShares: number[] = []
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const nowMs = epoch * epochMs
    cluster.release(nowMs)
    const waiting = new Map(cluster.waiting(nowMs).map((job) => [job.arrival.row.id, job]))
    const offers = schedule.machines.map((row, machine) => ({ ...row, offer: { ...cluster.residual(machine), unit: `u${machine}` } }))
    const places = new Map(offers.map(({ id }, machine) => [id, machine]))
    const { matches } = solveFloor({ epoch, atMs: AT_MS, jobs: [...waiting.values()].map(({ arrival }) => arrival.row), offers, rules })
    for (const { job, offer, devices } of matches) {
      const tracked = waiting.get(job)
      if (tracked !== undefined) cluster.begin(tracked, { machine: places.get(offer) as number, devices }, nowMs)
    }
    gpuShares.push(cluster.gpuShare())
  }
  return { cluster, gpuShares }
}
