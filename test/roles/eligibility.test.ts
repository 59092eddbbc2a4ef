import t from 'tap'
import { createManualClock } from '../../src/core/clock.ts'
import { DEFAULT_AUCTION_RULES, DEFAULT_MATCH_RULES } from '../../src/match/options.ts'
import { referenceAlone } from '../../src/match/price.ts'
import { welfareOf } from '../../src/match/score.ts'
import { createEligibility, type Eligibility } from '../../src/roles/eligibility.ts'
import type { Address } from '../../src/wire/shapes.ts'
import { job, offer } from '../match/rows.ts'
import { testSigner } from '../support/records.ts'

const [rich, poor] = [testSigner(1).address, testSigner(2).address]
const LILY = 1_000_000_000

/** What this node knows of accounts with these bonds, LILY. */
async function eligibilityOf (bonds: Readonly<Record<Address, number>>, historyBp?: (account: Address) => number): Promise<Eligibility> {
  const chain = { account: async (account: Address) => ({ free: 10 * LILY, locked: 0, bond: (bonds[account] ?? 0) * LILY, unbonding: 0 }), session: async () => ({ funds: 0, allowed: 0, expiry: 0 }), mediators: async () => [] }
  const eligibility = createEligibility({ chain, clock: createManualClock(), ...(historyBp === undefined ? {} : { historyBp }) }, { rules: DEFAULT_AUCTION_RULES })
  await eligibility.refresh(Object.keys(bonds) as Address[], 0)
  return eligibility
}

t.test('a bond gives three tenths of the reputation, in steps of 100 LILY, and no more', async (t) => {
  const figures = await Promise.all([0, 99, 100, 399, 400, 9_000_000].map(async (bond) => (await eligibilityOf({ [rich]: bond })).reputationBp(rich)))
  t.same(figures, [7000, 7000, 7750, 9250, 10_000, 10_000])
})

t.test('the rest comes from the source of histories, rounded down to tenths', async (t) => {
  const histories = new Map([[rich, 10_000], [poor, 5999]])
  const eligibility = await eligibilityOf({ [rich]: 0, [poor]: 400 }, (account) => histories.get(account) ?? 0)
  t.same([rich, poor, testSigner(3).address].map(eligibility.reputationBp), [7000, 3500 + 3000, 0])
})

t.test('between equals the bond decides; however large, it outweighs 3 % of the ask and not 4', async (t) => {
  const { reputationBp } = await eligibilityOf({ [rich]: 9_000_000, [poor]: 0 })
  const rules = { ...DEFAULT_MATCH_RULES, reference: { ...DEFAULT_MATCH_RULES.reference, base: 1_000_000 } }
  const wanted = job(1, { resources: { cpuMilli: 0, memoryMiB: 0, diskMiB: 0 }, limit: 1_200_000 })
  t.equal(referenceAlone(wanted.offer, rules), 1_000_000)
  const scoreOf = (account: Address, base: number): number => welfareOf(wanted, offer(1, { ask: { base, cpuMilliSecond: 0, memoryMiBSecond: 0, diskMiBSecond: 0 } }, { reputationBp: reputationBp(account) }), rules, [])
  t.ok(scoreOf(rich, 1_000_000) > scoreOf(poor, 1_000_000))
  t.ok(scoreOf(rich, 1_029_000) > scoreOf(poor, 1_000_000))
  t.ok(scoreOf(rich, 1_040_000) < scoreOf(poor, 1_000_000))
})
