import fc from 'fast-check'
import t from 'tap'
import { admissible, passes, REASONS, type ReasonCode } from '../../src/match/admissible.ts'
import { matchesOf } from '../../src/match/assemble.ts'
import { certificateOf } from '../../src/match/certificate.ts'
import { boundKernelOf, kernelOf, type Kernel } from '../../src/match/kernel/kernel.ts'
import { supplyOfColumn } from '../../src/match/kernel/supplies.ts'
import type { JobRow, OfferRow, Snapshot } from '../../src/match/problem.ts'
import { programOf } from '../../src/match/search/program.ts'
import { PLACE, search, type Found } from '../../src/match/search/search.ts'
import { verifySolution } from '../../src/match/verify.ts'
import { warmStartOf } from '../../src/match/warm.ts'
import { anyEpochs } from './epochs.ts'
import { address, anyBook, AT_MS, book, job, offer, RULES } from './rows.ts'

/** Everything that a kernel says, whatever its classes and columns are numbered by. */
function canonical ({ market, jobs, units, columns, demand, capacity, jobStart }: Kernel): unknown {
  const name = (at: number): string => market.jobs[at]?.id ?? ''
  const jobText = jobs.classes.map(({ jobs: members, banned, bundle, idle }, at) => JSON.stringify([members.map(name), banned, bundle >= 0, idle, [...demand.subarray(at * 8, at * 8 + 8)]]))
  const unitText = units.classes.map(({ units: members, key, shares }, at) => JSON.stringify([key, shares, members.map(({ offers }) => offers.map((place) => market.offers[place]?.id)), [...capacity.subarray(at * 8, at * 8 + 8)]]))
  const columnText: string[] = []
  units.classes.forEach((_, unit) => {
    for (let at = columns.start[unit] as number; at < (columns.start[unit + 1] as number); at++) {
      const job = columns.runs.job[columns.run[at] as number] as number
      const first = columns.runs.bid[columns.run[at] as number] as number
      const supply = supplyOfColumn(columns.supplies, unit, at)
      const { alternative, low, high, bound } = columns.supplies
      const bids = [...columns.bids.subarray(first, first + (jobStart[job + 1] as number) - (jobStart[job] as number))]
      columnText.push(JSON.stringify([unitText[unit], jobText[job], alternative[supply], low[supply], high[supply], bound[supply], columns.cost[at], columns.ask[at], columns.runs.reference[columns.run[at] as number], bids]))
    }
  })
  return { jobs: jobText.sort(), units: unitText.sort(), columns: columnText.sort(), narrowed: [jobs.narrowed.map(name).sort(), [...units.narrowed].sort()] }
}

/** A book of equal rows that nothing was ever derived from. */
const unseen = (snapshot: Snapshot): Snapshot => structuredClone(snapshot)

t.test('what is remembered of earlier books makes the same kernel as an equal book that was never seen', async () => {
  const anyChange = fc.record({ drop: fc.nat(7), take: fc.nat(7), age: fc.boolean(), later: fc.constantFrom(0, 2000, 61_000), poorer: fc.boolean(), mistrusted: fc.boolean() })
  fc.assert(fc.property(anyBook, anyBook, fc.array(anyChange, { minLength: 1, maxLength: 4 }), (first, other, changes) => {
    let snapshot = first
    for (const { drop, take, age, later, poorer, mistrusted } of changes) {
      kernelOf(snapshot)
      const jobs = snapshot.jobs.filter((_, at) => at !== drop)
      const came = other.jobs[take]
      const offers = snapshot.offers.map((row, at) => ({ ...row, ...(poorer && at === 0 ? { freeCollateral: 400 } : {}), ...(mistrusted && at === 1 ? { reputationBp: 3000 } : {}) }))
      snapshot = {
        ...snapshot, epoch: snapshot.epoch + 1, atMs: snapshot.atMs + later, offers,
        jobs: [...jobs, ...(came === undefined || jobs.some(({ id }) => id === came.id) ? [] : [came])].map((row) => age ? { ...row, ageEpochs: (row.ageEpochs ?? 0) + 1 } : row)
      }
    }
    const fresh = unseen(snapshot)
    return JSON.stringify(canonical(kernelOf(snapshot))) === JSON.stringify(canonical(kernelOf(fresh))) && JSON.stringify(canonical(boundKernelOf(snapshot))) === JSON.stringify(canonical(boundKernelOf(fresh)))
  }), { numRuns: 150, seed: 4 })
})

t.test('a market and a kernel made of the last ones are those made of nothing', async () => {
  fc.assert(fc.property(anyEpochs, (snapshots) => snapshots.every((snapshot, at) => {
    const [kernel, equal] = [kernelOf(snapshot, snapshots[at - 1]), kernelOf(unseen(snapshot))]
    return JSON.stringify(kernel.market) === JSON.stringify(equal.market) && JSON.stringify(canonical(kernel)) === JSON.stringify(canonical(equal))
  })), { numRuns: 250, seed: 5 })
})

/** What a pair may fail by that its classes say nothing of: accounts, time that ran out before, and what hangs on devices or limits. */
const OF_ITSELF: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['self', 'avoid', 'gpu', 'price', 'collateral', 'size'])

t.test('a column stands for every job of its class and every offer of its unit class, and no admissible pair lacks one', async () => {
  fc.assert(fc.property(anyEpochs, (snapshots) => {
    const { market, jobs, units, columns } = kernelOf(snapshots.at(-1) as Snapshot)
    return units.classes.every(({ units: members }, unit) => jobs.classes.every(({ jobs: places }, at) => {
      const alternatives = new Set<number>()
      for (let column = columns.start[unit] as number; column < (columns.start[unit + 1] as number); column++) {
        if (columns.runs.job[columns.run[column] as number] === at) alternatives.add(columns.supplies.alternative[supplyOfColumn(columns.supplies, unit, column)] as number)
      }
      return members.every(({ offers }) => offers.every((offerAt, alternative) => places.every((jobAt) => {
        const pair = [market.jobs[jobAt] as JobRow, market.offers[offerAt] as OfferRow, market] as const
        return alternatives.has(alternative) ? REASONS.every((reason) => OF_ITSELF.has(reason) || passes(reason, ...pair)) : !admissible(...pair).ok
      })))
    }))
  }), { numRuns: 100, seed: 6 })
})

t.test('two units that may have the same at most are two classes where one of them has less for engines', async (t) => {
  const less = { cpuMilli: 50, memoryMiB: 100, diskMiB: 100 }
  // An alternative for listed creators stands for no unit, yet a solution that names it has no more than it.
  const rows = [offer(1), offer(2), offer(3, { capacity: less, creators: [address(1)] }, { account: offer(1).account })]
  const { units, capacity } = kernelOf(book([job(1)], rows))
  t.equal(units.classes.length, 2)
  t.equal(new Set(units.classes.map(({ key }) => key)).size, 1, 'with one text')
  t.same([0, 1].map((at) => capacity[at * 8]).sort((left, right) => (left as number) - (right as number)), [50, 100])
  t.equal(kernelOf(book([job(1)], [offer(1), offer(2)])).units.classes.length, 1)
})

t.test('an id that stands in a book twice is refused, whatever was known of it', async (t) => {
  const before = book([job(1), job(2)], [offer(1)])
  kernelOf(before)
  for (const rows of [{ jobs: [job(1), job(2), job(1)] }, { jobs: [job(3), job(3)] }, { offers: [offer(1), offer(1)] }, { offers: [offer(2), offer(2)] }]) {
    t.throws(() => kernelOf({ ...before, ...rows }, before), { code: 'MATCH_SNAPSHOT' })
  }
})

/** A search of no rounds; all that it reports. */
function reports (snapshot: Snapshot, before?: { snapshot: Snapshot, found: Found }): { kernel: Kernel, all: Found[] } {
  const kernel = kernelOf(snapshot)
  const program = programOf(kernel)
  const all: Found[] = []
  const warm = before === undefined ? undefined : warmStartOf(kernel, program, { snapshot: before.snapshot, matches: matchesOf(kernelOf(before.snapshot), before.found.places), certificate: certificateOf(kernelOf(before.snapshot), before.found.prices) })
  search(program, { budgetMs: 1, seed: 1, now: () => 0, report: (found) => { all.push(found) }, maxRounds: 0, ...(warm === undefined ? {} : { warm }) })
  return { kernel, all }
}

t.test('a warm search answers at once with the places of before, where the next of a class takes the place of a job that is gone', async (t) => {
  const rows = Array.from({ length: 12 }, (_, at) => job(at + 1, { limit: 200 + at }))
  const before = book(rows.slice(0, 9), [offer(1)])
  const found = reports(before).all.at(-1) as Found
  t.equal(found.places.length / 5, 9)
  // Two of nine are gone, three of the same class came.
  const after = { ...before, epoch: 8, jobs: rows.slice(2) }
  const { kernel, all } = reports(after, { snapshot: before, found })
  const [first] = all as [Found]
  t.equal(first.places.length / 5, 9, 'the first report has every place')
  const { ok, score, counted } = verifySolution(after, { epoch: 8, engine: 'price', matches: matchesOf(kernel, first.places) })
  t.same({ ok, counted, score }, { ok: true, counted: 9, score: first.worth })
  t.ok(first.bound >= first.worth && first.bound < Number.POSITIVE_INFINITY, 'and a bound by the prices of before')
})

t.test('a warm search leaves out what no longer fits', async (t) => {
  const before = book([job(1), job(2, { runSeconds: 9 }), job(3)], [offer(1), offer(2)])
  const found = reports(before).all.at(-1) as Found
  const after = { ...before, jobs: [job(3, { limit: 149 })], offers: [offer(2, { capacity: { cpuMilli: 5, memoryMiB: 100, diskMiB: 100 } }), offer(3)], rules: RULES, atMs: AT_MS }
  const { kernel, all } = reports(after, { snapshot: before, found })
  for (const { places } of all) t.ok(verifySolution(after, { epoch: 7, engine: 'price', matches: matchesOf(kernel, places) }).ok)
})

t.test('a small book has the same prices, whatever the last epoch was', async (t) => {
  const rows = Array.from({ length: 12 }, (_, at) => job(at + 1, { limit: 200 + at * 7, resources: { cpuMilli: 2 + at % 4, memoryMiB: 10 + at, diskMiB: 10 } }))
  const before = book(rows.slice(0, 5), [offer(1)])
  const after = { ...before, epoch: 8, jobs: rows }
  const cold = reports(after).all.at(-1) as Found
  const warm = reports(after, { snapshot: before, found: reports(before).all.at(-1) as Found }).all.at(-1) as Found
  t.same([...warm.prices], [...cold.prices])
  t.ok(cold.prices.some((price) => price > 0))
})

t.test('a search leaves out a pair that locks more than the offer states for one job', async (t) => {
  // 200 nLILY, of which a provider locks 250 %: 500, which a search takes for two more at most.
  const placesWith = (collateral: number): number => {
    const program = programOf(kernelOf(book([job(1)], [offer(1, { collateral })])))
    return search(program, { budgetMs: 1, seed: 1, now: () => 0, report: () => undefined, maxRounds: 0 }).places.length / PLACE
  }
  t.equal(placesWith(499), 0)
  t.equal(placesWith(502), 1)
  t.equal(placesWith(0), 1, 'none stated')
})
