import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GossipSub, GossipsubMessage } from '@chainsafe/libp2p-gossipsub'
import { createForwarding } from '../../src/mesh/forwarding.ts'
import { LATE_MS } from '../../src/mesh/options.ts'
import { lateClock } from './late-clock.ts'

/** Forwarding at a node whose timers are late, which hears each message from so many peers; a gossipsub that counts what is passed on takes the real one's place. */
function start (copies: number) {
  const clock = lateClock()
  const msgs = new Map<string, { originatingPeers: Set<string> }>()
  const passed: string[] = []
  const pubsub = { sendRpc: () => true, mcache: { msgs }, reportMessageValidationResult: (id: string) => { passed.push(id) } } as unknown as GossipSub
  const forwarding = createForwarding({ clock: { ...clock, wait: async () => undefined }, random: { bytes: (length) => new Uint8Array(length), below: (bound) => bound - 1 }, pubsub })
  let next = 0
  const add = (isUrgent = false): void => {
    const msgId = String(next++)
    msgs.set(msgId, { originatingPeers: new Set(Array.from({ length: copies - 1 }, (_, peer) => String(peer))) })
    forwarding.add({ msgId, propagationSource: 'peer', msg: { data: new Uint8Array(100) } } as unknown as GossipsubMessage, isUrgent)
  }
  const turn = async (): Promise<void> => { await new Promise((resolve) => { setImmediate(resolve) }) }
  /** Until the pause is as long as such messages make it. */
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 40; round++) {
      for (let message = 0; message < 10; message++) add()
      clock.fire(0)
      await turn()
    }
    passed.length = 0
  }
  return { clock, add, turn, settle, passed }
}

test('a node that is behind passes on later what comes from several neighbours', async () => {
  const { clock, add, turn, settle, passed } = start(3)
  await settle()
  add()
  clock.fire(LATE_MS)
  await turn()
  assert.deepEqual(passed, [])
  clock.fire(0)
  await turn()
  assert.equal(passed.length, 1)
})

test('what comes from one neighbour only is passed on though the timer is late', async () => {
  const { clock, add, turn, settle, passed } = start(1)
  await settle()
  add()
  clock.fire(LATE_MS)
  await turn()
  assert.equal(passed.length, 1)
})

test('what is urgent is passed on though the timer is late, and what waits goes with it', async () => {
  const { clock, add, turn, settle, passed } = start(3)
  await settle()
  add()
  add(true)
  clock.fire(LATE_MS)
  await turn()
  assert.equal(passed.length, 2)
})
