import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import type { Random } from '../core/random.ts'
import { IDS_EVERY_HEARTBEATS, IDS_GOSSIP_FACTOR, IDS_PEERS, MAX_IDS_PER_PACKET, MAX_IDS_PER_TOPIC } from './options.ts'

/** Peers by topic that may be told ids: in the topic, not in its mesh. */
type Candidates = ReadonlyMap<string, ReadonlySet<string>>

/** Gossipsub's public type leaves these out. */
interface Emitter {
  heartbeatTicks: number
  emitGossip: (candidates: Candidates) => void
  pushGossip: (peer: string, ihave: { topicID: string, messageIDs: Uint8Array[] }) => void
  mcache: { getGossipIDs: (topics: ReadonlySet<string>) => ReadonlyMap<string, Uint8Array[]> }
}

/**
 * Gossipsub tells the ids of the last messages each heartbeat, those of each topic to other peers (IHAVE). A packet wakes its receiver
 * whatever is in it: here all topics' ids go to the same few peers, drawn anew each time, and only every few heartbeats.
 */
export function gossipIds (pubsub: GossipSub, random: Random): void {
  const emitter = pubsub as unknown as Emitter
  emitter.emitGossip = (candidates) => {
    if (emitter.heartbeatTicks % IDS_EVERY_HEARTBEATS !== 0) return
    const ids = emitter.mcache.getGossipIDs(new Set(candidates.keys()))
    const order = drawn([...new Set([...candidates.values()].flatMap((peers) => [...peers]))], Infinity, random)
    const most = Math.min(MAX_IDS_PER_TOPIC, Math.floor(MAX_IDS_PER_PACKET / ids.size))
    for (const [topicID, all] of ids) {
      const peers = candidates.get(topicID) ?? new Set()
      const told = order.filter((peer) => peers.has(peer)).slice(0, Math.max(IDS_PEERS, Math.ceil(IDS_GOSSIP_FACTOR * peers.size)))
      for (const peer of told) emitter.pushGossip(peer, { topicID, messageIDs: all.length <= most ? all : drawn(all, most, random) })
    }
  }
}

/** So many of `from`, each as likely as the others, in a drawn order (Fisher and Yates). */
function drawn<T> (from: readonly T[], count: number, random: Random): T[] {
  const all = [...from]
  const length = Math.min(count, all.length)
  for (let at = 0; at < length; at++) {
    const other = at + random.below(all.length - at)
    ;[all[at], all[other]] = [all[other] as T, all[at] as T]
  }
  return all.slice(0, length)
}
