import t from 'tap'
import { createBook, type Book } from '../../src/book/book.ts'
import { projectBook } from '../../src/book/projection.ts'
import { registerKey } from '../../src/book/register.ts'
import { DOMAIN, jobBody, signRecord, T0, testSigner } from '../support/records.ts'

const alice = testSigner(1)
const bob = testSigner(2)
const job = signRecord(alice, 'job')

/** Maps as a document would hold them, and each put as it came. */
function project (book: Book): { maps: Record<string, Map<string, unknown>>, puts: string[], leave: () => void } {
  const maps: Record<string, Map<string, unknown>> = { jobs: new Map(), offers: new Map(), modules: new Map() }
  const puts: string[] = []
  const leave = projectBook(book, (map, key, value) => {
    puts.push(`${value === undefined ? '-' : '+'}${map}`)
    if (value === undefined) maps[map]?.delete(key)
    else maps[map]?.set(key, value())
  })
  return { maps, puts, leave }
}

t.test('live records stand under the name of their register, as plain JSON', async (t) => {
  const book = createBook({ domain: DOMAIN })
  book.merge(job, T0)
  const { maps } = project(book)
  const value = { id: job.id, account: alice.address, operator: alice.address, slot: 0, seq: T0, firstSeenMs: T0, body: jobBody() }
  t.strictSame([...maps['jobs'] ?? []], [[registerKey(job), value]])
  t.strictSame(JSON.parse(JSON.stringify(value)), value)
  t.strictSame([maps['offers']?.size, maps['modules']?.size], [0, 0])
})

t.test('a renewed record takes its key over, a cancelled one goes', async (t) => {
  const book = createBook({ domain: DOMAIN })
  const { maps } = project(book)
  book.merge(job, T0)
  const renewed = signRecord(alice, 'job', { seq: T0 + 1 })
  book.merge(renewed, T0)
  t.match([...maps['jobs'] ?? []], [[registerKey(job), { id: renewed.id }]])
  book.merge(signRecord(alice, 'cancel', { seq: T0 + 2 }), T0)
  t.equal(maps['jobs']?.size, 0)
})

t.test('a slot that turns from a job into an offer changes the map', async (t) => {
  const book = createBook({ domain: DOMAIN })
  const { maps } = project(book)
  book.merge(job, T0)
  book.merge(signRecord(alice, 'offer', { seq: T0 + 1 }), T0)
  t.strictSame([maps['jobs']?.size, maps['offers']?.size], [0, 1])
})

t.test('authors have slots of their own, and a frozen one is not shown', async (t) => {
  const book = createBook({ domain: DOMAIN })
  const { maps } = project(book)
  book.merge(job, T0)
  book.merge(signRecord(bob, 'job'), T0)
  t.equal(maps['jobs']?.size, 2)
  book.merge(signRecord(alice, 'job', { body: jobBody({ limit: 5 }) }), T0)
  t.match([...maps['jobs']?.values() ?? []], [{ account: bob.address }])
})

t.test('nothing is put after leaving', async (t) => {
  const book = createBook({ domain: DOMAIN })
  const { puts, leave } = project(book)
  leave()
  book.merge(job, T0)
  t.strictSame(puts, [])
})
