import t from 'tap'
import { createBook } from '../../src/book/book.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { createSightings } from '../../src/roles/sightings.ts'
import { DOMAIN, offerBody, signRecord, T0, testSigner } from '../support/records.ts'

const [alice, bob, poor] = [testSigner(1), testSigner(2), testSigner(3)]
const KEEP_MS = 4000

t.test('offers come and go: departures are remembered for a while, and forgotten when the record comes back', async (t) => {
  const clock = { ...createManualClock(T0), offsetMs: () => 0 }
  const book = createBook({ domain: DOMAIN })
  const free = (account: string): number => account === poor.address ? 0 : 10_000_000
  const sightings = createSightings({ book, eligibility: { free, reputationBp: () => 10_000 }, clock }, { keepMs: KEEP_MS, rules: { epochMs: 2000 } })
  const leave = sightings.watch()
  t.teardown(leave)
  const job = signRecord(alice, 'job')
  const first = signRecord(bob, 'offer', { seq: T0 + 1 })
  const second = signRecord(bob, 'offer', { seq: T0 + 2 })
  for (const record of [job, first, signRecord(poor, 'offer'), signRecord(poor, 'job')]) book.merge(record, T0)
  const seen = (): unknown => {
    const { jobs, offers } = sightings.funded(T0)
    return [...jobs, ...offers].map(({ row, firstSeenMs, goneMs }) => [row.id, firstSeenMs - T0, goneMs === undefined ? undefined : goneMs - T0])
  }
  t.same(seen(), [[job.id, 0, undefined], [first.id, 0, undefined]], 'who has nothing does not count')

  clock.advance(100)
  book.merge(second, clock.now())
  book.merge(signRecord(alice, 'cancel', { seq: T0 + 2 }), clock.now())
  t.same(seen(), [[job.id, 0, 100], [second.id, 100, undefined], [first.id, 0, 100]])

  clock.advance(50)
  const twin = signRecord(bob, 'offer', { seq: T0 + 3, slot: 7 })
  const other = signRecord(bob, 'offer', { seq: T0 + 3, slot: 7, body: offerBody({ unit: 'b' }) })
  book.merge(twin, clock.now())
  t.equal(book.merge(other, clock.now()), 'equivocation')
  t.same((seen() as unknown[][]).filter(([, , gone]) => gone === 150).length, 2, 'a frozen author is gone')

  clock.advance(KEEP_MS - 50)
  t.same((seen() as unknown[][]).map(([id]) => id).includes(first.id), false, 'forgotten')
})

t.test('a row is the same object as long as its record says the same, so that what is derived from it holds', async (t) => {
  const clock = { ...createManualClock(T0), offsetMs: () => 0 }
  const book = createBook({ domain: DOMAIN })
  let free = 10_000_000
  const sightings = createSightings({ book, eligibility: { free: () => free, reputationBp: () => 10_000 }, clock }, { keepMs: KEEP_MS, rules: { epochMs: 2000 } })
  for (const record of [signRecord(alice, 'job'), signRecord(bob, 'offer')]) book.merge(record, T0)
  const rows = (atMs: number): unknown[] => Object.values(sightings.funded(atMs)).flatMap((seen) => seen.map(({ row }) => row as unknown))
  const [job, offer] = rows(T0 + 1000)
  t.ok(rows(T0 + 1500).every((row, at) => row === [job, offer][at]))
  const [older, same] = rows(T0 + 5000) as [{ ageEpochs: number, offer: unknown }, unknown]
  t.not(older, job, 'it has aged')
  t.equal(older.offer, (job as { offer: unknown }).offer, 'what it offers was read once')
  t.equal(same, offer)
  free = 20_000_000
  t.not(rows(T0 + 5000)[1], offer, 'it can lock more')
})
