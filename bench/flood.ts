import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startBookNode, type BookNode } from '../test/support/book-node.ts'
import { atMost, percentile, reported, type Bench, type Figure } from './figure.ts'

const FLOODER = fileURLToPath(new URL('./baselines/flood-process.ts', import.meta.url))
/** The victim in the middle; an author and three readers around it, so that every record goes through the victim. */
const LEAVES = 4
const PER_SECOND = 1_000
const FLOOD_SECONDS = 20
const QUIET_SECONDS = 20
/** An honest record in each stretch of this length. */
const RECORD_EVERY_MS = 50
const RATIO_LIMIT = 2
const GROWTH_LIMIT_MIB = 64
const SETTLE_MS = 3_000

interface Measured { p50: number, p95: number, growthMiB: number }

/** One peer sends 1,000 messages a second with bad signatures for 20 s: what the others notice of it. Then the same with messages that nobody is punished for. */
export const benchFlood: Bench = async ({ progress }) => {
  const figures: Figure[] = []
  for (const kind of ['bad', 'foreign'] as const) figures.push(...await flood(kind, progress))
  return figures
}

async function flood (kind: 'bad' | 'foreign', progress: (text: string) => void): Promise<Figure[]> {
  const root = await mkdtemp(join(tmpdir(), 'lilynode-flood-'))
  const nodes: BookNode[] = []
  let flooder: ReturnType<typeof spawn> | undefined
  try {
    for (let number = 0; number <= LEAVES; number++) nodes.push(await startBookNode(join(root, String(number)), number + 1, { targetPeers: 0 }))
    const [victim, ...leaves] = nodes as [BookNode, ...BookNode[]]
    for (const leaf of leaves) {
      await leaf.ask(`deny ${leaves.filter((other) => other !== leaf).map(({ peerId }) => peerId).join()}`)
      await leaf.ask(`connect ${victim.address}`)
    }
    await delay(SETTLE_MS)
    progress(`${kind}: ${QUIET_SECONDS} s without a flood`)
    const before = await measure(victim, leaves, QUIET_SECONDS)

    const child = flooder = spawn(process.execPath, [FLOODER, join(root, 'flooder'), victim.address, String(PER_SECOND), String(FLOOD_SECONDS), kind], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })
    const [ready] = await once(lines, 'line') as [string]
    const { peerId } = JSON.parse(ready) as { peerId: string }
    let cutAtMs: number | undefined
    victim.onLine((line) => { if (line.event === 'peer' && line['type'] === 'disconnect' && line['peerId'] === peerId) cutAtMs ??= Number(line['atMs']) })
    await delay(SETTLE_MS)
    progress(`${kind}: ${FLOOD_SECONDS} s with ${PER_SECOND} messages a second`)
    const end = once(lines, 'line')
    const startedAtMs = performance.timeOrigin + performance.now()
    child.stdin.write('go\n')
    const during = await measure(victim, leaves, FLOOD_SECONDS)
    const { sent } = JSON.parse((await end as [string])[0]) as { sent: number }
    const { peers } = await victim.ask('peers') as unknown as { peers: Array<{ peerId: string }> }
    if (kind === 'bad' && (cutAtMs === undefined || peers.some((peer) => peer.peerId === peerId))) throw new Error('the flooder was not cut off and kept out')

    const what = kind === 'bad' ? 'bad signatures' : 'another deployment'
    return [
      reported(`${what}: p95 delivery before`, before.p95, 'ms', { name: 'p50', value: Math.round(before.p50) }),
      reported(`${what}: p95 delivery during the flood`, during.p95, 'ms', { name: 'p50', value: Math.round(during.p50) }),
      (kind === 'bad' ? atMost(`${what}: p95 during against before`, during.p95 / before.p95, RATIO_LIMIT, 'x') : reported(`${what}: p95 during against before`, during.p95 / before.p95, 'x')),
      ...(kind === 'foreign' || cutAtMs === undefined ? [] : [reported(`${what}: until the flooder is cut off`, (cutAtMs - startedAtMs) / 1000, 's')]),
      reported(`${what}: messages that left the flooder`, sent, ''),
      (kind === 'bad' ? atMost(`${what}: RSS growth of the victim`, during.growthMiB, GROWTH_LIMIT_MIB, 'MiB') : reported(`${what}: RSS growth of the victim`, during.growthMiB, 'MiB'))
    ]
  } finally {
    flooder?.kill('SIGKILL')
    await Promise.all(nodes.map(async (node) => { await node.kill('SIGKILL') }))
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** The first leaf states, all others say when it arrived. Throws when a record did not arrive everywhere. */
async function measure (victim: BookNode, leaves: readonly BookNode[], seconds: number): Promise<Measured> {
  const [author, ...readers] = [leaves[0], victim, ...leaves.slice(1)] as [BookNode, ...BookNode[]]
  const arrived = readers.map(() => new Map<string, number>())
  const stops = readers.map((reader, index) => reader.onLine((line) => {
    if (line.event === 'change' && line['type'] === 'added') arrived[index]?.set(String(line['id']), Number(line['atMs']))
  }))
  const sent: Array<Promise<{ id: string, atMs: number }>> = []
  const started = performance.now()
  const firstMiB = await rssMiB(victim.pid)
  let mostMiB = firstMiB
  for (let n = 0; n * RECORD_EVERY_MS < seconds * 1000; n++) {
    await delay(Math.max(0, started + n * RECORD_EVERY_MS - performance.now()))
    sent.push(author.ask(`put ${n}`).then((line) => ({ id: String(line['id']), atMs: Number(line['atMs']) })))
    if (n % 10 === 0) mostMiB = Math.max(mostMiB, await rssMiB(victim.pid))
  }
  const records = await Promise.all(sent)
  const late = performance.now() + 10_000
  while (performance.now() < late && arrived.some((seen) => records.some(({ id }) => !seen.has(id)))) await delay(100)
  for (const stop of stops) stop()
  const times = arrived.flatMap((seen) => records.map(({ id, atMs }) => {
    const at = seen.get(id)
    if (at === undefined) throw new Error(`record ${id} did not arrive by gossip within 10 s`)
    return at - atMs
  }))
  return { p50: percentile(times, 0.5), p95: percentile(times, 0.95), growthMiB: mostMiB - firstMiB }
}

async function rssMiB (pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024
}
