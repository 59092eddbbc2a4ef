import { admissible } from '../../src/match/admissible.ts'
import type { Match, OfferRow, Snapshot } from '../../src/match/problem.ts'
import { verifySolution } from '../../src/match/verify.ts'

/** Every set of whole bundles on every choice of offers and devices: the best score there is. For a handful of rows. */
export function optimum (snapshot: Snapshot): number {
  const { jobs, offers } = snapshot
  const arranged = (entries: number, places: number): number[][] => entries === 0 ? [[]] : arranged(entries - 1, places).flatMap((some) => Array.from({ length: places }, (_, at) => at).filter((at) => !some.includes(at)).map((at) => [...some, at]))
  const waysOf = (row: Snapshot['jobs'][number]): Match[] => offers.flatMap((right) => arranged(row.offer.gpus.length, right.offer.gpus.length).map((devices) => ({ job: row.id, offer: right.id, devices })))
    .filter(({ offer: id, devices }) => admissible(row, offers.find((right) => right.id === id) as OfferRow, snapshot, devices).ok)
  let best = 0
  const choose = (at: number, chosen: readonly Match[]): void => {
    const row = jobs[at]
    if (row === undefined) {
      best = Math.max(best, verifySolution(snapshot, { epoch: snapshot.epoch, engine: 'x', matches: chosen }).score)
      return
    }
    choose(at + 1, chosen)
    const ways = waysOf(row)
    for (const [first, one] of ways.entries()) {
      if (!('replicas' in row.offer.verification)) choose(at + 1, [...chosen, one])
      else for (const two of ways.slice(first + 1)) choose(at + 1, [...chosen, one, two])
    }
  }
  choose(0, [])
  return best
}
