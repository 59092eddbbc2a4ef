// One node with a real mesh and a book, driven by lines on stdin; each command answers with one JSON line on stdout, `done` or
// `failed`. Changes of the book and of the peers come as lines of their own. `atMs` is the machine's clock, the same in every process.
// argv: folder, number of the signing key, mesh options as JSON. The commands stand below.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ConnectionGater } from '@libp2p/interface'
import { createAuthor } from '../../src/book/author.ts'
import { BOOK_DEFAULTS } from '../../src/book/options.ts'
import { createBookReplica } from '../../src/book/replica.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { errorCode, errorMessage } from '../../src/core/errors.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createSystemRandom } from '../../src/core/random.ts'
import { createMesh, type MeshOptions } from '../../src/mesh/mesh.ts'
import { createDatastore } from '../../src/store/datastore.ts'
import type { SignedRecord } from '../../src/wire/record.ts'
import { recordsTopic } from '../../src/wire/topics.ts'
import { DOMAIN, jobBody, testSigner } from './records.ts'

const [folder = '', key = '0', options = '{}'] = process.argv.slice(2)
const clock = createSystemClock()
const datastore = createDatastore({ logger: silentLogger }, { path: join(folder, 'datastore') })
const random = createSystemRandom()
const mesh = createMesh({ datastore, logger: silentLogger, clock, random }, { network: String(DOMAIN.chainId), topics: BOOK_DEFAULTS.shards.map((shard) => recordsTopic(DOMAIN.chainId, shard)), ...JSON.parse(options) as Partial<MeshOptions> })
const replica = createBookReplica({ mesh, datastore, clock, logger: silentLogger, domain: DOMAIN, random }, { secret: new Uint8Array(32) })
const author = createAuthor({ signer: testSigner(Number(key)), datastore, clock }, { domain: DOMAIN })
const say = (line: unknown): void => { process.stdout.write(`${JSON.stringify(line)}\n`) }
const nowMs = (): number => performance.timeOrigin + performance.now()
const soon = (): AbortSignal => AbortSignal.timeout(20_000)

await datastore.start()
await author.start()
// The book before the mesh: a restarted node knows its records before it meets anyone.
await replica.start()
const loaded = replica.book.size
await mesh.start()
replica.book.onChange(({ type, entry }) => { say({ event: 'change', type, id: entry.record.id, size: replica.book.size, atMs: nowMs() }) })
mesh.onPeer((event) => { say({ ...event, event: 'peer', atMs: nowMs() }) })
say({ event: 'ready', peerId: mesh.peerId, address: mesh.addresses()[0], loaded })

/** Peers of the other side of a partition. libp2p asks its gater at every connection, so the answer can change as it runs. */
const denied = new Set<string>()
const { connectionGater } = (mesh.libp2p as unknown as { components: { connectionGater: ConnectionGater } }).components
for (const question of ['denyDialPeer', 'denyInboundEncryptedConnection', 'denyOutboundEncryptedConnection'] as const) {
  const ask = connectionGater[question] as ConnectionGater['denyDialPeer']
  connectionGater[question] = async (peer) => denied.has(peer.toString()) || await ask?.(peer) === true
}

const send = async (record: SignedRecord): Promise<object> => {
  const atMs = nowMs()
  await replica.publish(record)
  const { id, account, slot, seq } = record
  return { id, account, slot, seq, atMs }
}
const put = async (slot: number): Promise<object> => await send(await author.put('job', slot, jobBody({ validUntil: clock.now() + 600_000, deadline: clock.now() + 600_000 })))

const commands: Record<string, (argument: string) => Promise<object | undefined>> = {
  connect: async (address) => ({ peerId: await mesh.connect(address, { signal: soon() }) }),
  // `publish COUNT`: jobs in free slots. `put SLOT`, `cancel SLOT`: answered when the record is safe on disk.
  publish: async (count) => { for (let n = 0; n < Number(count); n++) await put(author.freeSlot(0)); return undefined },
  put: async (slot) => await put(Number(slot)),
  cancel: async (slot) => await send(await author.cancel(Number(slot))),
  ids: async () => ({ ids: replica.book.ids().sort() }),
  digest: async () => ({ records: replica.book.size, digest: createHash('sha256').update(replica.book.ids().sort().join()).digest('hex') }),
  heads: async () => ({
    heads: [...replica.book.members()].flatMap(({ record: { kind, account, slot, seq, id } }) => kind === 'equivocation' ? [] : [{ account, slot, seq, id }]),
    proofs: replica.book.live('equivocation').length
  }),
  status: async () => replica.status(),
  peers: async () => ({ peers: mesh.peers() }),
  // One session with the node at an address, and what it said of the two books.
  compare: async (address) => {
    const peerId = await mesh.connect(address, { signal: soon() })
    const moved = await replica.reconcileNow(peerId, soon())
    return { ...replica.status().peers.find((row) => row.peerId === peerId), ...moved }
  },
  // `deny PEER,PEER`: connections with these are closed and refused; `deny` alone ends it.
  deny: async (peers) => {
    denied.clear()
    for (const peer of peers.split(',').filter((text) => text !== '')) denied.add(peer)
    for (const connection of mesh.libp2p.getConnections()) if (denied.has(connection.remotePeer.toString())) connection.abort(new Error('cut'))
    return undefined
  },
  stop: async () => {
    await replica.stop()
    await mesh.stop()
    await datastore.stop()
    return undefined
  }
}
for await (const line of createInterface({ input: process.stdin })) {
  const [name = '', argument = ''] = line.split(' ')
  try {
    say({ ...await commands[name]?.(argument), event: 'done', name })
  } catch (error) {
    say({ event: 'failed', name, code: errorCode(error), message: errorMessage(error) })
  }
  if (name === 'stop') process.exit(0)
}
// Whoever drove it is gone.
process.exit(0)
