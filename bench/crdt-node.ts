import { createHash } from 'node:crypto'
import { decodeRecord } from '../src/wire/record.ts'
import { DOMAIN } from '../test/support/records.ts'
import { machineMs, serveCommands } from './commands.ts'
import type { Offer } from './crdts.ts'
import { connectTo, startRealNode, TOPIC, type RealNode } from './real-node.ts'
import { signatureKey } from './sendings.ts'

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
  isReady: (peers: number) => (running().mesh.libp2p.services['gossip'] as { getMeshPeers: (topic: string) => string[] }).getMeshPeers(TOPIC).length >= peers,
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
  digest: () => createHash('sha256').update([...running().replica.book.members()].map(({ record }) => signatureKey(record.signature)).sort().join()).digest('hex')
}, async () => { await node?.stop() })
