import type { Book, Entry } from '../book/book.ts'
import { copiesOf } from '../match/groups.ts'
import type { AuctionRules } from '../match/options.ts'
import { epochsSince } from '../match/phases.ts'
import type { JobRow, OfferRow } from '../match/problem.ts'
import type { Seen } from '../match/snapshot.ts'
import { jobOfferShape } from '../wire/job-offer.ts'
import { decodeBody } from '../wire/record.ts'
import { resourceOfferShape } from '../wire/resource-offer.ts'
import type { Hash } from '../wire/shapes.ts'
import type { Eligibility } from './eligibility.ts'
import type { NetworkClock } from './network-clock.ts'

/** The offers of the book with when this node saw them come and, for a while, when it saw them go. */
export interface Sightings {
  /** Notes departures until the returned function is called. */
  watch: () => () => void
  /** Offers whose owners are eligible now: a creator that can pay its limits, a provider that has any collateral. Those in the book first. `atMs`: the epoch's start, from which age is counted. */
  funded: (atMs: number) => { jobs: Array<Seen<JobRow>>, offers: Array<Seen<OfferRow>> }
}

/** Departures that are remembered at most: with the oldest of more, nodes may score apart. */
const MAX_GONE = 20_000

/** `keepMs`: how long a departure is remembered. */
export function createSightings (components: { book: Pick<Book, 'live' | 'onChange'>, eligibility: Pick<Eligibility, 'free' | 'reputationBp'>, clock: Pick<NetworkClock, 'now' | 'offsetMs'> }, options: { keepMs: number, rules: Pick<AuctionRules, 'epochMs'> }): Sightings {
  const { book, eligibility, clock } = components
  /** Ascending by `goneMs`. */
  const gone = new Map<Hash, { entry: Entry, goneMs: number }>()

  const forget = (): void => {
    for (const [id, { goneMs }] of gone) {
      if (gone.size <= MAX_GONE && goneMs > clock.now() - options.keepMs) break
      gone.delete(id)
    }
  }
  const entriesOf = (kind: 'job' | 'offer'): Array<{ entry: Entry, goneMs?: number }> => {
    forget()
    return [...book.live(kind).map((entry) => ({ entry })), ...[...gone.values()].filter(({ entry }) => entry.record.kind === kind)]
  }
  const seenOf = <T>(row: T, { entry, goneMs }: { entry: Entry, goneMs?: number }): Seen<T> => ({ row, firstSeenMs: entry.firstSeenMs + clock.offsetMs(), ...(goneMs === undefined ? {} : { goneMs }) })

  return {
    watch: () => book.onChange(({ type, entry }) => {
      const { id, kind } = entry.record
      if (kind !== 'job' && kind !== 'offer') return
      // Comes back when its author thaws.
      if (type === 'added') gone.delete(id)
      else gone.set(id, { entry, goneMs: clock.now() })
      forget()
    }),
    funded: (atMs) => {
      const jobs = entriesOf('job').map((sighting) => {
        const { record } = sighting.entry
        return seenOf({ id: record.id, account: record.account, offer: decodeBody(jobOfferShape, record), ageEpochs: epochsSince(options.rules, record.seq, atMs) }, sighting)
      })
      const offers = entriesOf('offer').map((sighting) => {
        const { record } = sighting.entry
        return seenOf({ id: record.id, account: record.account, offer: decodeBody(resourceOfferShape, record), freeCollateral: eligibility.free(record.account), reputationBp: eligibility.reputationBp(record.account) }, sighting)
      })
      return { jobs: jobs.filter(({ row }) => eligibility.free(row.account) >= row.offer.limit * copiesOf(row)), offers: offers.filter(({ row }) => row.freeCollateral > 0) }
    }
  }
}
