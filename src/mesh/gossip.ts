import { createHash } from 'node:crypto'
import type { GossipsubOpts } from '@chainsafe/libp2p-gossipsub'
import type { TopicScoreParams } from '@chainsafe/libp2p-gossipsub/score'
import { SharedAddresses } from './addresses.ts'
import { IDONTWANT_MIN_BYTES, MAX_GOSSIP_OUTBOUND_BYTES, MAX_GOSSIP_PACKET_BYTES, SCORE_THRESHOLDS } from './options.ts'

const DECAY_INTERVAL_MS = 1000
const DECAY_TO_ZERO = 0.01
const HOUR_MS = 3_600_000

/** The factor per interval that takes a counter to zero in `durationMs`, as in go-libp2p's ScoreParameterDecay. */
function decayOver (durationMs: number): number {
  return DECAY_TO_ZERO ** (DECAY_INTERVAL_MS / durationMs)
}

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
  // Squared and times topicWeight: 5 invalid messages within the hour reach the graylist threshold of -2500.
  invalidMessageDeliveriesWeight: -1000,
  invalidMessageDeliveriesDecay: decayOver(HOUR_MS)
}

/**
 * The id of a message: sha256 over topic and data. The topic is part of it, since else anyone could send the bytes of a
 * record on another topic first and have the genuine one dropped as already seen.
 */
export function messageId (topic: string, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`${topic}\0`).update(data).digest())
}

/** Gossipsub's settings (protocol/topics.md). `appScore` adds what requests and other protocols hold against a peer; `isRelay` knows the addresses of relays in use. */
export function gossipOptions (topics: readonly string[], components: { appScore: (peer: string) => number, isRelay: (ip: string) => boolean }): Partial<GossipsubOpts> {
  return {
    globalSignaturePolicy: 'StrictNoSign',
    msgIdFn: (message) => messageId(message.topic, message.data),
    allowedTopics: new Set(topics),
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    emitSelf: false,
    fallbackToFloodsub: false,
    floodPublish: true,
    doPX: false,
    runOnLimitedConnection: true,
    D: 8,
    Dlo: 6,
    Dhi: 12,
    Dlazy: 12,
    Dout: 3,
    heartbeatInterval: 1000,
    gossipFactor: 0.25,
    idontwantMinDataSize: IDONTWANT_MIN_BYTES,
    maxInboundDataLength: MAX_GOSSIP_PACKET_BYTES,
    maxOutboundBufferSize: MAX_GOSSIP_OUTBOUND_BYTES,
    // A peer has two topics per chain; 64 leaves room for shards and keeps a subscription flood from filling memory.
    maxTopicBytesPerPeer: 64 * 1100,
    decodeRpcLimits: { maxSubscriptions: 128, maxMessages: 256, maxIhaveMessageIDs: 2000, maxIwantMessageIDs: 2000, maxControlMessages: 512, maxIdontwantMessageIDs: 512, maxPeerInfos: 16 },
    scoreThresholds: SCORE_THRESHOLDS,
    scoreParams: {
      topics: Object.fromEntries(topics.map((topic) => [topic, TOPIC_SCORE])),
      topicScoreCap: 0,
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
