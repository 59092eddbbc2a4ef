import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import { MAX_GOSSIP_BYTES, MAX_PACKET_MESSAGES } from './options.ts'

interface Message { readonly data?: Uint8Array }
interface Packet { readonly subscriptions: readonly unknown[], readonly messages: Message[], readonly control?: unknown }

/** Gossipsub's public type leaves it out. */
interface Sender { sendRpc: (peer: string, packet: Packet) => boolean }

/** What is under way to one peer. */
interface Gathered { messages: Message[], bytes: number }

/**
 * Gossipsub sends a packet for each message and peer. What is sent within `work` goes in one for each peer instead: a packet costs
 * its encryption, frame and system call whatever is in it.
 */
export function gatherPackets (pubsub: GossipSub): (work: () => void) => void {
  const sender = pubsub as unknown as Sender
  const send = sender.sendRpc.bind(pubsub)
  let gathered: Map<string, Gathered> | undefined

  sender.sendRpc = (peer, packet) => {
    if (gathered === undefined || packet.control !== undefined || packet.subscriptions.length > 0) return send(peer, packet)
    let to = gathered.get(peer)
    const bytes = packet.messages.reduce((sum, { data }) => sum + (data?.byteLength ?? 0), 0)
    if (to !== undefined && (to.bytes + bytes > MAX_GOSSIP_BYTES || to.messages.length >= MAX_PACKET_MESSAGES)) {
      send(peer, { subscriptions: [], messages: to.messages })
      to = undefined
    }
    if (to === undefined) gathered.set(peer, to = { messages: [], bytes: 0 })
    to.messages.push(...packet.messages)
    to.bytes += bytes
    return true
  }
  return (work) => {
    const packets = gathered = new Map<string, Gathered>()
    try {
      work()
    } finally {
      gathered = undefined
      for (const [peer, { messages }] of packets) send(peer, { subscriptions: [], messages })
    }
  }
}
