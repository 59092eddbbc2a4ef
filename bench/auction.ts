import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { wait } from '../src/cli/devnet/processes.ts'
import { domainOf } from '../src/chain/deployment.ts'
import { createSeededRandom } from '../src/core/random.ts'
import { createInstance } from '../src/match/instance.ts'
import { DEFAULT_MATCH_RULES, DEVNET_AUCTION_RULES } from '../src/match/options.ts'
import { phasesOf } from '../src/match/phases.ts'
import type { Decided, Heard } from './auction-node.ts'
import { openGround, type Ground } from './auction/ground.ts'
import { jobRecord, keyOf, offerRecord } from './auction/records.ts'
import { startSolvers, type Solvers } from './auction/solvers.ts'
import { createChildren } from './child.ts'
import { atMost, percentile, reported, type Bench, type Figure } from './figure.ts'
import { watchLoad } from './load.ts'
import { writeOutput } from './match/output.ts'

const FULL = { nodes: 5, offers: 2000, seconds: 300 }
const QUICK = { nodes: 3, offers: 200, seconds: 10 }
/** Of the offers a fifth are jobs', by a few accounts each. */
const OFFERS_A_JOB = 5
/** Of five solvers on two cores one has time to search; the others solve the floor, which takes a fifth of a second of a core. */
const engineOf = (at: number): string => at === 0 ? 'price' : 'floor'
const OWNERS = { providers: 20, creators: 10 }
/** In the vault of each, nLILY: 200,000 LILY. */
const MONEY = 200_000_000_000_000
const GOAL_MS = 500
/** Before figures count: the first epochs start engines and read accounts. */
const WARM_UP_EPOCHS = 3
const PLAIN_MESSAGES = 20

/** What a solver process saw, and a message of bare gossip as it came. */
interface Taken { decided: Decided[], heard: Heard[], plain: Array<{ key: string, atMs: number }>, problems: string[] }

/**
 * An epoch of 2 s between solver processes with a real mesh, book and chain: when every process holds the winning solution, checked, and when every process has
 * ranked; beside bare gossip of messages of the same size between the same processes.
 */
export const benchAuction: Bench = async ({ seed, sizes, quick, out, profile, progress }) => {
  const base = quick ? QUICK : FULL
  const nodes = Math.max(2, sizes.nodes ?? base.nodes)
  const offers = sizes.records ?? base.offers
  const seconds = sizes.seconds ?? base.seconds
  const rules = DEVNET_AUCTION_RULES
  const root = await mkdtemp(join(tmpdir(), 'lilynode-bench-'))
  const children = createChildren(root)
  let ground: Ground | undefined
  try {
    ground = await openGround(root)
    const solvers = await startSolvers({ children, ground, root }, { seed, engines: Array.from({ length: nodes }, (_, at) => engineOf(at)), auction: rules, match: DEFAULT_MATCH_RULES, ...(profile === undefined ? {} : { profile }) })
    progress(`${nodes} solver processes have their gossip mesh`)
    await fill(ground, solvers, seed, offers)
    progress(`every book holds ${offers} offers`)
    const take = async (): Promise<Taken[]> => await Promise.all(solvers.children.map(async (child) => await child.ask<Taken>('take')))
    await wait(rules.epochMs * WARM_UP_EPOCHS)
    await take()
    const { genesisTime } = ground.deployment
    const first = Math.floor((Date.now() - genesisTime * 1000) / rules.epochMs) + 1
    const endLoad = await watchLoad(solvers.children)
    await wait(seconds * 1000)
    const load = await endLoad()
    const last = Math.floor((Date.now() - genesisTime * 1000) / rules.epochMs) - 1
    await wait(rules.epochMs)
    const taken = await take()
    const rows = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => epochOf(taken, first + at, phasesOf(rules, genesisTime, first + at)))
    const counted = rows.filter((row) => row.missed === 0)
    const missed = [
      atMost(`epochs without a winner at some process, ${nodes} x ${offers}`, rows.length - counted.length, 0, `/${rows.length}`),
      atMost('epochs with different winners', counted.filter((row) => row.winners > 1).length, 0, `/${rows.length}`),
      reported(`machine busy, ${cpus().length} cores`, load.machine, '%')
    ]
    if (counted.length === 0) {
      progress(`no epoch was decided everywhere; the newest problems: ${taken.flatMap(({ problems }) => problems.slice(-1)).join(' ') || 'engines found nothing in time'}`)
      return missed
    }
    const bytes = Math.round(counted.reduce((sum, row) => sum + row.bytes, 0) / counted.length)
    progress(`${counted.length} of ${rows.length} epochs; a solution has ${bytes} bytes`)
    const bare = await plainGossip(solvers, bytes, take)
    await writeOutput(out, 'auction', rows.map((row) => ({ ...row })), { title: 'Winner known everywhere', x: 'epoch', y: 'ms after the commit deadline', lines: [{ name: 'held', points: counted.map((row, at) => [at + 1, row.heldMs]) }] })
    const baseline = (share: number): Figure['baseline'] => ({ name: `bare gossip, ${bytes} bytes to the last process`, value: percentile(bare, share) })
    const of = (pick: (row: Row) => number, share: number): number => percentile(counted.map(pick), share)
    return [
      atMost(`winner held everywhere after commits, ${nodes} x ${offers}, longest`, of((row) => row.heldMs, 1), GOAL_MS, 'ms', baseline(1)),
      reported('the same, p50', of((row) => row.heldMs, 0.5), 'ms', baseline(0.5)),
      reported('of it until the winner said it, p50', of((row) => row.saidMs, 0.5), 'ms'),
      reported('ranked everywhere after the last posting, p50', of((row) => row.rankedMs, 0.5), 'ms'),
      reported('the same, longest', of((row) => row.rankedMs, 1), 'ms'),
      reported('solutions in an epoch, mean', counted.reduce((sum, row) => sum + row.solutions, 0) / counted.length, ''),
      ...missed
    ]
  } finally {
    await children.stop()
    await ground?.stop()
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

interface Row { readonly epoch: number, readonly missed: number, readonly winners: number, readonly solutions: number, readonly bytes: number, readonly saidMs: number, readonly heldMs: number, readonly rankedMs: number }

/** One epoch over all processes: times after its commit deadline, and of the ranking after the end of postings, when the slowest was there. */
function epochOf (taken: readonly Taken[], epoch: number, { commitDeadline, fallbackDeadline }: { commitDeadline: number, fallbackDeadline: number }): Row {
  const decisions = taken.map(({ decided }) => decided.find((each) => each.epoch === epoch))
  const missed = decisions.filter((decision) => decision?.winner === undefined).length
  // Each process's own winner: where they differ, both must have been there.
  const held = taken.flatMap(({ heard }, at) => heard.filter(({ solutionId, epoch: of }) => of === epoch && solutionId === decisions[at]?.winner))
  const times = held.map(({ atMs }) => atMs - commitDeadline)
  return {
    epoch, missed, winners: new Set(decisions.map((decision) => decision?.winner)).size, solutions: decisions[0]?.solutions ?? 0, bytes: held[0]?.bytes ?? 0,
    saidMs: Math.min(...times), heldMs: Math.max(...times), rankedMs: Math.max(...decisions.map((decision) => (decision?.atMs ?? 0) - fallbackDeadline))
  }
}

async function fill (ground: Ground, solvers: Solvers, seed: number, count: number): Promise<void> {
  const domain = domainOf(ground.deployment)
  const nowMs = Date.now()
  const jobs = Math.ceil(count / OFFERS_A_JOB)
  const book = createInstance(createSeededRandom(seed), { jobs, offers: count - jobs, rules: DEFAULT_MATCH_RULES, nowMs, gpuPercent: 25 })
  const signersOf = (name: string, owners: number): Array<ReturnType<typeof keyOf>> => Array.from({ length: owners }, (_, at) => keyOf(seed, `${name}-${at}`))
  const providers = signersOf('provider', OWNERS.providers)
  const creators = signersOf('creator', OWNERS.creators)
  await ground.deposit([...providers, ...creators].map(({ signer }) => signer.address), MONEY)
  const mine = <T>(list: readonly T[], at: number): T => list[at % list.length] as T
  const records = [
    ...book.offers.map(({ offer }, at) => offerRecord(domain, mine(providers, at).signer, offer, Math.floor(at / providers.length), nowMs)),
    ...book.jobs.map(({ offer }, at) => jobRecord(domain, mine(creators, at).signer, offer, Math.floor(at / creators.length), nowMs))
  ]
  await solvers.publish(records.map(({ bytes }) => bytes))
  await solvers.untilLive(records.length)
}

/** How long a message that nobody has to check takes to the last process, one after the other. */
async function plainGossip (solvers: Solvers, bytes: number, take: () => Promise<Taken[]>): Promise<number[]> {
  const sent: Array<{ key: string, atMs: number }> = []
  for (let at = 0; at < PLAIN_MESSAGES; at++) {
    const data = new Uint8Array(Math.max(16, bytes))
    crypto.getRandomValues(data.subarray(0, 8))
    sent.push(await (solvers.children[at % solvers.children.length] as (typeof solvers.children)[number]).ask<{ key: string, atMs: number }>('plain', data))
    await wait(100)
  }
  await wait(1_000)
  const arrivals = (await take()).flatMap(({ plain }) => plain)
  return sent.map(({ key, atMs }) => Math.max(...arrivals.filter((arrival) => arrival.key === key).map((arrival) => arrival.atMs - atMs)))
}
