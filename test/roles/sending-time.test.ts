import t from 'tap'
import { createSendingTime } from '../../src/roles/sending-time.ts'

const LONG = { epochStart: 0, commitDeadline: 4000 }
const SHORT = { epochStart: 0, commitDeadline: 800 }

t.test('before anything was measured a tenth of the phase is kept for what follows the answer, and 300 ms or a quarter for the way', async (t) => {
  const time = createSendingTime()
  t.equal(time.answerBy(LONG), 4000 - 300 - 400)
  t.equal(time.answerBy(SHORT), 800 - 200 - 80)
})

t.test('the slowest of the last eight epochs counts: how late the answer was, and what came after it', async (t) => {
  const time = createSendingTime()
  time.note({ answerBy: 3300, answeredMs: 3350, saidMs: 3370 })
  t.equal(time.answerBy(LONG), 3700 - 70)
  time.note({ answerBy: 3300, answeredMs: 3000, saidMs: 3010 })
  t.equal(time.answerBy(LONG), 3700 - 70, 'an early answer only costs what comes after it')
  for (let epoch = 0; epoch < 7; epoch++) time.note({ answerBy: 3300, answeredMs: 3300, saidMs: 3310 })
  t.equal(time.answerBy(LONG), 3700 - 10, 'the slow epoch is forgotten')
})

t.test('an engine keeps its share of the phase, however slow the rest was', async (t) => {
  const time = createSendingTime()
  time.note({ answerBy: 600, answeredMs: 2600, saidMs: 2700 })
  t.equal(time.answerBy(SHORT), 800 - 200 - 320)
})
