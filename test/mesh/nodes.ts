import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import type { Test } from 'tap'
import { createSystemClock, type Clock } from '../../src/core/clock.ts'
import { createSystemRandom, type Random } from '../../src/core/random.ts'
import { createLogger, silentLogger, type Logger } from '../../src/core/logger.ts'
import { createMesh, type Mesh, type MeshOptions } from '../../src/mesh/mesh.ts'
import { createDatastore, type Datastore } from '../../src/store/datastore.ts'

export const TOPIC = '/lily/records/1/31337/0'
export const OTHER_TOPIC = '/lily/auction/1/31337'

const logger = process.env['LILY_TEST_LOG'] === undefined ? silentLogger : createLogger({ level: 'debug', write: (line) => { process.stderr.write(line) }, now: Date.now })

export interface TestNode { mesh: Mesh, datastore: Datastore, folder: string, stop: () => Promise<void> }

/** A started node on loopback; stopped, and its folder removed, when the test ends. */
export async function startNode (t: Pick<Test, 'teardown'>, { log, clock = createSystemClock(), random = createSystemRandom(), ...options }: Partial<MeshOptions> & { folder?: string, log?: Logger, clock?: Clock, random?: Random } = {}): Promise<TestNode> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'lily-mesh-'))
  const datastore = createDatastore({ logger }, { path: join(folder, 'datastore') })
  await datastore.start()
  const mesh = createMesh({ datastore, logger: log ?? logger, clock, random }, { network: '31337', topics: [TOPIC, OTHER_TOPIC], ...options })
  const stop = async (): Promise<void> => {
    await mesh.stop()
    await datastore.stop()
  }
  t.teardown(async () => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  })
  await mesh.start()
  return { mesh, datastore, folder, stop }
}

/** A multiaddr whose port was free a moment ago. */
export async function freeAddress (): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => { server.close(() => { resolve() }) })
  return `/ip4/127.0.0.1/tcp/${port}`
}

/** Two nodes, the second connected to the first, as both know. */
export async function startPair (t: Pick<Test, 'teardown'>, options: Partial<MeshOptions> = {}): Promise<[Mesh, Mesh]> {
  const a = await startNode(t, options)
  const b = await startNode(t, options)
  await b.mesh.connect(a.mesh.addresses()[0] ?? '', { signal: AbortSignal.timeout(5000) })
  // The dialling side is done first.
  await untilPeers(a.mesh, (peers) => peers.includes(b.mesh.peerId))
  return [a.mesh, b.mesh]
}

/** Resolves once `condition` holds; looked at on every connection event of `mesh`. */
export async function untilPeers (mesh: Mesh, condition: (peers: string[]) => boolean): Promise<void> {
  const met = (): boolean => condition(mesh.peers().map((peer) => peer.peerId))
  if (met()) return
  await new Promise<void>((resolve) => {
    const stop = mesh.onPeer(() => {
      if (!met()) return
      stop()
      resolve()
    })
  })
}

/** Resolves once `mesh` knows `count` subscribers of `topic`. */
export async function untilSubscribed (mesh: Mesh, topic: string, count: number): Promise<void> {
  const gossip = mesh.libp2p.services['gossip'] as GossipSub
  if (gossip.getSubscribers(topic).length >= count) return
  await new Promise<void>((resolve) => {
    const onChange = (): void => {
      if (gossip.getSubscribers(topic).length < count) return
      gossip.removeEventListener('subscription-change', onChange)
      resolve()
    }
    gossip.addEventListener('subscription-change', onChange)
  })
}

/** Resolves once `mesh` forwards messages of `topic` to `count` peers: a subscriber gets them only from then on. */
export async function untilGrafted (mesh: Mesh, topic: string, count: number): Promise<void> {
  const gossip = mesh.libp2p.services['gossip'] as GossipSub & { getMeshPeers: (topic: string) => string[] }
  while (gossip.getMeshPeers(topic).length < count) await new Promise<void>((resolve) => { gossip.addEventListener('gossipsub:heartbeat', () => { resolve() }, { once: true }) })
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)
export const soon = (ms = 8000): AbortSignal => AbortSignal.timeout(ms)
