import { decodeRecord, encodeRecord } from '../src/wire/record.ts'
import { DOMAIN } from '../test/support/records.ts'
import { machineMs, serveCommands } from './commands.ts'
import type { Offer } from './crdts.ts'
import { digestOf } from './offers.ts'
import { connectTo, meshPeers, startRealNode, TOPIC, type RealNode } from './real-node.ts'

/** Our node in `crdts.ts`: publishes offers of its authors and tells when it holds all. */
const AT_ONCE = 32

let node: RealNode | undefined
const running = (): RealNode => {
  if (node === undefined) throw new Error('not started')
  return node
}

serveCommands({
  start: async (folder: string) => {
    node = await startRealNode(folder)
    return node.mesh.addresses()[0]
  },
  connect: async (addresses: string[]) => { await connectTo(running().mesh, addresses) },
  isReady: (peers: number) => meshPeers(running().mesh.libp2p.services['gossip'], TOPIC) >= peers,
  /** Resolves to the time when this many are held. */
  whenAll: async (size: number) => await new Promise<number>((resolve) => {
    const { book } = running().replica
    const look = (): void => { if (book.size >= size) { leave(); resolve(machineMs()) } }
    const leave = book.onMember(look)
    look()
  }),
  /** Several at once share a write to disk and a gossip message, as in any program that posts many. */
  put: async (offers: Offer[]) => {
    const records = offers.map(({ bytes }) => decodeRecord(DOMAIN, bytes))
    for (let at = 0; at < records.length; at += AT_ONCE) {
      await Promise.all(records.slice(at, at + AT_ONCE).map(async (record) => { await running().replica.publish(record) }))
    }
  },
  digest: () => digestOf([...running().replica.book.members()].map(({ record }) => encodeRecord(record)))
}, async () => { await node?.stop() })
