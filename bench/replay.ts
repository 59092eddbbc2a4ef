import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSeededRandom } from '../src/core/random.ts'
import { DEVNET_AUCTION_RULES } from '../src/match/options.ts'
import { openGround, type Ground } from './auction/ground.ts'
import { keyOf } from './auction/records.ts'
import { startSolvers } from './auction/solvers.ts'
import { createChildren } from './child.ts'
import { reported, type Bench } from './figure.ts'
import { rulesFor } from './match/offers.ts'
import { writeOutput } from './match/output.ts'
import { replayAlone } from './replay/alone.ts'
import { replayLive, type PricePoint } from './replay/live.ts'
import { outcomeOf, waitsByArrival } from './replay/outcome.ts'
import { scheduleOf } from './replay/schedule.ts'

const FULL = { nodes: 3, machines: 150, seconds: 120 }
const QUICK = { nodes: 2, machines: 20, seconds: 16 }
const OWNERS = { providers: 20, creators: 10 }
/** In the vault of each, nLILY: 200,000 LILY. */
const MONEY = 200_000_000_000_000
/** Jobs that came within so many epochs of the end had no auction. */
const SETTLE_EPOCHS = 2

/** A trace as arrivals over time, sped up, into live solver nodes: how much is matched and how long it waits, by size and age; GPU allocation; prices by class. Beside the floor alone. */
export const benchReplay: Bench = async ({ seed, sizes, quick, trace, out, progress }) => {
  const base = quick ? QUICK : FULL
  const { epochMs } = DEVNET_AUCTION_RULES
  const spanMs = (sizes.seconds ?? base.seconds) * 1000
  const rules = rulesFor('market')
  const schedule = await scheduleOf(createSeededRandom(seed), { folder: trace, machines: sizes.records ?? base.machines, spanMs, leastRunMs: epochMs, rules })
  const root = await mkdtemp(join(tmpdir(), 'lilynode-bench-'))
  const children = createChildren(root)
  let ground: Ground | undefined
  try {
    ground = await openGround(root)
    const owners = [...Array.from({ length: OWNERS.providers }, (_, at) => `provider-${at}`), ...Array.from({ length: OWNERS.creators }, (_, at) => `creator-${at}`)]
    await ground.deposit(owners.map((name) => keyOf(seed, name).signer.address), MONEY)
    const solvers = await startSolvers({ children, ground, root }, { seed, engines: Array.from({ length: Math.max(2, sizes.nodes ?? base.nodes) }, () => 'price'), auction: DEVNET_AUCTION_RULES, match: rules })
    progress(`${schedule.name}: ${schedule.arrivals.length} jobs for ${schedule.machines.length} machines in ${spanMs / 1000} s`)
    const live = await replayLive({ solvers, deployment: ground.deployment }, schedule, { seed, spanMs, rules, owners: OWNERS })
    const alone = replayAlone(schedule, { epochs: Math.floor(spanMs / epochMs), epochMs, rules })
    const end = { endMs: spanMs, settleMs: SETTLE_EPOCHS * epochMs }
    const [ours, floor] = [outcomeOf(live.cluster, end), outcomeOf(alone.cluster, end)]
    await writeOutput(out, 'replay-waits', ours.map((row) => ({ ...row })), { title: 'Wait by size', x: 'size', y: 'ms', lines: [{ name: 'p50', points: ours.map(({ waitP50 }, at) => [at + 1, waitP50]) }] })
    await writeOutput(out, 'replay-gpus', live.gpuShares.map((share, at) => ({ epoch: at + 1, live: share, floor: alone.gpuShares[at] ?? 0 })), {
      title: 'GPU allocation', x: 'epoch', y: 'share', lines: [{ name: 'live', points: live.gpuShares.map((share, at) => [at + 1, share]) }, { name: 'floor alone', points: alone.gpuShares.map((share, at) => [at + 1, share]) }]
    })
    await writeOutput(out, 'replay-prices', live.prices.map((point) => ({ ...point })), { title: 'Price by class', x: 'epoch', y: '% of the reference', lines: pathsOf(live.prices) })
    const [all, floorAll] = [ours[0], floor[0]]
    if (all === undefined || floorAll === undefined || live.decided === 0) throw new Error('no epoch was decided: the machine is too loaded, or nothing came')
    const highest = (shares: readonly number[]): number => 100 * Math.max(0, ...shares)
    return [
      { ...reported(`${schedule.name}: jobs matched, of ${all.jobs} that came`, all.fill, '%', { name: 'floor alone, virtual time', value: floorAll.fill }) },
      reported('age of those that wait still, p50', all.ageP50 || 0, 'ms', { name: 'floor alone', value: floorAll.ageP50 || 0 }),
      ...ours.slice(1).filter(({ jobs }) => jobs > 0).flatMap((row) => [
        reported(`${row.size}: matched, of ${row.jobs}`, row.fill, '%', { name: 'floor alone', value: floor.find(({ size }) => size === row.size)?.fill ?? 0 }),
        reported(`${row.size}: wait p50`, row.waitP50 || 0, 'ms', { name: 'floor alone', value: floor.find(({ size }) => size === row.size)?.waitP50 || 0 }),
        reported(`${row.size}: wait p95`, row.waitP95 || 0, 'ms')
      ]),
      ...waitsByArrival(live.cluster.jobs).map(({ quarter, jobs, waitP50 }) => reported(`came in quarter ${quarter} (${jobs} jobs): wait p50`, waitP50 || 0, 'ms')),
      reported('GPU allocation, highest', highest(live.gpuShares), '%', { name: 'floor alone', value: highest(alone.gpuShares) }),
      reported('GPU allocation at the end', 100 * (live.gpuShares.at(-1) ?? 0), '%', { name: 'floor alone', value: 100 * (alone.gpuShares.at(-1) ?? 0) }),
      reported('pairs that no longer fitted', live.refused, ''),
      reported(`epochs decided, of ${Math.floor(spanMs / epochMs)}`, live.decided, '')
    ]
  } finally {
    await children.stop()
    await ground?.stop()
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

function pathsOf (prices: readonly PricePoint[]): Array<{ name: string, points: Array<readonly [number, number]> }> {
  const first = Math.min(...prices.map(({ epoch }) => epoch))
  return [...new Set(prices.map((point) => point.class))].sort().map((name) => ({ name, points: prices.filter((point) => point.class === name).map(({ epoch, percent }) => [epoch - first + 1, percent] as const) }))
}
