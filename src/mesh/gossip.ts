import { hash } from 'node:crypto'
import type { GossipsubOpts } from '@chainsafe/libp2p-gossipsub'
import type { TopicScoreParams } from '@chainsafe/libp2p-gossipsub/score'
import { SharedAddresses } from './addresses.ts'
import { nameOf } from './announcing.ts'
import { ASKED_TIMEOUT_MS, IDONTWANT_MIN_BYTES, IDS_GOSSIP_FACTOR, IDS_HEARTBEATS, IDS_PEERS, MAX_ANNOUNCED_IDS, MAX_GOSSIP_OUTBOUND_BYTES, MAX_GOSSIP_PACKET_BYTES, MAX_IDS_PER_TOPIC, MESSAGE_HEARTBEATS, SCORE_THRESHOLDS } from './options.ts'

/** Lotus: one second, with which a node wakes up once more in each. */
const DECAY_INTERVAL_MS = 10_000
const DECAY_TO_ZERO = 0.01
const HOUR_MS = 3_600_000

/** The factor per interval that takes a counter to zero in `durationMs`, as in go-libp2p's ScoreParameterDecay. */
function decayOver (durationMs: number): number {
  return DECAY_TO_ZERO ** (DECAY_INTERVAL_MS / durationMs)
}

/** What gossipsub counts for a topic that a peer is in: 1024 and its name. */
const TOPIC_BYTES = 1100
/** What two topics can earn: following many shards is no credit to live on. */
const TOPIC_SCORE_CAP = 10

/** Lotus' topic weights; the mesh-delivery penalties (P3, P3b) stay off below some 500 nodes, where they cut honest ones. */
const TOPIC_SCORE: TopicScoreParams = {
  topicWeight: 0.1,
  timeInMeshWeight: 0.00027,
  timeInMeshQuantum: 1000,
  timeInMeshCap: 1,
  firstMessageDeliveriesWeight: 0.5,
  firstMessageDeliveriesDecay: decayOver(10 * 60_000),
  firstMessageDeliveriesCap: 100,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: decayOver(HOUR_MS),
  meshMessageDeliveriesCap: 1,
  meshMessageDeliveriesThreshold: 1,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 60_000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: decayOver(HOUR_MS),
  // Squared, times topicWeight, added over topics: 5 invalid messages within the hour reach the graylist threshold of -2500, 25 when they are spread over as many topics.
  invalidMessageDeliveriesWeight: -1000,
  invalidMessageDeliveriesDecay: decayOver(HOUR_MS)
}

/**
 * The id of a message: sha256 over topic and data. The topic is part of it, since else anyone could send the bytes of a
 * record on another topic first and have the genuine one dropped as already seen.
 */
export function messageId (topic: string, data: Uint8Array): Uint8Array {
  const bytes = Buffer.byteLength(topic) + 1 + data.byteLength
  const hashed = bytes <= hashing.byteLength ? hashing : Buffer.allocUnsafe(bytes)
  const at = hashed.write(`${topic}\0`)
  hashed.set(data, at)
  return new Uint8Array(hash('sha256', hashed.subarray(0, bytes), 'buffer'))
}

/** What an id is the hash of: every copy of a message that comes takes one, and memory anew for each is dear. */
const hashing = Buffer.allocUnsafeSlow(16 * 1024)

/** Gossipsub's settings (protocol/topics.md). `appScore` adds what requests and other protocols hold against a peer; `isRelay` knows the addresses of relays in use. */
export function gossipOptions (topics: readonly string[], components: { appScore: (peer: string) => number, isRelay: (ip: string) => boolean }): Partial<GossipsubOpts> {
  return {
    globalSignaturePolicy: 'StrictNoSign',
    msgIdFn: (message) => messageId(message.topic, message.data),
    msgIdToStrFn: nameOf,
    allowedTopics: new Set(topics),
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    emitSelf: false,
    // `topics.ts` says what is passed on, and when.
    asyncValidation: true,
    // A packet is handled when all of its messages are (`direct-reading.ts`).
    awaitRpcMessageHandler: true,
    fallbackToFloodsub: false,
    floodPublish: true,
    // Encoded once for all peers.
    batchPublish: true,
    doPX: false,
    runOnLimitedConnection: true,
    D: 6,
    Dlo: 5,
    Dhi: 9,
    Dout: 2,
    heartbeatInterval: 1000,
    // `id-gossip.ts` says to whom ids are told, and how often.
    Dlazy: IDS_PEERS,
    gossipFactor: IDS_GOSSIP_FACTOR,
    mcacheGossip: IDS_HEARTBEATS,
    mcacheLength: MESSAGE_HEARTBEATS,
    gossipsubIWantFollowupMs: ASKED_TIMEOUT_MS,
    idontwantMinDataSize: IDONTWANT_MIN_BYTES,
    maxInboundDataLength: MAX_GOSSIP_PACKET_BYTES,
    maxOutboundBufferSize: MAX_GOSSIP_OUTBOUND_BYTES,
    // A peer may be in every topic that we are in: a flood of subscriptions fills no memory.
    maxTopicBytesPerPeer: topics.length * TOPIC_BYTES,
    // A node that follows every shard names 130 topics at once.
    decodeRpcLimits: { maxSubscriptions: 256, maxMessages: 256, maxIhaveMessageIDs: MAX_IDS_PER_TOPIC, maxIwantMessageIDs: MAX_ANNOUNCED_IDS, maxControlMessages: 512, maxIdontwantMessageIDs: 512, maxPeerInfos: 16 },
    scoreThresholds: SCORE_THRESHOLDS,
    scoreParams: {
      topics: Object.fromEntries(topics.map((topic) => [topic, TOPIC_SCORE])),
      topicScoreCap: TOPIC_SCORE_CAP,
      appSpecificScore: components.appScore,
      appSpecificWeight: 1,
      IPColocationFactorWeight: -100,
      IPColocationFactorThreshold: 5,
      IPColocationFactorWhitelist: new SharedAddresses(components.isRelay),
      behaviourPenaltyWeight: -10,
      behaviourPenaltyThreshold: 6,
      behaviourPenaltyDecay: decayOver(HOUR_MS),
      decayInterval: DECAY_INTERVAL_MS,
      decayToZero: DECAY_TO_ZERO,
      retainScore: 6 * HOUR_MS
    }
  }
}
