import t from 'tap'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createStanding } from '../../src/roles/standing.ts'
import type { Address } from '../../src/wire/shapes.ts'
import { address } from '../deal/deals.ts'

const LILY = 1_000_000_000
const MONEY: Record<Address, { free: number, locked: number, bond: number, unbonding: number }> = {
  [address(1)]: { free: LILY - 1, locked: 0, bond: 0, unbonding: 0 },
  [address(2)]: { free: LILY / 2, locked: LILY / 2, bond: 0, unbonding: 0 },
  [address(3)]: { free: 0, locked: 0, bond: LILY, unbonding: 0 },
  [address(4)]: { free: 0, locked: 0, bond: 9 * LILY, unbonding: 0 },
  [address(5)]: { free: LILY / 2, locked: LILY / 4, bond: 0, unbonding: 0 }
}
/** In session 1. */
const FUNDS: Record<Address, number> = { [address(5)]: LILY / 4 }
const accounts = Object.keys(MONEY) as Address[]

async function setup (size: number): Promise<{ weights: () => number[], read: Address[], reweighed: () => number, tick: (ms: number) => Promise<void>, stop: () => Promise<void> }> {
  const clock = createManualClock()
  const read: Address[] = []
  let reweighed = 0
  const chain = { account: async (account: Address) => { read.push(account); return await Promise.resolve(MONEY[account] ?? { free: 0, locked: 0, bond: 0, unbonding: 0 }) }, session: async (account: Address, number: number) => ({ funds: number === 1 ? FUNDS[account] ?? 0 : 0, allowed: 0, expiry: 0 }) }
  const book = { fullest: size, members: () => accounts.map((account) => ({ record: { account } })) as never, reweigh: () => { reweighed++ } }
  const standing = createStanding({ chain, clock, logger }, { book: () => book, maxFree: 100 })
  await standing.start()
  const tick = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await new Promise((resolve) => { setImmediate(resolve) })
  }
  return { weights: () => accounts.map(standing.weight), read, reweighed: () => reweighed, tick, stop: standing.stop }
}

t.test('a book with room costs no reads', async (t) => {
  const { weights, read, tick, stop } = await setup(49)
  await tick(60_000)
  t.same([read, weights()], [[], [0, 0, 0, 0, 0]])
  await stop()
})

t.test('a book that fills up weighs its accounts, once in ten minutes', async (t) => {
  const { weights, read, reweighed, tick, stop } = await setup(50)
  await tick(5_000)
  t.same(weights(), [0, 1, 2, 5, 1], 'a stranger, a depositor, one bond, nine bonds, one whose session has the rest')
  t.equal(reweighed(), 1)
  await tick(5_000)
  t.equal(read.length, accounts.length)
  await tick(10 * 60_000)
  await tick(5_000)
  t.equal(read.length, 2 * accounts.length)
  t.equal(reweighed(), 1, 'nothing changed')
  await stop()
})
