import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import { createSeededRandom } from '../../src/core/random.ts'
import { gossipIds } from '../../src/mesh/id-gossip.ts'

interface Emitter { heartbeatTicks: number, emitGossip: (candidates: Map<string, Set<string>>) => void }

/** The ids of `count` messages in each of the topics; who is told what in a heartbeat. A gossipsub that remembers takes the real one's place. */
function start (topics: Record<string, number>) {
  const told: Array<{ peer: string, topicID: string, messageIDs: Uint8Array[] }> = []
  const ids = new Map(Object.entries(topics).map(([topic, count]) => [topic, Array.from({ length: count }, (_, at) => Uint8Array.of(at & 255, at >> 8))]))
  const pubsub = {
    heartbeatTicks: 0,
    mcache: { getGossipIDs: () => ids },
    pushGossip: (peer: string, ihave: { topicID: string, messageIDs: Uint8Array[] }) => { told.push({ peer, ...ihave }) }
  }
  gossipIds(pubsub as unknown as GossipSub, createSeededRandom(1))
  const emitter = pubsub as unknown as Emitter
  const beat = (candidates: Record<string, string[]>): typeof told => {
    told.length = 0
    emitter.heartbeatTicks++
    emitter.emitGossip(new Map(Object.entries(candidates).map(([topic, peers]) => [topic, new Set(peers)])))
    return [...told]
  }
  return { beat }
}

const peers = (count: number): string[] => Array.from({ length: count }, (_, at) => `peer ${at}`)

test('ids are told every third heartbeat, of all topics to the same three peers, drawn anew each time', () => {
  const { beat } = start({ a: 5, b: 7 })
  const rounds = Array.from({ length: 30 }, () => beat({ a: peers(10), b: peers(10) }))
  assert.deepEqual(rounds.map((told) => told.length > 0), rounds.map((_, at) => at % 3 === 2))
  const sets = rounds.filter((told) => told.length > 0).map((told) => {
    const [a, b] = ['a', 'b'].map((topic) => told.filter(({ topicID }) => topicID === topic))
    assert.deepEqual(a?.map(({ peer }) => peer), b?.map(({ peer }) => peer))
    assert.ok(a?.every(({ messageIDs }) => messageIDs.length === 5) === true && b?.every(({ messageIDs }) => messageIDs.length === 7) === true)
    assert.equal(a.length, 3)
    return a.map(({ peer }) => peer).sort().join()
  })
  assert.ok(new Set(sets).size > 5)
})

test('who may be told of one topic only is told of that one; of many peers a quarter is', () => {
  const { beat } = start({ a: 1, b: 1 })
  beat({})
  beat({})
  const told = beat({ a: ['x'], b: peers(100) })
  assert.deepEqual(told.filter(({ topicID }) => topicID === 'a').map(({ peer }) => peer), ['x'])
  assert.equal(told.filter(({ topicID }) => topicID === 'b').length, 25)
})

test('no packet has more ids than others take, of one topic or of all', () => {
  const ids = (topics: Record<string, number>): number[] => {
    const { beat } = start(topics)
    const candidates = Object.fromEntries(Object.keys(topics).map((topic) => [topic, ['x']]))
    beat(candidates)
    beat(candidates)
    return beat(candidates).map(({ messageIDs }) => new Set(messageIDs.map((id) => Buffer.from(id).toString('hex'))).size)
  }
  assert.deepEqual(ids({ a: 5_000 }), [2_000])
  const many = ids(Object.fromEntries(peers(130).map((topic) => [topic, 1_000])))
  assert.equal(many.length, 130)
  assert.ok(many.reduce((sum, count) => sum + count, 0) <= 16_384)
})
