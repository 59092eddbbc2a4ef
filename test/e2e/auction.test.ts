import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { BookView, JobView, SolutionSummary } from '../../src/api/facade.ts'
import type { Explanation } from '../../src/match/explain.ts'
import { parseShape } from '../../src/wire/shapes.ts'
import { resourceOfferShape, type ResourceOffer } from '../../src/wire/resource-offer.ts'
import { openTestDevnet, type TestDevnet } from '../support/devnet.ts'
import { until } from '../support/lilynode.ts'

t.setTimeout(300_000)

const SIDES = [['creator-1', 'solver-1', 'provider-1', 'bootstrap'], ['creator-2', 'solver-2', 'provider-2']] as const
const CREATORS = ['creator-1', 'creator-2'] as const
const isAccepted = (job: JobView): boolean => job.state === 'ResultsAccepted' && job.result !== undefined

let net: TestDevnet
/** The most that one unit has: a job that wants it all shares its unit with none, and only one unit of each provider can take it. */
let cpuMilli: number
/** What providers offer while nothing runs. */
let idle: string[]
t.before(async () => {
  net = await openTestDevnet(t, { name: 'auction', creators: 2, mediators: 0, isPartable: true })
  for (const name of CREATORS) await until(async () => (await net.client(name).session()).funds > 0)
  const book = await net.client('bootstrap').book()
  cpuMilli = Math.max(...offersOf(book).map(({ capacity }) => capacity.cpuMilli))
  idle = capacitiesOf(book)
})
const offersOf = ({ offers }: BookView): ResourceOffer[] => offers.map(({ body }) => parseShape(resourceOfferShape, body, 'offer'))
const capacitiesOf = (book: BookView): string[] => offersOf(book).map(({ peer, unit, capacity }) => JSON.stringify([peer, unit, capacity])).sort()
const submit = async (creator: string, count: number): Promise<JobView[]> =>
  await Promise.all(Array.from({ length: count }, async () => await net.client(creator).submit({ module: 'noop:v0.0.1', inputs: {}, cpuMilli, memoryMiB: 16 })))
const done = async (creator: string, jobs: readonly JobView[]): Promise<JobView[]> =>
  await Promise.all(jobs.map(async ({ id }) => await net.untilJob(net.client(creator), id, isAccepted)))

/** Each job was done by exactly one deal and paid once; nobody's money and no unit is held any more. */
async function assertDoneOnce (t: Test): Promise<void> {
  for (const name of CREATORS) {
    const jobs = await net.client(name).jobs()
    const deals = jobs.flatMap((job) => job.deals)
    const paid = deals.filter(({ state }) => state === 'ResultsAccepted')
    t.ok(jobs.every(isAccepted), `every job of ${name} is done`)
    t.equal(paid.length, jobs.length, 'each by one deal')
    t.ok(deals.every(({ state, transactions }) => state === 'ResultsAccepted' || (state === 'Cancelled' && transactions.length === 0)), 'what else was signed was never opened')
    const ledger = await until(async () => {
      const ledger = await net.client(name).ledger()
      return ledger.isEqual && ledger.sums.locked === 0 && ledger
    })
    const cost = ledger.entries.filter(({ kind }) => ['lock', 'return', 'refund'].includes(kind)).reduce((sum, { free = 0, session = 0 }) => sum + free + session, 0)
    t.equal(cost, -paid.reduce((sum, { price, fee }) => sum + price + fee, 0), 'what was spent is what these deals cost')
  }
  for (const name of ['provider-1', 'provider-2']) await until(async () => await net.client(name).balance().then(({ locked }) => locked === 0))
  t.same(await until(async () => {
    const free = capacitiesOf(await net.client('bootstrap').book())
    return free.join() === idle.join() && free
  }), idle, 'all capacity is offered again')
}

t.test('a job that lost an auction is told the place it comes nearest to, and who sits there', async (t) => {
  const jobs = await submit('creator-1', 4)
  const client = net.client('creator-1')
  const explained = await Promise.all(jobs.map(async ({ id }) => await client.explain(id) as Explanation & { offerId: string }))
  const { rival, summary } = await until(async () => {
    const all = await Promise.all(jobs.map(async ({ id }) => await client.explain(id) as Explanation & { summary: string[] }))
    // A job that came after the solvers had looked has a place free, and no rival in it.
    return all.find(({ rival }) => (rival?.over.length ?? 0) > 0)
  })
  t.comment(summary.join('\n'))
  t.match(rival, { id: /^0x/, over: [/^0x/], advice: { reason: 'price' } })
  t.ok(rival?.over.every((id) => explained.some(({ offerId }) => offerId === id)), 'another of these jobs')
  t.match(summary.join('\n'), new RegExp(`in the last auction other jobs came first\\n  nearest ${rival?.id.slice(0, 14) ?? ''}`))
  await done('creator-1', jobs)
  await assertDoneOnce(t)
})

/** Whether a node heard the commits of two solvers in an epoch and the reveal of the near one only. */
async function hasMissed (name: string, epoch: number, { near, far }: { near: string, far: string }): Promise<boolean> {
  const { solutions } = await net.client(name).auction(epoch).catch((): { solutions: SolutionSummary[] } => ({ solutions: [] }))
  const revealed = solutions.filter(({ fallback }) => !fallback).map(({ solver }) => solver)
  // What a node says when an epoch ends of a solver that committed and did not reveal.
  const silent = (await readFile(join(net.root, name, 'node.log'), 'utf8')).split('\n').filter((line) => line.includes('"auction.stalled"')).map((line) => JSON.parse(line) as { epoch: number, solver: string })
  return revealed.join() === net.node(near).account && silent.some((line) => line.epoch === epoch && line.solver === net.node(far).account)
}

t.test('two groups cannot hear each other from the reveals on: each job is done by one deal all the same', async (t) => {
  // Until a reveal was missed whose commit was heard: a loaded machine may part them too late or too early.
  for (let wasParted = false; !wasParted;) {
    const { epoch, commitDeadline, consentDeadline } = await net.nextEpoch()
    // A reveal is said 50 ms after the commits are closed.
    await net.part(...SIDES, { fromMs: commitDeadline - 20, untilMs: consentDeadline })
    const jobs = await Promise.all(CREATORS.map(async (name) => await submit(name, 2)))
    for (const [at, name] of CREATORS.entries()) await done(name, jobs[at] ?? [])
    await assertDoneOnce(t)
    const missed = await Promise.all(SIDES.map(async ([creator, near], at) => await hasMissed(creator, epoch, { near, far: SIDES[1 - at]?.[1] as string })))
    t.comment(`epoch ${epoch}: ${missed.join()}`)
    wasParted = missed.every(Boolean)
  }
})

t.test('no connection left the machine', async (t) => {
  t.equal(await net.sandbox.strays(), '')
})
