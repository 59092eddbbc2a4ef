/**
 * A node in a process of its own, for tests. Started with one JSON argument `{ folder, files? }` and options of the mesh; writes
 * JSON lines: `{ peerId, addresses, cid? }` once it listens, then `{ peers }` on every change, and the answers to the lines
 * on stdin: `{ find: role }`, `{ announce: [role] }`, `{ tree: cid, from: [peer] }`, `{ look: true }`. Ends by itself when stdin ends, with `{ lingeredMs }`.
 */
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createSystemClock } from '../../src/core/clock.ts'
import { createSystemRandom } from '../../src/core/random.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createMesh, type MeshOptions } from '../../src/mesh/mesh.ts'
import { createBlocks } from '../../src/store/blocks.ts'
import { createDatastore } from '../../src/store/datastore.ts'

interface Options extends Partial<MeshOptions> { folder: string, files?: Record<string, string> }
interface Command { find?: string, announce?: string[], tree?: string, from?: string[], look?: boolean }

const options = JSON.parse(process.argv[2] ?? '{}') as Options
const say = (value: unknown): void => { process.stdout.write(JSON.stringify(value) + '\n') }
const datastore = createDatastore({ logger }, { path: join(options.folder, 'datastore') })
await datastore.start()
const mesh = createMesh({ datastore, logger, clock: createSystemClock(), random: createSystemRandom() }, { network: '31337', topics: [], ...options })
mesh.onPeer(() => { say({ peers: mesh.peers().map((peer) => peer.peerId) }) })
await mesh.start()
const blocks = createBlocks({ mesh, datastore, logger }, { path: join(options.folder, 'blocks') })
await blocks.start()
const files = new Map(Object.entries(options.files ?? {}).map(([path, content]) => [path, new TextEncoder().encode(content)]))
const cid = options.files === undefined ? undefined : await blocks.addTree(files, { pin: true, signal: AbortSignal.timeout(20_000) })
say({ peerId: mesh.peerId, addresses: mesh.addresses(), cid })

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command
  const signal = AbortSignal.timeout(20_000)
  if (command.announce !== undefined) mesh.roles.announce(command.announce)
  if (command.look !== undefined) say({ reachability: mesh.reachability(), addresses: mesh.addresses(), through: mesh.peers().map((peer) => peer.address) })
  if (command.find !== undefined) {
    let found: string[] = []
    while (found.length === 0) found = await mesh.roles.find(command.find, { signal })
    say({ found })
  }
  if (command.tree !== undefined) {
    const startMs = performance.now()
    const tree = await blocks.getTree(command.tree, { maxBytes: 1e6, maxFiles: 100, signal, from: command.from ?? [] })
    say({ tree: Object.fromEntries([...tree].map(([path, content]) => [path, new TextDecoder().decode(content)])), tookMs: performance.now() - startMs })
  }
}
await blocks.stop()
await mesh.stop()
await datastore.stop()
const stoppedMs = performance.now()
process.on('exit', () => { say({ lingeredMs: performance.now() - stoppedMs }) })
