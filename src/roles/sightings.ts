import type { z } from 'zod'
import type { Book, Entry } from '../book/book.ts'
import { copiesOf } from '../match/groups.ts'
import type { AuctionRules } from '../match/options.ts'
import { epochsSince } from '../match/phases.ts'
import type { JobRow, OfferRow } from '../match/problem.ts'
import type { Seen } from '../match/snapshot.ts'
import { jobOfferShape } from '../wire/job-offer.ts'
import { decodeBody, type SignedRecord } from '../wire/record.ts'
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

/** What records say, each read once: snapshots of all epochs share it, and what is derived from it is kept with it. */
const jobOfferOf = createReader(jobOfferShape)
const resourceOfferOf = createReader(resourceOfferShape)

/** Departures that are remembered at most: with the oldest of more, nodes may score apart. */
const MAX_GONE = 20_000

/** `keepMs`: how long a departure is remembered. */
export function createSightings (components: { book: Pick<Book, 'live' | 'onChange'>, eligibility: Pick<Eligibility, 'free' | 'reputationBp'>, clock: Pick<NetworkClock, 'now' | 'offsetMs'> }, options: { keepMs: number, rules: Pick<AuctionRules, 'epochMs'> }): Sightings {
  const { book, eligibility, clock } = components
  /** Ascending by `goneMs`. */
  const gone = new Map<Hash, { entry: Entry, goneMs: number }>()
  /** The row that a record had last: the same object as long as it says the same. */
  const jobRows = new WeakMap<Entry, JobRow>()
  const offerRows = new WeakMap<Entry, OfferRow>()

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
  const seenOf = <T>(row: T, { entry, goneMs }: { entry: Entry, goneMs?: number }): Seen<T> => ({ row, writtenMs: entry.record.seq, firstSeenMs: entry.firstSeenMs + clock.offsetMs(), ...(goneMs === undefined ? {} : { goneMs }) })
  const jobRowOf = (entry: Entry, atMs: number): JobRow => {
    const { record } = entry
    const ageEpochs = epochsSince(options.rules, record.seq, atMs)
    const known = jobRows.get(entry)
    if (known?.ageEpochs === ageEpochs) return known
    const row = { id: record.id, account: record.account, offer: jobOfferOf(record), ageEpochs }
    jobRows.set(entry, row)
    return row
  }
  const offerRowOf = (entry: Entry): OfferRow => {
    const { record } = entry
    const [freeCollateral, reputationBp] = [eligibility.free(record.account), eligibility.reputationBp(record.account)]
    const known = offerRows.get(entry)
    if (known?.freeCollateral === freeCollateral && known.reputationBp === reputationBp) return known
    const row = { id: record.id, account: record.account, offer: resourceOfferOf(record), freeCollateral, reputationBp }
    offerRows.set(entry, row)
    return row
  }

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
      const jobs = entriesOf('job').map((sighting) => seenOf(jobRowOf(sighting.entry, atMs), sighting))
      const offers = entriesOf('offer').map((sighting) => seenOf(offerRowOf(sighting.entry), sighting))
      return { jobs: jobs.filter(({ row }) => eligibility.free(row.account) >= row.offer.limit * copiesOf(row)), offers: offers.filter(({ row }) => row.freeCollateral > 0) }
    }
  }
}

function createReader<S extends z.ZodType> (shape: S): (record: SignedRecord) => z.output<S> {
  const known = new WeakMap<SignedRecord, { body: z.output<S> }>()
  return (record) => {
    const found = known.get(record) ?? { body: decodeBody(shape, record) }
    known.set(record, found)
    return found.body
  }
}
