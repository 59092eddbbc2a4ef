import { decodeRecord } from '../src/wire/record.ts'
import { decodeBatch } from '../src/wire/record-batch.ts'
import { DOMAIN } from '../test/support/records.ts'
import { cpuMs, serveCommands } from './commands.ts'
import { connectTo, meshPeers, startRealNode, TOPIC, type RealNode } from './real-node.ts'
import { createSendings, recordKey, signatureKey, type Sending } from './sendings.ts'

/** One real node of `gossip.ts`: a record counts as sent when it is given to the book to publish, and as arrived when the book shows it. */
let node: RealNode | undefined
const running = (): RealNode => {
  if (node === undefined) throw new Error('not started')
  return node
}
const sendings = createSendings((bytes) => {
  const record = decodeRecord(DOMAIN, bytes)
  return async () => { await running().replica.publish(record) }
})

serveCommands({
  start: async (folder: string) => {
    node = await startRealNode(folder)
    node.replica.book.onChange(({ type, entry }) => { if (type === 'added') sendings.arrived(signatureKey(entry.record.signature)) })
    const { topics } = node.mesh
    const publish = topics.publish
    topics.publish = async (topic, data) => {
      for (const bytes of decodeBatch(DOMAIN, data)) sendings.leaves(recordKey(bytes))
      await publish(topic, data)
    }
    return node.mesh.addresses()[0]
  },
  connect: async (addresses: string[]) => { await connectTo(running().mesh, addresses) },
  meshPeers: () => meshPeers(running().mesh.libp2p.services['gossip'], TOPIC),
  cpuMs,
  run: async (list: Sending[]) => { await sendings.run(list) },
  take: () => sendings.take()
}, async () => { await node?.stop() })
