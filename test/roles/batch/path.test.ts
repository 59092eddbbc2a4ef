import t from 'tap'
import type { Deal } from '../../../src/deal/deal.ts'
import { createBatchPath, type BatchPath } from '../../../src/roles/batch/path.ts'
import type { DealTerms } from '../../../src/wire/deal-terms.ts'
import { BATCHED_LANE } from '../../../src/wire/deal-terms.ts'
import type { Address } from '../../../src/wire/shapes.ts'

const [creator, provider]: Address[] = ['0xc0', '0xb0']
const terms = { core: { creator, provider, price: 100, fee: 5, reserve: 0, collateral: 300, lane: BATCHED_LANE, openBy: 1000 }, rest: { startBy: 1010, submitSeconds: 20, judgeSeconds: 10, challengeSeconds: 10 } } as unknown as DealTerms
const waiting = { state: 'DealNegotiating', terms } as unknown as Deal

/** Sessions that just cover the terms, but for what differs. */
function pathOf (change: { creator?: object, provider?: object, unbondSeconds?: number, open?: Deal[] } = {}): BatchPath {
  const sessions = { [creator as string]: { funds: 105, allowed: 105, expiry: 1001, ...change.creator }, [provider as string]: { funds: 300, allowed: 300, expiry: 1001, ...change.provider } }
  const chain = { session: async (account: Address) => sessions[account] as never, deployment: { parameters: { unbondSeconds: change.unbondSeconds ?? 600 } } }
  return createBatchPath({ chain: chain as never, deals: { open: () => change.open ?? [] } })
}

t.test('both sessions must cover their side, by funds and cap, until after openBy', async (t) => {
  t.equal(await pathOf().covers(terms), true)
  for (const change of [{ creator: { funds: 104 } }, { creator: { allowed: 104 } }, { creator: { expiry: 1000 } }, { provider: { funds: 299 } }, { provider: { allowed: 299 } }, { provider: { expiry: 1000 } }]) {
    t.equal(await pathOf(change).covers(terms), false, JSON.stringify(change))
  }
})

t.test('what this node\'s own deals will lock is spent already, until a batch has locked it', async (t) => {
  t.equal(await pathOf({ open: [waiting] }).covers(terms), false)
  t.equal(await pathOf({ open: [waiting], creator: { funds: 210, allowed: 210 }, provider: { funds: 600, allowed: 600 } }).covers(terms), true)
  t.equal(await pathOf({ open: [{ ...waiting, batch: {} } as Deal, { ...waiting, state: 'Running' } as Deal, { ...waiting, terms: { ...terms, core: { ...terms.core, lane: 1 } } } as Deal] }).covers(terms), true)
  t.equal(await pathOf({ open: [waiting] }).spendable(creator as Address, 1000), 0)
})

t.test('a deal that lasts longer than a batch may goes by itself', async (t) => {
  t.equal(await pathOf({ unbondSeconds: 400 }).covers(terms), true)
  t.equal(await pathOf({ unbondSeconds: 350 }).covers(terms), false)
})
