import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { wait } from '../src/cli/devnet/processes.ts'
import { createSeededRandom } from '../src/core/random.ts'
import { NODE_FLAGS } from '../test/support/node-flags.ts'
import { createChildren, type Child } from './child.ts'
import { machineMs } from './commands.ts'
import { atLeast, atMostTimes, percentile, reported, type Bench } from './figure.ts'
import { watchLoad, type Load } from './load.ts'
import { signOffers } from './offers.ts'
import { recordKey, type Seen, type Sending } from './sendings.ts'

const BARE = './baselines/gossipsub-node.ts'
const OURS = './gossip-node.ts'
/** In this order a machine that becomes slower or faster within minutes does so for both. */
const FLEETS = [BARE, OURS, OURS, BARE, BARE, OURS, OURS, BARE]
const NODES = 20
const SECONDS = 20
const WARM_UP_SECONDS = 30
const RECORDS_PER_SECOND = 50
const AUTHORS = 200
const TIMES = 1.5
/** Node i dials i + each of the first four that the circle has room for: every node has eight peers, which is what our discovery wants. */
const DIALS = [1, 3, 7, 9, 2, 4, 5, 6, 8]
/** So few nodes all know each other. */
const SMALL = 9
/** Processes that start at once: each takes a second of a core. */
const STARTS_AT_ONCE = 4
/** The schedule starts that long after it is handed out. */
const LEAD_MS = 5_000
/** After the last record: what has not come by then counts as lost. */
const TAIL_MS = 5_000
/** Percent; what gossip loses, reconciliation brings within a minute. */
const LEAST_DELIVERED = 99
/** Gossipsub looks for more below its Dlo of 5; a node whose neighbours are full may be left with one less. */
const LEAST_MESH = 4
const MESH_TIMEOUT_MS = 180_000
/** Nodes that just met look for each other in the DHT: measuring starts when they use less than this share of the machine, or after the time-out. */
const SETTLED_PERCENT = 12
const SETTLE_MS = 3_000

interface Phase { latencies: number[], waits: number[], travels: number[], last: number[], delivered: number, load: Load }

/** A record from `publish` at one node to the book of every other; beside bare gossipsub with the same settings, bytes and graph, each in four fleets of fresh processes. */
export const benchGossip: Bench = async ({ seed, sizes, progress, profile }) => {
  const nodes = sizes.nodes ?? NODES
  const seconds = sizes.seconds ?? SECONDS
  const perSecond = sizes.records ?? RECORDS_PER_SECOND
  const root = await mkdtemp(join(tmpdir(), 'lilynode-bench-'))
  const children = createChildren(root)
  const measure = async (script: string, number: number): Promise<Phase> => {
    const peers = await startAll(nodes, async (index) => {
      const folder = join(root, `${number}-${index}`)
      await mkdir(folder)
      const child = await children.start(script, { flags: NODE_FLAGS, ...(index === 0 && profile !== undefined ? { profile } : {}) })
      return { child, address: await child.ask<string>('start', folder) }
    })
    const offsets = nodes <= SMALL ? Array.from({ length: Math.floor(nodes / 2) }, (_, at) => at + 1) : DIALS.filter((offset) => offset * 2 < nodes).slice(0, 4)
    for (const [index, { child }] of peers.entries()) await child.ask('connect', offsets.map((offset) => peers[(index + offset) % nodes]?.address))
    await untilMeshed(peers.map(({ child }) => child), Math.min(LEAST_MESH, nodes - 1))
    progress(`${script}: ${nodes} processes have their gossip mesh`)
    await untilSettled(peers.map(({ child }) => child))
    const phase = await run(peers.map(({ child }) => child), { seconds, perSecond, seed })
    progress(`${script}: p50 ${percentile(phase.latencies, 0.5).toFixed(1)} ms, p95 ${percentile(phase.latencies, 0.95).toFixed(1)} ms, machine ${phase.load.machine.toFixed(0)} % busy`)
    await children.stop()
    return phase
  }
  try {
    const phases = new Map<string, Phase[]>([[BARE, []], [OURS, []]])
    for (const [number, script] of FLEETS.entries()) phases.get(script)?.push(await measure(script, number))
    const bare = together(phases.get(BARE) ?? [])
    const ours = together(phases.get(OURS) ?? [])
    const name = (text: string): string => `${text}, ${nodes} processes, ${perSecond}/s`
    const against = (share: number): { name: string, value: number } => ({ name: 'bare gossipsub, this run', value: percentile(bare.latencies, share) })
    return [
      atMostTimes(name('record to every node, p95'), percentile(ours.latencies, 0.95), TIMES, 'ms', against(0.95)),
      reported(name('p50'), percentile(ours.latencies, 0.5), 'ms', against(0.5)),
      reported(name('p99'), percentile(ours.latencies, 0.99), 'ms', against(0.99)),
      reported('of it before the record leaves its node (disk, company), p50', percentile(ours.waits, 0.5), 'ms'),
      reported('the same, p95', percentile(ours.waits, 0.95), 'ms'),
      reported('of it under way, p95', percentile(ours.travels, 0.95), 'ms', against(0.95)),
      reported('until the last node has it, p95', percentile(ours.last, 0.95), 'ms', { name: 'bare gossipsub', value: percentile(bare.last, 0.95) }),
      atLeast(`delivered within ${TAIL_MS / 1000} s of the last`, ours.delivered, LEAST_DELIVERED, '%', { name: 'bare gossipsub', value: bare.delivered }),
      reported(`machine busy, ${cpus().length} cores`, ours.load.machine, '%', { name: 'while bare gossipsub ran', value: bare.load.machine }),
      reported('of it the nodes', ours.load.processes, '%', { name: 'while bare gossipsub ran', value: bare.load.processes })
    ]
  } finally {
    await children.stop()
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Phases of one kind as one. */
function together (phases: readonly Phase[]): Phase {
  const mean = (of: (phase: Phase) => number): number => phases.reduce((sum, phase) => sum + of(phase), 0) / phases.length
  return {
    latencies: phases.flatMap(({ latencies }) => latencies), waits: phases.flatMap(({ waits }) => waits), travels: phases.flatMap(({ travels }) => travels),
    last: phases.flatMap(({ last }) => last), delivered: mean(({ delivered }) => delivered),
    load: { machine: mean(({ load }) => load.machine), processes: mean(({ load }) => load.processes) }
  }
}

async function startAll<T> (count: number, start: (index: number) => Promise<T>): Promise<T[]> {
  const started: T[] = []
  while (started.length < count) {
    started.push(...await Promise.all(Array.from({ length: Math.min(STARTS_AT_ONCE, count - started.length) }, async (_, at) => await start(started.length + at))))
  }
  return started
}

async function untilMeshed (peers: readonly Child[], least: number): Promise<void> {
  const until = machineMs() + MESH_TIMEOUT_MS
  for (;;) {
    const counts = await Promise.all(peers.map(async (peer) => await peer.ask<number>('meshPeers')))
    if (counts.every((count) => count >= least)) return
    if (machineMs() > until) throw new Error(`gossip meshes stay at ${counts.join(', ')} peers`)
    await wait(100)
  }
}

async function untilSettled (peers: readonly Child[]): Promise<void> {
  for (const until = machineMs() + MESH_TIMEOUT_MS; machineMs() < until;) {
    const end = await watchLoad(peers)
    await wait(SETTLE_MS)
    if ((await end()).processes < SETTLED_PERCENT) return
  }
}

/**
 * One node after the other sends, at an even pace; their order is drawn anew each round. What is measured follows the warm-up without a
 * pause: a process that has rested for some seconds has let go of compiled code, and all twenty compile at once when they go on.
 */
async function run (peers: readonly Child[], { seconds, perSecond, seed }: { seconds: number, perSecond: number, seed: number }): Promise<Phase> {
  const random = createSeededRandom(seed)
  const count = seconds * perSecond
  const before = WARM_UP_SECONDS * perSecond
  const records = await signOffers({ count: before + count, authors: AUTHORS, seed, nowMs: Date.now(), firstAuthor: seed * AUTHORS })
  const startMs = machineMs() + LEAD_MS
  const measuredMs = startMs + WARM_UP_SECONDS * 1000
  const lists = peers.map((): Sending[] => [])
  let round: Sending[][] = []
  records.forEach((bytes, index) => {
    if (round.length === 0) round = [...lists]
    const [list] = round.splice(random.below(round.length), 1)
    list?.push({ atMs: startMs + index * 1000 / perSecond, key: recordKey(bytes), bytes })
  })
  await Promise.all(peers.map(async (peer) => await peer.ask('take')))
  const running = Promise.all(peers.map(async (peer, index) => { await peer.ask('run', lists[index]) }))
  const [, endLoad] = await Promise.all([running, wait(Math.max(0, measuredMs - machineMs())).then(async () => await watchLoad(peers))])
  const load = await endLoad()
  await wait(TAIL_MS)
  const results = await Promise.all(peers.map(async (peer) => await peer.ask<Seen>('take')))
  const measured = new Set(records.slice(before).map(recordKey))
  const sent = new Map(results.flatMap((result) => [...result.sent]).filter(([key]) => measured.has(key)))
  const last = new Map<string, number>()
  const latencies: number[] = []
  const travels: number[] = []
  const left = new Map(results.flatMap((result) => [...result.left]).filter(([key]) => measured.has(key)))
  for (const { seen } of results) {
    for (const [key, atMs] of seen) {
      const sentMs = sent.get(key)
      if (sentMs === undefined) continue
      latencies.push(atMs - sentMs)
      travels.push(atMs - (left.get(key) ?? sentMs))
      last.set(key, Math.max(last.get(key) ?? 0, atMs - sentMs))
    }
  }
  return {
    latencies,
    travels,
    waits: [...left].map(([key, atMs]) => atMs - (sent.get(key) ?? atMs)),
    last: [...last.values()],
    delivered: 100 * latencies.length / (count * (peers.length - 1)),
    load
  }
}
