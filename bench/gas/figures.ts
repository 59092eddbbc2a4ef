import { startTestChain } from '../../test/support/chain.ts'
import { atMost, reported, type Bench, type Figure } from '../figure.ts'
import { commit, dealsOf, settle, settlement } from './batch.ts'
import { disputeInBatch } from './dispute.ts'
import { LILYPAD, LILYPAD_CONTROLLER, LILYPAD_MEDIATED, MODICUM } from './others.ts'
import { createParties } from './parties.ts'

/** Most gas per job, commit and settle, by size of the batch. */
const LIMITS = [[1, 135_000], [10, 16_000], [100, 7500], [256, 6500]] as const
const DISPUTE_LIMIT = 300_000
const NO_MEDIATORS = { mediators: [], weights: [] }

/**
 * Gas of the batched path on the real contracts: a mix of N/5 creators and N/20 providers, fee to the solver, reserve 0; steady state
 * (the second batch: accounts, sessions, slot and nullifier words in use). Every 32nd job of a creator opens a nullifier word, 17,100 gas.
 */
export const benchBatches: Bench = async ({ progress }) => {
  const figures: Figure[] = []
  for (const [size, limit] of LIMITS) {
    const { apart, together } = await steady(size)
    const line = `${size} deals a batch: ${Math.round(apart)} gas a job, ${Math.round(together)} where a batch is settled and the next committed in one transaction`
    progress(`${line}; ${[LILYPAD, LILYPAD_CONTROLLER, MODICUM].map(({ name, value }) => `${name} ${value}`).join(', ')}`)
    figures.push(atMost(`batched, commit + settle per job, ${size} in a batch`, apart, limit, 'gas', LILYPAD))
    figures.push(reported(`the same, settle and the next commit in one transaction, ${size} in a batch`, together, 'gas', MODICUM))
  }
  const { together, apart } = await dispute(progress)
  figures.push(atMost('disputed leaf in a batch of 100: share of the commit, claim and challenge, draw and verdict', together.total, DISPUTE_LIMIT, 'gas', LILYPAD_MEDIATED))
  figures.push(reported('the same, draw and verdict in a transaction each', apart.total, 'gas', LILYPAD_MEDIATED))
  return figures
}

async function steady (size: number): Promise<{ apart: number, together: number }> {
  const test = await startTestChain()
  try {
    const parties = await createParties(test, { creators: Math.ceil(size / 5), providers: Math.ceil(size / 20) })
    const all = (1n << BigInt(size)) - 1n
    const dealsIn = async (round: number): Promise<ReturnType<typeof dealsOf>> => dealsOf(parties, size, round, await parties.solver.blockTime() + 100, NO_MEDIATORS)
    await settle(parties, await commit(test, parties, await dealsIn(0)), all)
    const second = await commit(test, parties, await dealsIn(1))
    const settled = await settle(parties, second, all)
    const third = await commit(test, parties, await dealsIn(2))
    const turn = await commit(test, parties, await dealsIn(3), settlement(parties, third, all))
    return { apart: (second.committed.gas + settled.gas) / size, together: turn.committed.gas / size }
  } finally {
    await test.stop()
  }
}

async function dispute (progress: (text: string) => void): ReturnType<typeof disputeInBatch> {
  const test = await startTestChain()
  try {
    const costs = await disputeInBatch(test, await createParties(test, { creators: 20, providers: 5 }))
    for (const [way, { steps }] of Object.entries(costs)) {
      for (const { name, gas, sending } of steps) progress(`disputed leaf, ${way}: ${name} ${Math.round(gas)} gas, ${sending} of it base and bytes`)
    }
    return costs
  } finally {
    await test.stop()
  }
}
