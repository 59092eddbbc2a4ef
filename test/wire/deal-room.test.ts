import t from 'tap'
import { decodeMessage, dealRequestShape, encodeMessage, MAX_DEAL_MESSAGE_BYTES, mediatorListShape } from '../../src/wire/deal-room.ts'
import type { Address } from '../../src/wire/shapes.ts'

const account = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const take = (mediators: Address[], weights: number[]): unknown => decodeMessage(mediatorListShape, encodeMessage({ mediators, weights }), 'mediators')

t.test('a mediator list is taken in the one order that the contracts read, with a weight for each', async (t) => {
  t.same(take([], []), { mediators: [], weights: [] })
  t.same(take([account(1), account(2)], [5, 7]), { mediators: [account(1), account(2)], weights: [5, 7] })
  const refused: ReadonlyArray<[string, Address[], number[]]> = [
    ['descending', [account(2), account(1)], [5, 7]], ['the same twice', [account(1), account(1)], [5, 7]], ['a weight too many', [account(1)], [5, 7]], ['a weight too few', [account(1), account(2)], [5]],
    ['more than 32', Array.from({ length: 33 }, (_, n) => account(n)), Array.from({ length: 33 }, () => 1)]
  ]
  for (const [what, mediators, weights] of refused) t.throws(() => take(mediators, weights), { code: 'WIRE_INVALID' }, what)
})

t.test('bytes in the place of a mediator list are refused like anything else that is no list', async (t) => {
  for (const mediators of [new Uint8Array(40), new Uint8Array(0), 'text', { length: 0 }]) {
    t.throws(() => decodeMessage(mediatorListShape, encodeMessage({ mediators, weights: [] }), 'mediators'), { code: 'WIRE_INVALID' })
    t.throws(() => decodeMessage(mediatorListShape, encodeMessage({ mediators: [], weights: mediators }), 'mediators'), { code: 'WIRE_INVALID' })
  }
})

t.test('requests go to bytes and back; a type that is none, a field too many and bytes beyond the limit are refused', async (t) => {
  const status = { type: 'status', dealId: `0x${'1'.repeat(64)}` } as const
  t.same(decodeMessage(dealRequestShape, encodeMessage(status), 'request'), status)
  t.throws(() => decodeMessage(dealRequestShape, encodeMessage({ ...status, type: 'steal' }), 'request'), { code: 'WIRE_INVALID' })
  t.throws(() => decodeMessage(dealRequestShape, encodeMessage({ ...status, extra: 1 }), 'request'), { code: 'WIRE_INVALID' })
  t.throws(() => decodeMessage(dealRequestShape, new Uint8Array(MAX_DEAL_MESSAGE_BYTES + 1), 'request'), { code: 'WIRE_TOO_LARGE' })
})
