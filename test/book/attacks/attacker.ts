import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { BOOK_DEFAULTS, type BookOptions } from '../../../src/book/options.ts'
import { createBookReplica, type BookReplica } from '../../../src/book/replica.ts'
import { createManualClock, createSystemClock, type Clock } from '../../../src/core/clock.ts'
import { silentLogger as logger } from '../../../src/core/logger.ts'
import { createSeededRandom, createSystemRandom } from '../../../src/core/random.ts'
import { createMesh, type Mesh, type MeshOptions } from '../../../src/mesh/mesh.ts'
import type { Topics, Validation } from '../../../src/mesh/topics.ts'
import { createDatastore } from '../../../src/store/datastore.ts'
import { encodeBatch } from '../../../src/wire/record-batch.ts'
import { encodeRecord, type SignedRecord } from '../../../src/wire/record.ts'
import { recordsTopic } from '../../../src/wire/topics.ts'
import type { Domain } from '../../../src/wire/typed-data.ts'
import { DOMAIN, T0 } from '../../support/records.ts'

/** Topic of the shard that most attacks are on. */
export const TOPIC = recordsTopic(DOMAIN.chainId, 0)
const TOPICS = BOOK_DEFAULTS.shards.map((shard) => recordsTopic(DOMAIN.chainId, shard))
/** Time and the machine allow for this much before a test gives up. */
const PATIENCE_MS = 20_000
const POLL_MS = 5
export const soon = (): AbortSignal => AbortSignal.timeout(PATIENCE_MS)

type RunningTest = Pick<Test, 'teardown'>
/** A mesh over TCP on loopback without a book: what an attacker of our own kind has to begin with. */
export interface Attacker { readonly mesh: Mesh, send: (records: readonly SignedRecord[], domain?: Domain) => Promise<void>, sendBytes: (data: Uint8Array, topic?: string) => Promise<void> }
/** An honest node with a book. `verdicts` are its own on gossip, in order. */
export interface Honest { readonly mesh: Mesh, readonly replica: BookReplica, readonly clock: RunningClock, readonly verdicts: Array<{ from: string, verdict: Validation }> }
/** Runs with the machine, and can be pushed ahead. */
export type RunningClock = Clock & { advance: (ms: number) => void }

/** A clock that begins at T0, so that records are the same in every run. */
export function startClock (t: RunningTest, startMs = T0 + 1000): RunningClock {
  const clock = createManualClock(startMs)
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    const passed = Math.floor(now - last)
    last += passed
    clock.advance(passed)
  }, POLL_MS)
  t.teardown(() => { clearInterval(timer) })
  return clock
}

/** Meets nobody but whom the test connects it with; nodes that another tells it of it refuses, see `keepApart`. */
async function startMesh (t: RunningTest, options: Partial<MeshOptions> = {}): Promise<{ mesh: Mesh, datastore: ReturnType<typeof createDatastore>, begin: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'lily-attack-'))
  const datastore = createDatastore({ logger }, { path: join(folder, 'datastore') })
  await datastore.start()
  const mesh = createMesh({ datastore, logger, clock: createSystemClock(), random: createSystemRandom() }, { network: String(DOMAIN.chainId), topics: TOPICS, targetPeers: 0, ...options })
  t.teardown(async () => {
    await mesh.stop()
    await datastore.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  return { mesh, datastore, begin: async () => { await mesh.start() } }
}

/** A real node: mesh, datastore and book replica. */
export async function startHonest (t: RunningTest, options: { clock?: RunningClock, book?: Partial<BookOptions> } = {}): Promise<Honest> {
  const clock = options.clock ?? startClock(t)
  const { mesh, datastore, begin } = await startMesh(t, { topics: (options.book?.shards ?? BOOK_DEFAULTS.shards).map((shard) => recordsTopic(DOMAIN.chainId, shard)) })
  const verdicts: Honest['verdicts'] = []
  const topics: Topics = {
    publish: mesh.topics.publish,
    hasRoom: mesh.topics.hasRoom,
    readers: mesh.topics.readers,
    subscribe: (topic, subscription) => mesh.topics.subscribe(topic, {
      ...subscription,
      validate: async (data, from) => {
        const verdict = await subscription.validate(data, from)
        verdicts.push({ from, verdict })
        return verdict
      }
    })
  }
  const parts = { topics, requests: mesh.requests, peers: mesh.peers, onPeer: mesh.onPeer }
  const replica = createBookReplica({ mesh: parts, datastore, clock, logger, domain: DOMAIN, random: createSeededRandom(1) }, { ...options.book, secret: new Uint8Array(32) })
  await replica.start()
  t.teardown(replica.stop)
  await begin()
  return { mesh, replica, clock, verdicts }
}

/** Without a target it stays alone. */
export async function startAttacker (t: RunningTest, target?: Honest): Promise<Attacker> {
  const { mesh, begin } = await startMesh(t)
  mesh.topics.subscribe(TOPIC, { maxBytes: 65_536, validate: () => 'ignore' })
  await begin()
  if (target !== undefined) await befriend(mesh, target.mesh)
  const sendBytes = async (data: Uint8Array, topic = TOPIC): Promise<void> => { await mesh.topics.publish(topic, data) }
  return { mesh, sendBytes, send: async (records, domain = DOMAIN) => { await sendBytes(encodeBatch(domain, records.map(encodeRecord))) } }
}

/** Connects two nodes and waits until each knows that the other reads the topic. */
export async function befriend (from: Mesh, to: Mesh, topic = TOPIC): Promise<void> {
  await from.connect(to.addresses()[0] ?? '', { signal: soon() })
  const isReader = (mesh: Mesh, peer: string): boolean => (mesh.libp2p.services['gossip'] as unknown as { getMeshPeers: (topic: string) => string[] }).getMeshPeers(topic).includes(peer)
  await until('the two exchange gossip', () => isReader(from, to.peerId) && isReader(to, from.peerId))
}

/** Victim and bystander are connected, the attacker with the victim alone. */
export async function startScene (t: RunningTest, options: { clock?: RunningClock, bystanderClock?: RunningClock, book?: Partial<BookOptions> } = {}): Promise<{ victim: Honest, bystander: Honest, attacker: Attacker }> {
  const { clock = startClock(t), book } = options
  const [victim, bystander, attacker] = await Promise.all([
    startHonest(t, { clock, ...(book === undefined ? {} : { book }) }), startHonest(t, { clock: options.bystanderClock ?? clock, ...(book === undefined ? {} : { book }) }), startAttacker(t)
  ])
  keepApart(attacker.mesh, bystander.mesh)
  await befriend(bystander.mesh, victim.mesh)
  await befriend(attacker.mesh, victim.mesh)
  return { victim, bystander, attacker }
}

/** `one` refuses `other`, which the DHT would make it meet. The honest side knows nothing of it. */
export function keepApart (one: Mesh, other: Mesh): void {
  one.penalise(other.peerId, 1e9, 'kept apart')
}

/** Polls until `holds`; rejects with `what` after PATIENCE_MS. */
export async function until (what: string, holds: () => boolean): Promise<void> {
  const late = soon()
  while (!holds()) {
    if (late.aborted) throw new Error(`did not happen: ${what}`)
    await delay(POLL_MS)
  }
}

/** Sends and waits for the victim's verdict on it. */
export async function verdictOn (victim: Honest, attacker: Attacker, send: () => Promise<void>): Promise<Validation> {
  const mine = (): Honest['verdicts'] => victim.verdicts.filter(({ from }) => from === attacker.mesh.peerId)
  const before = mine().length
  await send()
  await until('the victim judged what was sent', () => mine().length > before)
  return (mine()[before] as { verdict: Validation }).verdict
}

/** The victim's score of a peer; undefined when it is gone. */
export function scoreOf (victim: Honest, peer: string): number | undefined {
  return victim.mesh.peers().find(({ peerId }) => peerId === peer)?.score
}

/** Ids of all members, sorted. */
export function idsOf ({ replica }: Honest): string[] {
  return replica.book.ids().sort()
}
