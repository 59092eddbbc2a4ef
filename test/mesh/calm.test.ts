import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSeededRandom } from '../../src/core/random.ts'
import { afterCalm } from '../../src/mesh/calm.ts'
import { AGAIN_MS, LATE_MS } from '../../src/mesh/options.ts'
import { lateClock } from './late-clock.ts'

function start (options: { delayMs: number, patienceMs: number }) {
  const clock = lateClock()
  const ran: number[] = []
  const cancel = afterCalm({ clock, random: createSeededRandom(1) }, options, () => { ran.push(clock.now()) })
  return { clock, ran, cancel }
}

test('a timer that fires in time does its task at once', () => {
  const { clock, ran } = start({ delayMs: 300, patienceMs: 1_000 })
  clock.fire(LATE_MS - 1)
  assert.deepEqual(ran, [1_300 + LATE_MS - 1])
  assert.equal(clock.isArmed(), false)
})

test('one that fires late waits again, until one fires in time', () => {
  const { clock, ran } = start({ delayMs: 300, patienceMs: 1_000 })
  clock.fire(LATE_MS)
  for (const lateMs of [LATE_MS, 40]) {
    const waitedMs = clock.fire(lateMs)
    assert.ok(waitedMs >= AGAIN_MS && waitedMs < 2 * AGAIN_MS, `${waitedMs} ms`)
    assert.deepEqual(ran, [])
  }
  clock.fire(0)
  assert.equal(ran.length, 1)
})

test('a process that is always behind does its task when its patience ends', () => {
  const { clock, ran } = start({ delayMs: 300, patienceMs: 1_000 })
  while (ran.length === 0) clock.fire(LATE_MS)
  assert.ok(clock.now() >= 1_000 + 300 + 1_000 && clock.now() <= 1_000 + 300 + 1_000 + LATE_MS, String(clock.now()))
})

test('without patience a late timer does its task', () => {
  const { clock, ran } = start({ delayMs: 20, patienceMs: 0 })
  clock.fire(500)
  assert.equal(ran.length, 1)
})

test('what is cancelled while it waits again is not done', () => {
  const { clock, ran, cancel } = start({ delayMs: 300, patienceMs: 1_000 })
  clock.fire(50)
  cancel()
  assert.equal(clock.isArmed(), false)
  assert.deepEqual(ran, [])
})
