import type { GossipSub, GossipsubMessage } from '@chainsafe/libp2p-gossipsub'
import { MAX_ANNOUNCED_IDS, MAX_ANNOUNCEMENTS, SCORE_THRESHOLDS } from './options.ts'

/** What one peer says that it has (gossipsub's IHAVE). */
interface Announcement { topicID: string, messageIDs: Uint8Array[] }

/** Of gossipsub 17.1.1, what its public type leaves out. */
interface Internals {
  mesh: Map<string, Set<string>>
  mcache: {
    validate: (msgId: string) => { originatingPeers: Set<string> } | null
    observeDuplicate: (msgId: string, peer: string) => void
  }
  /** IHAVE packets of each peer since the last heartbeat. */
  peerhave: Map<string, number>
  score: { score: (peer: string) => number, deliverMessage: (from: string, msgId: string, topic: string) => void }
  handleIHave: (peer: string, announcements: readonly Announcement[]) => unknown
  pushGossip: (peer: string, announcement: Announcement) => void
  flush: () => void
}

/**
 * Tells the mesh which messages were accepted, for those to ask that lack one (IHAVE, IWANT): a node that has them all looks at 32 bytes
 * for each, and not at a copy. A peer that says so to us counts as one that has sent it.
 */
export function createAnnouncing (pubsub: GossipSub): (messages: readonly GossipsubMessage[]) => void {
  const internals = pubsub as unknown as Internals
  const { mcache, score } = internals
  const handleIHave = internals.handleIHave.bind(pubsub)

  const observe = (peer: string, announcements: readonly Announcement[]): void => {
    let left = MAX_ANNOUNCED_IDS
    for (const { messageIDs } of announcements) {
      for (const id of messageIDs.slice(0, left)) mcache.observeDuplicate(nameOf(id), peer)
      left = Math.max(0, left - messageIDs.length)
    }
  }
  internals.handleIHave = (peer, announcements) => {
    // No more is looked at than gossipsub itself looks at, and no peer to whom it does not listen.
    if ((internals.peerhave.get(peer) ?? 0) < MAX_ANNOUNCEMENTS && score.score(peer) >= SCORE_THRESHOLDS.gossipThreshold) observe(peer, announcements)
    return handleIHave(peer, announcements)
  }
  return (messages) => {
    for (const [topicID, all] of Map.groupBy(messages, ({ msg }) => msg.topic)) {
      const lacking = new Map([...internals.mesh.get(topicID) ?? []].map((peer): [string, Uint8Array[]] => [peer, []]))
      for (const { msgId, propagationSource } of all) {
        const source = propagationSource.toString()
        const kept = mcache.validate(msgId)
        // So late that gossipsub has let go of it.
        if (kept === null) continue
        score.deliverMessage(source, msgId, topicID)
        for (const [peer, ids] of lacking) if (peer !== source && !kept.originatingPeers.has(peer)) ids.push(Buffer.from(msgId, 'latin1'))
      }
      for (const [peer, messageIDs] of lacking) if (messageIDs.length > 0) internals.pushGossip(peer, { topicID, messageIDs })
    }
    internals.flush()
  }
}

/** The name of an id in gossipsub's tables, several look-ups for each message that comes: a character for a byte is the cheapest. */
export function nameOf (id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1')
}
