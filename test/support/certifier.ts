import { encode, decode } from 'cborg'
import type { Certifier } from '../../src/match/certifier.ts'
import { copiesOf } from '../../src/match/groups.ts'
import { marketOf } from '../../src/match/market.ts'
import type { JobRow, Snapshot } from '../../src/match/problem.ts'
import { welfareOf } from '../../src/match/score.ts'

/** One price for each resource over all offers: the simplest certificate whose bound holds. */
export function certificateOf (cpu: number, memory = 0, disk = 0): Uint8Array {
  return encode([cpu, memory, disk])
}

const rentsIn = (certificate: Uint8Array): number[] | undefined => {
  try {
    const rents = decode(certificate) as unknown
    return Array.isArray(rents) && rents.length === 3 && rents.every((rent) => Number.isSafeInteger(rent) && rent >= 0) ? rents as number[] : undefined
  } catch {
    return undefined
  }
}
const demandOf = ({ offer: { resources } }: JobRow): number[] => [resources.cpuMilli, resources.memoryMiB, resources.diskMiB]

/** Reads `certificateOf`'s, for books without GPUs. `computed` counts the bounds that were computed. */
export function createTestCertifier (): Certifier & { computed: number } {
  const certifier = {
    computed: 0,
    bound: (snapshot: Snapshot, certificate: Uint8Array) => {
      certifier.computed++
      const rents = rentsIn(certificate)
      if (rents === undefined) return undefined
      const { units, jobs, offers, rules } = marketOf(snapshot)
      const worth = (amounts: readonly number[]): number => amounts.reduce((sum, amount, at) => sum + amount * (rents[at] as number), 0)
      const capacity = units.reduce((sum, { cpuMilli, memoryMiB, diskMiB }) => sum + worth([cpuMilli, memoryMiB, diskMiB]), 0)
      const surplus = jobs.reduce((sum, job) => sum + copiesOf(job) * Math.max(0, ...offers.map((offer) => welfareOf(job, offer, rules, []) - worth(demandOf(job)))), 0)
      return BigInt(capacity + surplus)
    },
    rentsOf: (_snapshot: Snapshot, certificate: Uint8Array) => rentsIn(certificate) ?? [],
    demandOf
  }
  return certifier
}
