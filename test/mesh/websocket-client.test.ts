import t, { type Test } from 'tap'
import { createAuthor } from '../../src/book/author.ts'
import { BOOK_DEFAULTS } from '../../src/book/options.ts'
import { createBookReplica, type BookReplica } from '../../src/book/replica.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createSystemRandom } from '../../src/core/random.ts'
import type { MeshOptions } from '../../src/mesh/mesh.ts'
import { recordsTopic } from '../../src/wire/topics.ts'
import { DOMAIN, jobBody, testSigner } from '../support/records.ts'
import { soon, startNode, TOPIC, untilGrafted, untilPeers, type TestNode } from './nodes.ts'

interface Trader extends TestNode { replica: BookReplica, post: () => Promise<string> }

/** A node with a book of its own and an account that posts jobs. */
async function startTrader (t: Test, key: number, options: Partial<MeshOptions>): Promise<Trader> {
  const clock = createSystemClock()
  const node = await startNode(t, { network: String(DOMAIN.chainId), topics: BOOK_DEFAULTS.shards.map((shard) => recordsTopic(DOMAIN.chainId, shard)), ...options })
  const replica = createBookReplica({ ...node, clock, logger, domain: DOMAIN, random: createSystemRandom() }, { secret: new Uint8Array(32) })
  const author = createAuthor({ signer: testSigner(key), datastore: node.datastore, clock }, { domain: DOMAIN })
  await author.start()
  await replica.start()
  t.teardown(async () => { await replica.stop() })
  return {
    ...node,
    replica,
    post: async () => {
      const record = await author.put('job', author.freeSlot(0), jobBody({ validUntil: clock.now() + 600_000, deadline: clock.now() + 600_000 }))
      await replica.publish(record)
      return record.id
    }
  }
}

/** Resolves once the book holds the record. */
async function untilHeld ({ replica }: Trader, id: string): Promise<void> {
  while (!replica.book.ids().includes(id as never)) {
    await new Promise<void>((resolve) => {
      const stop = replica.book.onChange(() => { stop(); resolve() })
    })
  }
}

t.test('a client with nothing but WebSockets, as a browser is, joins, reconciles and gossips both ways', async (t) => {
  const server = await startTrader(t, 1, { listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] })
  const before = await server.post()
  const [address = ''] = server.mesh.addresses().filter((each) => each.includes('/ws'))
  const browser = await startTrader(t, 2, { listen: [], tcp: false, bootstrap: [address] })
  await untilPeers(browser.mesh, (peers) => peers.includes(server.mesh.peerId))
  t.match(browser.mesh.peers(), [{ address: /\/ws/ }])
  const tcpOnly = await startNode(t)
  await t.rejects(browser.mesh.connect(tcpOnly.mesh.addresses()[0] ?? '', { signal: soon() }), { code: 'MESH_UNREACHABLE' }, 'it has no TCP')
  await untilHeld(browser, before)
  await untilGrafted(browser.mesh, TOPIC, 1)
  await untilHeld(server, await browser.post())
  await untilHeld(browser, await server.post())
})

t.test('a client with nothing but WebSockets and a node with nothing but TCP reconcile and gossip through a relay', async (t) => {
  const relay = await startNode(t, { network: String(DOMAIN.chainId), relay: true, listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] })
  const at = (isWs: boolean): string[] => relay.mesh.addresses().filter((each) => each.includes('/ws') === isWs)
  const browser = await startTrader(t, 1, { listen: [], tcp: false, reachability: 'private', bootstrap: at(true) })
  const before = await browser.post()
  const other = await startTrader(t, 2, { bootstrap: at(false) })
  await untilPeers(other.mesh, (peers) => peers.includes(browser.mesh.peerId))
  t.match(other.mesh.peers().find(({ peerId }) => peerId === browser.mesh.peerId), { address: /p2p-circuit/ })
  await untilHeld(other, before)
  await untilGrafted(other.mesh, TOPIC, 1)
  await untilHeld(browser, await other.post())
})
