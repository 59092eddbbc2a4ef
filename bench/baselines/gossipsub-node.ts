import { gossipsub } from '@chainsafe/libp2p-gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { gossipOptions } from '../../src/mesh/gossip.ts'
import { INBOUND_CONNECTIONS_PER_SECOND, MAX_PENDING_INBOUND_CONNECTIONS } from '../../src/mesh/options.ts'
import { encodeBatch } from '../../src/wire/record-batch.ts'
import { DOMAIN } from '../../test/support/records.ts'
import { cpuMs, serveCommands } from '../commands.ts'
import { CONNECT_TIMEOUT_MS, meshPeers } from '../real-node.ts'
import { createSendings, recordKey, type Sending } from '../sendings.ts'

/** Baseline of `gossip.ts`: gossipsub with our settings on libp2p, the same bytes, and nothing of ours that reads them. */
const TOPIC = '/bench/bare/1'

const create = async (): Promise<Libp2p<{ gossip: ReturnType<ReturnType<typeof gossipsub>>, identify: ReturnType<ReturnType<typeof identify>> }>> => await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionManager: { inboundConnectionThreshold: INBOUND_CONNECTIONS_PER_SECOND, maxIncomingPendingConnections: MAX_PENDING_INBOUND_CONNECTIONS },
  // It passes on at once whatever comes, and tells ids as gossipsub does: those of three heartbeats.
  services: { identify: identify(), gossip: gossipsub({ ...gossipOptions([TOPIC], { appScore: () => 0, isRelay: () => false }), asyncValidation: false, mcacheGossip: 3, mcacheLength: 5 }) }
})

const libp2p = await create()
const { gossip } = libp2p.services
const sendings = createSendings((bytes) => {
  const message = encodeBatch(DOMAIN, [bytes])
  return async () => {
    sendings.leaves(recordKey(bytes))
    await gossip.publish(TOPIC, message)
  }
})
gossip.addEventListener('message', ({ detail }) => { sendings.arrived(recordKey(detail.data)) })
gossip.subscribe(TOPIC)

serveCommands({
  start: () => String(libp2p.getMultiaddrs()[0]),
  connect: async (addresses: string[]) => { for (const address of addresses) await libp2p.dial(multiaddr(address), { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) }) },
  meshPeers: () => meshPeers(gossip, TOPIC),
  cpuMs,
  run: async (list: Sending[]) => { await sendings.run(list) },
  take: () => sendings.take()
}, async () => { await libp2p.stop() })
