import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RECONCILE } from '../src/book/options.ts'
import { wait } from '../src/cli/devnet/processes.ts'
import { NODE_FLAGS } from '../test/support/node-flags.ts'
import { createChildren, type Child, type Children } from './child.ts'
import { machineMs } from './commands.ts'
import { atMost, atMostTimes, percentile, reported, type Bench } from './figure.ts'
import { packRecords, signOffers } from './offers.ts'

const RECORDS = 100_000
const AUTHORS = 1_000
const DIFFERENCES = 100
const PROOFS = 9
/** Each beside the bare transfer and recovery right after it: a machine that becomes slower or faster within a minute does so for both. */
const JOINS = 3
const OWN_SESSION_MS = 60_000
/** A node counts as quiet when it uses less than this share of a core; it is given so long for it. */
const QUIET_SHARE = 0.05
const QUIET_LOOK_MS = 500
const QUIET_MS = 60_000
const JOINER_TIMES = 1.5
const DIFFERENCE_MS = 2_000

interface Timed<T> { ms: number, cpuMs: number, mainThreadMs: number, wireBytes: number, value: T }
interface Started { peerId: string, address: string }
type Node = Started & { child: Child }

/**
 * Two real nodes in processes of their own, which follow the default market; half of the records are in each of its two shards. One
 * joins the other's book of 100,000 from nothing, JOINS times with a fresh process; both prove that they are equal, and both settle
 * differences. Bytes are those of the sockets, encryption, stream negotiation and keep-alives included.
 */
export const benchReconcile: Bench = async ({ seed, sizes, progress, profile }) => {
  const count = sizes.records ?? RECORDS
  const root = await mkdtemp(join(tmpdir(), 'lilynode-bench-'))
  const [givers, joiners] = [createChildren(root), createChildren(root)]
  const startNode = async (among: Children, name: string): Promise<Node> => {
    const folder = join(root, name)
    await mkdir(folder)
    const child = await among.start('./reconcile-node.ts', { flags: NODE_FLAGS, ...profile === undefined ? {} : { profile: join(profile, name) } })
    return { child, ...await child.ask<Started>('start', folder) }
  }
  try {
    const records = await signOffers({ count, authors: AUTHORS, seed, nowMs: Date.now(), twoShards: true })
    const path = join(root, 'records')
    const packed = packRecords(records)
    await writeFile(path, packed)
    progress(`${count} records of ${Math.round(packed.byteLength / count)} bytes signed`)

    const old = await startNode(givers, 'old')
    if (await old.child.ask<number>('load', path) !== count) throw new Error('the book does not hold what was loaded')
    const joins: Join[] = []
    const startJoiner = async (): Promise<Node> => {
      await joiners.stop()
      const joiner = await startNode(joiners, `joiner ${joins.length + 1}`)
      joins.push(await joinBook(old, joiner, { count, bytes: packed.byteLength }))
      progress(`joined in ${((joins.at(-1)?.joined.ms ?? 0) / 1000).toFixed(1)} s`)
      return joiner
    }
    let joiner = await startJoiner()
    while (joins.length < JOINS) joiner = await startJoiner()

    await untilOwnSession(old.child, joiner.peerId)
    const proofs: Array<Timed<{ received: number, sent: number }>> = []
    while (proofs.length < PROOFS) proofs.push(await reconcile(joiner.child, old.peerId))
    if (!await joiner.child.ask<boolean>('isEqual', old.peerId)) throw new Error('equal books were not proven equal')
    progress('equal books proven')

    const settled = await settleDifferences(old, joiner, seed)
    await assertEqual(old.child, joiner.child)

    const full = (value: number): { name: string, value: number } => ({ name: 'bare transfer of all, this run', value })
    const mean = (of: (join: Join) => number): number => joins.reduce((sum, join) => sum + of(join), 0) / JOINS
    const seconds = (of: (join: Join) => number): number => mean(of) / 1000
    const transferMs = Math.round(mean(({ transfer }) => transfer.ms))
    return [
      atMost(`equal books of ${count} proven, median of ${PROOFS}`, percentile(proofs.map(({ wireBytes }) => wireBytes), 0.5), 1000, 'bytes'),
      reported('time of it', percentile(proofs.map(({ ms }) => ms), 0.5), 'ms'),
      atMost(`${DIFFERENCES} differences in ${count}, time`, settled.ms, DIFFERENCE_MS, 'ms', full(transferMs)),
      atMost(`${DIFFERENCES} differences in ${count}, bytes`, settled.wireBytes / 1000, 300, 'KB', full(Math.round(mean(({ transfer }) => transfer.wireBytes) / 1000))),
      atMostTimes(`late joiner, ${count} records, mean of ${JOINS}`, seconds(({ joined }) => joined.ms), JOINER_TIMES, 's', { name: `bare transfer ${seconds(({ transfer }) => transfer.ms).toFixed(1)} s + bare recover ${seconds(({ recover }) => recover.ms).toFixed(1)} s, this run`, value: seconds(({ transfer, recover }) => transfer.ms + recover.ms) }),
      reported('CPU time of it, both nodes', seconds(({ joined, gaveMs }) => joined.cpuMs + gaveMs), 's', { name: 'bare transfer, both nodes, and bare recover', value: seconds(({ transfer, sentMs, recover }) => transfer.cpuMs + sentMs + recover.cpuMs) }),
      reported('of it the main thread of the joiner', seconds(({ joined }) => joined.mainThreadMs), 's'),
      reported('of it the giver', seconds(({ gaveMs }) => gaveMs), 's', { name: 'bare transfer', value: seconds(({ sentMs }) => sentMs) }),
      reported('bytes of it', mean(({ joined }) => joined.wireBytes) / 1e6, 'MB', { name: 'bare transfer', value: Math.round(mean(({ transfer }) => transfer.wireBytes) / 1e6) })
    ]
  } finally {
    await joiners.stop()
    await givers.stop()
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** A join, and what it is measured against. `gaveMs`, `sentMs`: CPU time of the other side. */
interface Join { joined: Timed<void>, gaveMs: number, transfer: Timed<number>, sentMs: number, recover: { ms: number, cpuMs: number } }

async function joinBook (old: Node, joiner: Node, { count, bytes }: { count: number, bytes: number }): Promise<Join> {
  for (const { child } of [old, joiner]) await untilQuiet(child)
  const giverMs = await cpuOf(old.child)
  const joined = await joiner.child.ask<Timed<void>>('join', { address: old.address, size: count })
  const gaveMs = await giverMs()
  await assertEqual(old.child, joiner.child)
  const senderMs = await cpuOf(old.child)
  const transfer = await joiner.child.ask<Timed<number>>('pull', old.peerId)
  const sentMs = await senderMs()
  if (transfer.value !== bytes) throw new Error(`the bare transfer brought ${transfer.value} of ${bytes} bytes`)
  return { joined, gaveMs, transfer, sentMs, recover: await joiner.child.ask<{ ms: number, cpuMs: number }>('recover') }
}

/** Half of the differences on each side, settled in one session. A node's own session may come first, one a minute: then others are made. */
async function settleDifferences (old: Node, joiner: { child: Child }, seed: number): Promise<Timed<{ received: number, sent: number }>> {
  const half = DIFFERENCES / 2
  for (let tries = 1; tries <= 3; tries++) {
    const news = await signOffers({ count: DIFFERENCES, authors: AUTHORS, seed: seed + tries, nowMs: Date.now(), firstAuthor: tries * AUTHORS, twoShards: true })
    await old.child.ask('add', packRecords(news.slice(0, half)))
    await joiner.child.ask('add', packRecords(news.slice(half)))
    // A node compares a large book as it was up to a second ago.
    await wait(RECONCILE.snapshotMs)
    const settled = await reconcile(joiner.child, old.peerId)
    if (settled.value.received === half && settled.value.sent === half) return settled
  }
  throw new Error(`three sessions settled other than ${half} differences each way`)
}

/** The dialled side's own session comes some seconds after the join: what is measured then is measured alone. */
async function untilOwnSession (old: Child, peer: string): Promise<void> {
  for (const until = machineMs() + OWN_SESSION_MS; machineMs() < until;) {
    if (await old.ask<boolean>('isEqual', peer)) return
    await wait(100)
  }
  throw new Error('the dialled side has had no session of its own')
}

/** LevelDB still sorts what was loaded, and a node that has just started compiles its code: neither is part of a join. */
async function untilQuiet (child: Child): Promise<void> {
  for (const until = machineMs() + QUIET_MS; machineMs() < until;) {
    const spentMs = await cpuOf(child)
    await wait(QUIET_LOOK_MS)
    if (await spentMs() < QUIET_LOOK_MS * QUIET_SHARE) return
  }
  throw new Error('a node does not come to rest')
}

async function reconcile (child: Child, peerId: string): Promise<Timed<{ received: number, sent: number }>> {
  return await child.ask('reconcile', peerId)
}

/** Starts to count a node's CPU time; what it returns says how much it was, in ms. */
async function cpuOf (child: Child): Promise<() => Promise<number>> {
  const startMs = await child.ask<number>('cpuMs')
  return async () => await child.ask<number>('cpuMs') - startMs
}

async function assertEqual (one: Child, other: Child): Promise<void> {
  if (await one.ask<string>('digest') !== await other.ask<string>('digest')) throw new Error('the books differ')
}
