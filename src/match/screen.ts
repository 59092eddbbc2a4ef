import type { Market } from './market.ts'
import type { JobRow, OfferRow } from './problem.ts'

/** Numbers of an offer that most pairs fail by: what it has, and what a second of it costs. */
const OFFER = { cpuMilli: 0, memoryMiB: 1, diskMiB: 2, maxRunSeconds: 3, gpus: 4, base: 5, cpuSecond: 6, memorySecond: 7, diskSecond: 8, width: 9 } as const

/** What rules most pairs of a market out at once, by numbers side by side: a twentieth of the time of asking the records. */
export interface Screen {
  /** The offers that the job is not too large, too long or too cheap for, ascending. Every admissible pair is among them. */
  offersFor: (row: JobRow) => number[]
}

/** By constraints of `admissible.ts` alone: cpu, memory, disk, runSeconds, gpu (how many), price (without GPUs, which only add to it). */
export function createScreen ({ offers }: Pick<Market, 'offers'>): Screen {
  const numbers = new Float64Array(offers.length * OFFER.width)
  offers.forEach(({ offer }: OfferRow, at) => {
    const { capacity, ask } = offer
    numbers.set([capacity.cpuMilli, capacity.memoryMiB, capacity.diskMiB, offer.maxRunSeconds, offer.gpus.length, ask.base, ask.cpuMilliSecond, ask.memoryMiBSecond, ask.diskMiBSecond], at * OFFER.width)
  })
  const of = (at: number): number => numbers[at] as number
  return {
    offersFor: ({ offer: { resources: { cpuMilli, memoryMiB, diskMiB }, runSeconds, gpus, limit } }) => {
      const found: number[] = []
      for (let at = 0, offer = 0; at < numbers.length; at += OFFER.width, offer++) {
        if (cpuMilli > of(at + OFFER.cpuMilli) || memoryMiB > of(at + OFFER.memoryMiB) || diskMiB > of(at + OFFER.diskMiB) || runSeconds > of(at + OFFER.maxRunSeconds) || gpus.length > of(at + OFFER.gpus)) continue
        // A sum or product beyond what is safe stays beyond, and no limit is.
        const ask = of(at + OFFER.base) + runSeconds * (cpuMilli * of(at + OFFER.cpuSecond) + memoryMiB * of(at + OFFER.memorySecond) + diskMiB * of(at + OFFER.diskSecond))
        if (ask <= limit) found.push(offer)
      }
      return found
    }
  }
}
