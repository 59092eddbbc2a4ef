import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import { MAX_GOSSIP_BYTES, MAX_PACKET_MESSAGES } from './options.ts'

interface Message { readonly data?: Uint8Array }
interface Packet { readonly subscriptions: readonly unknown[], readonly messages: readonly Message[], readonly control?: unknown }

/** Gossipsub's public type leaves it out. */
interface Sender { sendRpc: (peer: string, packet: Packet) => boolean }

/**
 * Gossipsub sends a packet for each message and peer. What is sent within `work` goes in one for each peer instead: a packet costs
 * its encryption, frame and system call whatever is in it. A packet that others would find too large (who asks for many messages at
 * once gets them in one) goes in several.
 */
export function gatherPackets (pubsub: GossipSub): (work: () => void) => void {
  const sender = pubsub as unknown as Sender
  const send = sender.sendRpc.bind(pubsub)
  let gathered: Map<string, Message[]> | undefined

  const sendInParts = (peer: string, packet: Packet): boolean => {
    const [last, ...before] = parts(packet.messages).reverse()
    for (const messages of before.reverse()) send(peer, { subscriptions: [], messages })
    return send(peer, before.length === 0 ? packet : { ...packet, messages: last ?? [] })
  }
  sender.sendRpc = (peer, packet) => {
    if (gathered === undefined || packet.control !== undefined || packet.subscriptions.length > 0) return sendInParts(peer, packet)
    const messages = gathered.get(peer)
    if (messages === undefined) gathered.set(peer, [...packet.messages])
    else messages.push(...packet.messages)
    return true
  }
  return (work) => {
    const packets = gathered = new Map<string, Message[]>()
    try {
      work()
    } finally {
      gathered = undefined
      for (const [peer, messages] of packets) sendInParts(peer, { subscriptions: [], messages })
    }
  }
}

/** In order, each with at most MAX_PACKET_MESSAGES messages and, but for a message larger than that, MAX_GOSSIP_BYTES. */
function parts (messages: readonly Message[]): Message[][] {
  const all: Message[][] = []
  let bytes = 0
  for (const message of messages) {
    const size = message.data?.byteLength ?? 0
    const part = all.at(-1)
    if (part === undefined || part.length >= MAX_PACKET_MESSAGES || bytes + size > MAX_GOSSIP_BYTES) {
      all.push([message])
      bytes = size
    } else {
      part.push(message)
      bytes += size
    }
  }
  return all
}
