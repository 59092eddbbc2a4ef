import t from 'tap'
import { createManualClock } from '../../src/core/clock.ts'
import { createPause, type Pause } from '../../src/mesh/pause.ts'

/** Messages for half a minute, each of which `copies` peers have sent when it is passed on. */
function run ({ perSecond, copies }: { perSecond: number, copies: number }): { pause: Pause, clock: ReturnType<typeof createManualClock> } {
  const clock = createManualClock()
  const pause = createPause(clock)
  for (let at = 0; at < 30 * perSecond; at++) {
    clock.advance(1000 / perSecond)
    pause.accepted()
    pause.passed(copies)
  }
  return { pause, clock }
}

t.test('a quiet node waits the shortest time, and so does one whose messages come one way, however many', async (t) => {
  t.equal(createPause(createManualClock()).spreadMs(), 40)
  t.equal(run({ perSecond: 1, copies: 5 }).pause.spreadMs(), 40)
  t.equal(run({ perSecond: 200, copies: 1 }).pause.spreadMs(), 40)
})

t.test('where messages come from several the pause grows with their rate, to a second', async (t) => {
  const { pause } = run({ perSecond: 10, copies: 3 })
  t.ok(Math.abs(pause.spreadMs() - 200) < 30, String(pause.spreadMs()))
  t.equal(run({ perSecond: 100, copies: 3 }).pause.spreadMs(), 1000)
})

t.test('the pause is short again when the burst is over', async (t) => {
  const { pause, clock } = run({ perSecond: 50, copies: 3 })
  clock.advance(60_000)
  pause.accepted()
  t.equal(pause.spreadMs(), 40)
})

t.test('a clock that is set back does not count messages twice', async (t) => {
  const { pause, clock } = run({ perSecond: 10, copies: 3 })
  const before = pause.spreadMs()
  clock.advance(-3_600_000)
  pause.accepted()
  t.ok(pause.spreadMs() <= before + 10, String(pause.spreadMs()))
})
