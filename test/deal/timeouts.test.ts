import t from 'tap'
import { DEADLINE_SKEW_SECONDS, dueAction, submitDueAt, type Progress } from '../../src/deal/timeouts.ts'
import { REST } from './deals.ts'

const progress = (change: Partial<Progress>): Progress => ({ state: 'DealAgreed', openBy: 990, rest: REST, unbondSeconds: 1000, ...change })
/** The first second at which an action is due, or undefined within the range. */
const firstDue = (given: Progress, action: string, from = 900, to = 1200): number | undefined => {
  for (let now = from; now <= to; now++) if (dueAction(given, now) === action) return now
  return undefined
}

t.test('each deadline lets its action begin one second after it, as the contract does', (t) => {
  t.equal(firstDue(progress({ state: 'DealNegotiating' }), 'give-up-open'), 990 + DEADLINE_SKEW_SECONDS + 1)
  t.equal(firstDue(progress({}), 'refund'), 1000 + 20 + 10 + 1, 'no receipt: latest start, submit and judge windows')
  t.equal(firstDue(progress({ state: 'Running', startedAt: 995 }), 'timeout-submit'), 995 + 20 + 1)
  t.equal(firstDue(progress({ state: 'ResultsSubmitted', startedAt: 995, submittedAt: 1010 }), 'finalize'), 1010 + 10 + 1)
  t.equal(firstDue(progress({ state: 'ResultsChallenged', startedAt: 995, submittedAt: 1010, challengedAt: 1015 }), 'timeout-reveal'), 1015 + 8 + 1)
  t.equal(firstDue(progress({ state: 'ResultsChallenged', challengedAt: 1015, revealedAt: 1020 }), 'timeout-verdict'), 1020 + 8 + 1)
  t.equal(firstDue(progress({ state: 'ResultsChallenged', challengedAt: 1015, revealedAt: 1020, ruledUntil: 1060 }), 'conclude'), 1060 + 1)
  t.end()
})

t.test('a dispute step never outlasts half the unbonding time', (t) => {
  t.equal(firstDue(progress({ state: 'ResultsChallenged', challengedAt: 1015, unbondSeconds: 6 }), 'timeout-reveal'), 1015 + 3 + 1)
  t.end()
})

t.test('a submitted result is finalised, not slashed, however late', (t) => {
  t.equal(dueAction(progress({ state: 'ResultsSubmitted', startedAt: 995, submittedAt: 1010 }), 5000), 'finalize')
  t.end()
})

t.test('a provider submits before its deadline with time for inclusion', (t) => {
  const due = submitDueAt(REST, 1000)
  t.ok(due < 1000 + REST.submitSeconds - 2 * DEADLINE_SKEW_SECONDS + 1)
  t.ok(due > 1000)
  t.end()
})
