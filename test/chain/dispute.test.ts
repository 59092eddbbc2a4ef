import t from 'tap'
import type { ChainEvent } from '../../src/chain/chain.ts'
import { disputeAfter, type Dispute } from '../../src/chain/dispute.ts'

const event = (name: string, args: Record<string, unknown>): ChainEvent => ({ name, args }) as unknown as ChainEvent
const drawn = (mediator: string): ChainEvent => event('MediatorDrawn', { mediator, saltProvider: '0xb' })
const challenged = event('Challenged', { manifest: '0x1', saltCreator: '0xa' })
const after = (...events: ChainEvent[]): Dispute | undefined => events.reduce(disputeAfter, undefined as Dispute | undefined)

t.test('who replaces a silent mediator has its seat, and the replaced one stands behind', (t) => {
  const replaced = [challenged, drawn('0xd1'), drawn('0xd2'), drawn('0xd3'), event('MediatorReplaced', { mediator: '0xd2', seat: 1 }), drawn('0xd4')]
  t.same(after(...replaced)?.mediators, ['0xd1', '0xd4', '0xd3', '0xd2'])
  t.same(after(...replaced, ...replaced.slice(1, 4)), after(...replaced), 'events that come again change nothing')
  t.equal(after(...replaced)?.providerSalt, '0xb')
  t.same(after(challenged, drawn('0x0000000000000000000000000000000000000000'))?.mediators, [], 'nobody was drawn')
  t.end()
})

t.test('a ruling keeps its terms, an appeal adds who appealed and the judge\'s time', (t) => {
  const ruled = event('Ruled', { outcome: 2, each: 5, paid: ['0xd1'], appealBy: 10 })
  t.same(after(challenged, drawn('0xd1'), ruled)?.ruling, { outcome: 2, each: 5, paid: ['0xd1'], until: 10 })
  t.same(after(challenged, drawn('0xd1'), ruled, event('Appealed', { appellant: '0xc', judgeBy: 20 }))?.ruling, { outcome: 2, each: 5, paid: ['0xd1'], appellant: '0xc', until: 20 })
  t.equal(after(drawn('0xd1')), undefined, 'no challenge, no dispute')
  t.end()
})
t.end()
