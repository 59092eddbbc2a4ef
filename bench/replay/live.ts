import { wait } from '../../src/cli/devnet/processes.ts'
import { domainOf, type Deployment } from '../../src/chain/deployment.ts'
import type { MatchRules } from '../../src/match/options.ts'
import { priceFor } from '../../src/match/price.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { bodyShard, slotAt } from '../../src/wire/shard.ts'
import { signRecord } from '../../test/support/records.ts'
import type { Decided } from '../auction-node.ts'
import { jobRecord, keyOf, offerRecord } from '../auction/records.ts'
import type { Solvers } from '../auction/solvers.ts'
import { createCluster, type Cluster, type Tracked } from './cluster.ts'
import type { Schedule } from './schedule.ts'

/** Prices of one class in one epoch: pairs, and their mean as a share of the reference price, percent. */
export interface PricePoint { readonly epoch: number, readonly class: string, readonly pairs: number, readonly percent: number }
export interface Replayed { readonly cluster: Cluster, readonly gpuShares: number[], readonly prices: PricePoint[], readonly decided: number, readonly refused: number }

/** Places of jobs follow those of machines in a slot range of their own. */
const JOB_PLACES = 4096
/** How often the winners are asked for. */
const LOOK_MS = 100

/** Feeds the schedule into live solver nodes as the owners of jobs and machines would: offers go and change with every match, as their books show. */
export async function replayLive (
  parts: { solvers: Solvers, deployment: Deployment }, schedule: Schedule,
  options: { seed: number, spanMs: number, rules: MatchRules, owners: { providers: number, creators: number } }
): Promise<Replayed> {
  const { solvers } = parts
  const domain = domainOf(parts.deployment)
  const cluster = createCluster(schedule)
  const jobs = new Map<Hash, { tracked: Tracked, at: number }>()
  const offers = new Map<Hash, number>()
  const providers = Array.from({ length: options.owners.providers }, (_, at) => keyOf(options.seed, `provider-${at}`).signer)
  const creators = Array.from({ length: options.owners.creators }, (_, at) => keyOf(options.seed, `creator-${at}`).signer)
  const providerOf = (machine: number): (typeof providers)[number] => providers[machine % providers.length] as (typeof providers)[number]
  const creatorOf = (at: number): (typeof creators)[number] => creators[at % creators.length] as (typeof creators)[number]
  const offered = (machine: number): Uint8Array => {
    const { id, bytes } = offerRecord(domain, providerOf(machine), cluster.residual(machine), machine, Date.now())
    offers.set(id, machine)
    return bytes
  }
  const posted = (tracked: Tracked, at: number): Uint8Array => {
    const { id, bytes } = jobRecord(domain, creatorOf(at), tracked.arrival.row.offer, JOB_PLACES + at, Date.now())
    jobs.set(id, { tracked, at })
    return bytes
  }
  const cancelled = ({ tracked, at }: { tracked: Tracked, at: number }): Uint8Array =>
    encodeRecord(signRecord(creatorOf(at), 'cancel', { domain, seq: Date.now(), slot: slotAt(bodyShard(tracked.arrival.row.offer), JOB_PLACES + at) }))

  await solvers.publish(schedule.machines.map((_, machine) => offered(machine)))
  await solvers.untilLive(schedule.machines.length)
  await solvers.children[0]?.ask('pairs')

  const startMs = Date.now()
  const gpuShares: number[] = []
  const prices: PricePoint[] = []
  let [posting, decided, refused] = [0, 0, 0]
  while (Date.now() - startMs < options.spanMs) {
    const nowMs = Date.now() - startMs
    const changed = new Set(cluster.release(nowMs))
    const records: Uint8Array[] = []
    for (; posting < cluster.jobs.length && (cluster.jobs[posting] as Tracked).arrival.atMs <= nowMs; posting++) records.push(posted(cluster.jobs[posting] as Tracked, posting))
    const { decided: newest } = await (solvers.children[0] as (typeof solvers.children)[number]).ask<{ decided: Decided[] }>('take')
    for (const decision of newest) {
      decided++
      const paid = new Map<string, number[]>()
      for (const { job, offer, devices, price } of decision.pairs ?? []) {
        const known = jobs.get(job)
        const machine = offers.get(offer)
        // Its owner no longer stands by what was replaced meanwhile, unless it still fits.
        if (known === undefined || machine === undefined || known.tracked.matchedMs !== undefined) continue
        if (!cluster.begin(known.tracked, { machine, devices }, nowMs)) { refused++; continue }
        changed.add(machine)
        records.push(cancelled(known))
        const row = schedule.machines[machine] as (typeof schedule.machines)[number]
        const name = row.offer.gpus[devices[0] ?? -1]?.model ?? 'cpu'
        const reference = priceFor({ ...known.tracked.arrival.row.offer, limit: Number.MAX_SAFE_INTEGER }, { ...row.offer, ask: { base: 0, cpuMilliSecond: 0, memoryMiBSecond: 0, diskMiBSecond: 0 }, gpus: row.offer.gpus.map((gpu) => ({ ...gpu, secondAsk: 0 })) }, options.rules, devices)
        paid.set(name, [...paid.get(name) ?? [], 100 * price / Math.max(1, reference)])
      }
      for (const [name, percents] of paid) prices.push({ epoch: decision.epoch, class: name, pairs: percents.length, percent: Math.round(percents.reduce((sum, each) => sum + each, 0) / percents.length * 10) / 10 })
      gpuShares.push(cluster.gpuShare())
    }
    for (const machine of changed) records.push(offered(machine))
    await solvers.publish(records)
    await wait(LOOK_MS)
  }
  return { cluster, gpuShares, prices, decided, refused }
}
