import type { GossipSub, GossipsubMessage, SubscriptionChangeData } from '@chainsafe/libp2p-gossipsub'
import type { Stream } from '@libp2p/interface'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { errorMessage } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import { readDirectly } from './direct-reading.ts'
import { MeshError } from './errors.ts'
import { createForwarding, type Forwarding } from './forwarding.ts'
import { gossipIds } from './id-gossip.ts'
import { MAX_GOSSIP_BYTES, MAX_GOSSIP_OUTBOUND_BYTES, MAX_PENDING_VALIDATIONS, PENALTY_RATE, SUBSCRIPTION_PACKETS_BURST, SUBSCRIPTION_PACKETS_PER_SECOND } from './options.ts'
import { createRateLimit } from './rate.ts'

/** What becomes of a gossiped message. `reject` lowers the sender's score, `ignore` does not; only `accept` passes it on. */
export type Validation = 'accept' | 'ignore' | 'reject'

/** Gossipsub's public type leaves it out. */
interface Reports { reportMessageValidationResult: (msgId: string, source: string, verdict: Validation) => void }

/** How one topic is read. `from` is the peer that passed the message to us, not its author. */
export interface Subscription {
  maxBytes: number
  /** What is accepted is worth little a moment later: it is passed on after the shortest pause. */
  isUrgent?: boolean
  validate: (data: Uint8Array, from: string) => Validation | Promise<Validation>
}

/** Gossip. Own messages are not delivered back; a message is validated once, whoever sends it again. */
export interface Topics {
  /** Resolves when handed to the connected peers, also when there are none. MeshError MESH_TOPIC_UNKNOWN, MESH_MESSAGE_TOO_LARGE, MESH_STOPPED. */
  publish: (topic: string, data: Uint8Array) => Promise<void>
  /** False while a peer has yet to take half of what may wait for it: what is sent on top may cost us the stream to it. */
  hasRoom: () => boolean
  /** Connected peers that are in a topic of ours. */
  readers: (topic: string) => string[]
  /** Joins a topic; the returned function leaves it. May be called before the mesh starts. MeshError MESH_TOPIC_UNKNOWN, MESH_TOPIC_TAKEN. */
  subscribe: (topic: string, options: Subscription) => () => void
}

export function createTopics (components: { logger: Logger, clock: Clock, random: Random, isWelcome: (peer: string) => boolean, isGraylisted: (peer: string) => boolean, penalise: (peer: string, points: number, reason: string) => void }, options: { topics: readonly string[] }): Topics & { attach: (pubsub: GossipSub) => void, detach: () => void } {
  const subscriptions = new Map<string, Subscription>()
  const subscriptionRate = createRateLimit(components.clock, SUBSCRIPTION_PACKETS_PER_SECOND, SUBSCRIPTION_PACKETS_BURST)
  let pubsub: GossipSub | undefined
  let pending = 0
  let forwarding: Forwarding | undefined

  const assertKnown = (topic: string): void => {
    if (!options.topics.includes(topic)) throw new MeshError('MESH_TOPIC_UNKNOWN', `topic ${topic} is not one this node was set up with`, { data: { topic, topics: options.topics } })
  }
  const judge = async (subscription: Subscription, topic: string, data: Uint8Array, from: string): Promise<Validation> => {
    // A burst arrives faster than connections are cut.
    if (components.isGraylisted(from)) return 'ignore'
    if (data.byteLength > subscription.maxBytes) return 'reject'
    if (pending >= MAX_PENDING_VALIDATIONS) return 'ignore'
    pending++
    try {
      return await subscription.validate(data, from)
    } catch (error) {
      // A validator that throws is a fault of ours, so the sender pays nothing for it.
      components.logger.warn('validator failed', { topic, from, error: errorMessage(error) })
      return 'ignore'
    } finally {
      pending--
    }
  }
  const report = ({ msgId, propagationSource }: GossipsubMessage, verdict: Validation): void => {
    (pubsub as (GossipSub & Reports) | undefined)?.reportMessageValidationResult(msgId, propagationSource.toString(), verdict)
  }
  const settle = (message: GossipsubMessage, verdict: Validation): void => {
    if (verdict === 'accept') forwarding?.add(message, subscriptions.get(message.msg.topic)?.isUrgent === true)
    else report(message, verdict)
    if (verdict === 'reject') components.isWelcome(message.propagationSource.toString())
  }
  const onMessage = ({ detail }: CustomEvent<GossipsubMessage>): void => {
    const { msg: { topic, data }, propagationSource } = detail
    const subscription = subscriptions.get(topic)
    if (subscription === undefined) settle(detail, 'ignore')
    else void judge(subscription, topic, data, propagationSource.toString()).then((verdict) => { settle(detail, verdict) })
  }
  /** Gossipsub bounds what a peer's subscriptions take in memory; what they take in time is counted here, whatever the topics. */
  const onSubscriptions = ({ detail: { peerId } }: CustomEvent<SubscriptionChangeData>): void => {
    const from = peerId.toString()
    if (!subscriptionRate.take(from)) components.penalise(from, PENALTY_RATE, 'too many subscriptions')
  }
  return {
    publish: async (topic, data) => {
      assertKnown(topic)
      if (data.byteLength > MAX_GOSSIP_BYTES) throw new MeshError('MESH_MESSAGE_TOO_LARGE', `message of ${data.byteLength} bytes, limit ${MAX_GOSSIP_BYTES}`, { data: { topic, bytes: data.byteLength } })
      if (pubsub === undefined) throw new MeshError('MESH_STOPPED', 'the mesh is not running')
      await pubsub.publish(topic, data)
    },
    hasRoom: () => {
      const { streamsOutbound } = (pubsub ?? { streamsOutbound: [] }) as unknown as { streamsOutbound: Map<string, { rawStream: Stream }> }
      for (const [, { rawStream }] of streamsOutbound) if (rawStream.writeBufferLength > MAX_GOSSIP_OUTBOUND_BYTES / 2) return false
      return true
    },
    readers: (topic) => pubsub?.getSubscribers(topic).map(String) ?? [],
    subscribe: (topic, subscription) => {
      assertKnown(topic)
      if (subscriptions.has(topic)) throw new MeshError('MESH_TOPIC_TAKEN', `topic ${topic} already has a reader`, { data: { topic } })
      subscriptions.set(topic, subscription)
      pubsub?.subscribe(topic)
      return () => {
        if (subscriptions.get(topic) !== subscription) return
        subscriptions.delete(topic)
        pubsub?.unsubscribe(topic)
      }
    },
    attach: (started) => {
      pubsub = started
      forwarding = createForwarding({ clock: components.clock, random: components.random, pubsub: started })
      gossipIds(started, components.random)
      readDirectly(started)
      started.addEventListener('subscription-change', onSubscriptions)
      started.addEventListener('gossipsub:message', onMessage)
      for (const topic of subscriptions.keys()) started.subscribe(topic)
    },
    detach: () => {
      pubsub?.removeEventListener('subscription-change', onSubscriptions)
      pubsub?.removeEventListener('gossipsub:message', onMessage)
      pubsub = undefined
      forwarding?.stop()
      forwarding = undefined
    }
  }
}
