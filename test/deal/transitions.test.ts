import { readFileSync } from 'node:fs'
import t from 'tap'
import { DEAL_STATES, isTerminal, type DealState } from '../../src/deal/states.ts'
import { nextState, transition, type DealEvent } from '../../src/deal/transitions.ts'

interface Row { state: DealState, event: DealEvent, next: DealState }
const { rows } = { rows: JSON.parse(readFileSync('protocol/vectors/deal-states.json', 'utf8')) as Row[] | { rows: Row[] } }
const table = Array.isArray(rows) ? rows : rows.rows

t.test('every row of the vectors that drive the contract is a transition here', (t) => {
  t.ok(table.length > 15)
  for (const { state, event, next } of table) t.equal(nextState(state, event), next, `${state} + ${event}`)
  t.end()
})

t.test('a terminal state has no way out', (t) => {
  const events = [...new Set(table.map((row) => row.event))]
  for (const state of DEAL_STATES.filter(isTerminal)) for (const event of events) t.equal(nextState(state, event), undefined, `${state} + ${event}`)
  t.end()
})

t.test('every state that is not terminal can be ended by the chain alone', (t) => {
  for (const state of DEAL_STATES.filter((each) => !isTerminal(each))) t.equal(nextState(state, 'refunded'), 'Refunded', state)
  t.end()
})

t.test('an event that does not belong is refused with its names', (t) => {
  t.throws(() => transition('DealNegotiating', 'started'), { code: 'DEAL_WRONG_STATE', data: { state: 'DealNegotiating', event: 'started' } })
  t.end()
})
