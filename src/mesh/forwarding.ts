import type { GossipSub, GossipsubMessage } from '@chainsafe/libp2p-gossipsub'
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import { createAnnouncing } from './announcing.ts'
import { afterCalm } from './calm.ts'
import { FORWARD_SPREAD_MS, MAX_GOSSIP_BYTES, MAX_IDS_PER_TOPIC, MAX_PACKET_MESSAGES } from './options.ts'
import { gatherPackets } from './packets.ts'
import { createPause } from './pause.ts'

/** Gossipsub's public type leaves these out. A message's `originatingPeers` are those that sent it after the first. */
interface Internals {
  reportMessageValidationResult: (msgId: string, source: string, verdict: 'accept') => void
  mcache: { msgs: Map<string, { originatingPeers: Set<string> }> }
}

interface Waiting { message: GossipsubMessage, isUrgent: boolean }

/** Accepted messages on their way to the peers of the mesh. */
export interface Forwarding {
  /** `isUrgent`: it waits no longer than the shortest pause, and what waits goes with it. Others wait longer while this node is behind (`calm.ts`). */
  add: (message: GossipsubMessage, isUrgent: boolean) => void
  /** Forgets what waits. */
  stop: () => void
}

/**
 * Gossipsub forwards what is accepted to all of the mesh but those from whom it came, and those who sent it while it was judged. A
 * node therefore tells a moment later, drawn anew each time: of two neighbours that got a message from a third one is first, and the
 * other need not send it back. All that is accepted meanwhile goes with it, in one packet for each neighbour.
 */
export function createForwarding (components: { clock: Clock, random: Random, pubsub: GossipSub }): Forwarding {
  const { clock, random } = components
  const { mcache } = components.pubsub as unknown as Internals
  const pubsub = components.pubsub as GossipSub & Pick<Internals, 'reportMessageValidationResult'>
  const gather = gatherPackets(pubsub)
  const announce = createAnnouncing(pubsub)
  const pause = createPause(clock)
  let waiting: Waiting[] = []
  let bytes = 0
  let timer: { isUrgent: boolean, cancel: () => void } | undefined

  /** Whether neighbours most likely have what is new to us, or hear of it from others as soon. */
  const isShared = (): boolean => pause.spreadMs() > FORWARD_SPREAD_MS
  const isFull = (): boolean => isShared() ? waiting.length >= MAX_IDS_PER_TOPIC : waiting.length >= MAX_PACKET_MESSAGES || bytes >= MAX_GOSSIP_BYTES
  const take = (): Waiting[] => {
    const all = waiting
    waiting = []
    bytes = 0
    timer?.cancel()
    timer = undefined
    return all
  }
  const pass = (): void => {
    const isCopied = isShared() ? ({ isUrgent }: Waiting) => isUrgent : () => true
    const all = take()
    for (const { message: { msgId } } of all) pause.passed(1 + (mcache.msgs.get(msgId)?.originatingPeers.size ?? 0))
    gather(() => { for (const { message: { msgId, propagationSource } } of all.filter(isCopied)) pubsub.reportMessageValidationResult(msgId, propagationSource.toString(), 'accept') })
    announce(all.filter((waits) => !isCopied(waits)).map(({ message }) => message))
  }
  return {
    add: (message, isUrgent) => {
      waiting.push({ message, isUrgent })
      bytes += message.msg.data.byteLength
      pause.accepted()
      if (isFull()) {
        pass()
        return
      }
      if (timer !== undefined && (timer.isUrgent || !isUrgent)) return
      timer?.cancel()
      const spreadMs = isUrgent ? FORWARD_SPREAD_MS : pause.spreadMs()
      // Where others are as quick, what is new to us goes before what they may have.
      const patienceMs = spreadMs > FORWARD_SPREAD_MS ? spreadMs : 0
      // What has come by then is read first: a busy node wakes up to both.
      timer = { isUrgent, cancel: afterCalm(components, { delayMs: random.below(spreadMs), patienceMs }, () => { setImmediate(pass) }) }
    },
    stop: () => { take() }
  }
}
