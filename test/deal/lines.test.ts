import fc from 'fast-check'
import t from 'tap'
import { DEVNET_DEAL_PARAMETERS } from '../../src/deal/options.ts'
import { assertLines, linesByLeaf, linesOf, sumOf } from '../../src/deal/lines.ts'
import { leavesWord } from '../../src/deal/batched.ts'
import { buildTerms } from '../../src/deal/terms.ts'
import { BATCHED_LANE } from '../../src/wire/deal-terms.ts'
import { linesRootOf } from '../../src/wire/statement.ts'
import { address, hash, jobOffer } from './deals.ts'

const shares = fc.array(fc.record({ payee: fc.integer({ min: 1, max: 9 }).map(address), bp: fc.integer({ min: 1, max: 1000 }) }), { maxLength: 3 })
const termsIn = (lane: number, price: number, lines: ReturnType<typeof linesOf>): ReturnType<typeof buildTerms> => buildTerms({
  job: jobOffer(), creator: address(1), jobOfferId: hash(1), provider: address(2), resourceOfferId: hash(2), solver: address(3), solutionId: hash(3), price, fee: 5, collateral: 250, lines,
  mediators: { mediators: [], weights: [] }, parameters: DEVNET_DEAL_PARAMETERS, parametersHash: hash(9), certificateSet: hash(0), lane, openBy: 1000, providerSaltHash: hash(7), creatorSaltHash: hash(8)
})

t.test('what a batched deal holds in reserve is what its lines pay, to the nLILY, and no more than the shares of its price', async () => {
  fc.assert(fc.property(fc.maxSafeNat(), shares, fc.integer({ min: 0, max: 1000 }), (price, those, poolBp) => {
    const lines = linesOf(price, those, poolBp)
    const { core, rest } = termsIn(BATCHED_LANE, price, lines)
    const most = BigInt(price) * BigInt(those.reduce((sum, { bp }) => sum + bp, poolBp)) / 10_000n
    return core.reserve === sumOf(lines) && BigInt(core.reserve) <= most && most - BigInt(core.reserve) <= 4n && rest.linesRoot === linesRootOf(lines) && lines.every(({ amount }) => amount > 0 && Number.isSafeInteger(amount))
  }), { seed: 3 })
})

t.test('a deal by itself pins no lines and holds nothing for them', (t) => {
  t.match(termsIn(4, 10_000, linesOf(10_000, [{ payee: address(5), bp: 100 }])), { core: { reserve: 0 }, rest: { linesRoot: hash(0) } })
  t.end()
})

t.test('other lines than the terms pin are refused: more, fewer, another payee, another amount, another order', (t) => {
  const [one, two] = linesOf(10_000, [{ payee: address(5), bp: 100 }, { payee: address(6), bp: 200 }]) as [ReturnType<typeof linesOf>[number], ReturnType<typeof linesOf>[number]]
  const terms = termsIn(BATCHED_LANE, 10_000, [one, two])
  assertLines(terms, [one, two])
  for (const lines of [[], [one], [two, one], [one, two, two], [{ ...one, amount: 101 }, two], [{ ...one, payee: address(7) }, two]]) t.throws(() => { assertLines(terms, lines) }, { code: 'DEAL_BAD_LINES' })
  assertLines(termsIn(BATCHED_LANE, 10_000, []), [])
  t.throws(() => { assertLines(termsIn(BATCHED_LANE, 10_000, []), [one]) }, { code: 'DEAL_BAD_LINES' })
  t.end()
})

t.test('the lines of a message go to the leaves that it names, in their order', (t) => {
  const line = { payee: address(5), amount: 1 }
  t.same([...linesByLeaf(leavesWord([7, 2]), [[line], []])], [[2, [line]], [7, []]])
  t.same([...linesByLeaf(leavesWord([7, 2]), undefined)], [[2, []], [7, []]])
  for (const lines of [[], [[line]], [[line], [], []]]) t.throws(() => linesByLeaf(leavesWord([7, 2]), lines), { code: 'DEAL_BAD_STATEMENT' })
  t.end()
})
