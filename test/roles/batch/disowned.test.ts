import t, { type Test } from 'tap'
import type { Hex } from 'viem'
import { toContractSignature } from '../../../src/chain/signing.ts'
import { encodeCall } from '../../../src/chain/encode-call.ts'
import type { Chain, ChainEvent } from '../../../src/chain/chain.ts'
import { createSystemClock, type Clock } from '../../../src/core/clock.ts'
import type { Deal } from '../../../src/deal/deal.ts'
import type { Batcher } from '../../../src/roles/batch/batcher.ts'
import { disownDigest } from '../../../src/wire/statement.ts'
import { agree, openBatcher, openParty, openSolver, until, type Party } from '../../support/batch-scene.ts'
import { startTestChain, type TestChain } from '../../support/chain.ts'

const signal = AbortSignal.timeout(60_000)
const LILY = 1_000_000_000
/** An answer has an eighth of it. */
const UNBOND_SECONDS = 4000
let test: TestChain
let [creator, provider]: [Party, Party] = [undefined as never, undefined as never]
const events: ChainEvent[] = []
t.before(async () => {
  test = await startTestChain({ parameters: { unbondSeconds: UNBOND_SECONDS } })
  creator = await openParty(test, 'creator')
  provider = await openParty(test, 'provider')
  // The stake of who accuses.
  await test.fund(creator.signer.address, 4 * LILY)
  await creator.chain.send(await creator.chain.depositCall(4 * LILY), { name: 'deposit', signal })
  creator.chain.onEvent((event) => { events.push(event) })
})
t.teardown(async () => {
  await Promise.all([creator.stop(), provider.stop()])
  await test.stop()
})

/** A committed leaf that its creator then disowns, though it signed it. The batch lives long enough for an accusation. */
async function disown (batcherOf: (tell: Parameters<typeof openBatcher>[1]['tell']) => Promise<Batcher>, feeTo: string, jobNumber: number): Promise<Deal> {
  const batcher = await batcherOf(async (dealId, place) => {
    for (const party of [creator, provider]) await party.leaves.told(party.deals.get(dealId) as Deal, place)
  })
  const { gathered, ofCreator, ofProvider } = await agree(creator, provider, { feeTo: feeTo as Deal['dealId'], jobNumber, rest: { submitSeconds: 700 } })
  await batcher.take(gathered)
  await until(() => ofCreator.state === 'DealAgreed' && ofProvider.state === 'DealAgreed')
  const { id, leaf } = ofCreator.batch as NonNullable<Deal['batch']>
  const signature = creator.signer.sign(disownDigest(creator.chain.domain, id, leaf))
  const call = encodeCall('batches', 'disown', [await creator.leaves.batchOf(ofCreator), BigInt(leaf), creator.signer.address, toContractSignature(signature)])
  await creator.chain.send(call, { name: 'disown', signal })
  return ofProvider
}
const isAnswered = (): boolean => events.some(({ name }) => name === 'Answered')

t.test('a creator that signed and says it did not: the solver shows both signatures and gets the stake', async (t) => {
  const chain = await openSolver(test)
  const { free } = await chain.account(chain.address)
  await disown(async (tell) => {
    const batcher = await openBatcher(test, { chain, ...(tell === undefined ? {} : { tell }) })
    t.teardown(batcher.stop)
    return batcher
  }, chain.address, 1)
  await until(isAnswered)
  t.equal((await chain.account(chain.address)).free - free, LILY)
})

t.test('where the solver is gone the other side answers in the second half of the time, and keeps its deal', async (t) => {
  events.length = 0
  const chain = await openSolver(test, 'gone')
  const deal = await disown(async (tell) => {
    const batcher = await openBatcher(test, { chain: { ...chain, onEvent: () => () => undefined }, ...(tell === undefined ? {} : { tell }) })
    t.teardown(batcher.stop)
    return batcher
  }, chain.address, 33)
  await until(() => deal.batch?.answerBy)
  t.notOk(isAnswered())
  await test.advance(UNBOND_SECONDS / 16 + 2)
  await until(isAnswered)
  await until(() => deal.batch?.answerBy === undefined)
  t.equal(deal.state, 'DealAgreed')
})

/** The first `refused` answers are spoilt on their way, so that the chain refuses them. A pause of the solver takes a hundredth. */
async function refusedSolver (t: Test, name: string, refused: number): Promise<{ chain: Chain, clock: Clock, tries: () => number, pausesSinceOver: () => number | undefined, tell: (tell: Parameters<typeof openBatcher>[1]['tell']) => Promise<Batcher> }> {
  const open = await openSolver(test, name)
  const system = createSystemClock()
  let [tries, pauses] = [0, 0]
  let overAt: number | undefined
  const clock: Clock = { ...system, wait: async (ms, signal) => { if (ms === 5000) pauses++; await system.wait(ms / 100, signal) } }
  const chain: Chain = {
    ...open,
    send: async (call, options) => {
      const isSpoilt = options.name === 'answer-accusation' && ++tries <= refused
      return await open.send(isSpoilt ? { ...call, data: `${call.data.slice(0, -4)}${call.data.endsWith('0000') ? 'ffff' : '0000'}` as Hex } : call, options)
    },
    accusation: async (key) => {
      const until = await open.accusation(key)
      if (until === undefined) overAt ??= pauses
      return until
    }
  }
  return {
    chain, clock, tries: () => tries, pausesSinceOver: () => overAt === undefined ? undefined : pauses - overAt,
    tell: async (tell) => {
      const batcher = await openBatcher(test, { chain, clock, ...(tell === undefined ? {} : { tell }) })
      t.teardown(batcher.stop)
      return batcher
    }
  }
}

t.test('an answer that the chain refuses is given again while there is time', async (t) => {
  events.length = 0
  const solver = await refusedSolver(t, 'refused twice', 2)
  const { free } = await solver.chain.account(solver.chain.address)
  await disown(solver.tell, solver.chain.address, 65)
  await until(isAnswered)
  t.equal(solver.tries(), 3)
  t.equal((await solver.chain.account(solver.chain.address)).free - free, LILY)
})

t.test('and no more when somebody else has given it', async (t) => {
  events.length = 0
  const solver = await refusedSolver(t, 'refused always', Infinity)
  const deal = await disown(solver.tell, solver.chain.address, 97)
  await until(() => deal.batch?.answerBy !== undefined && solver.tries() > 2)
  await test.advance(UNBOND_SECONDS / 16 + 2)
  await until(isAnswered)
  await until(() => solver.pausesSinceOver() !== undefined)
  // What follows a look at the chain has followed when another one is done.
  await solver.chain.balances(creator.signer.address)
  t.equal(solver.pausesSinceOver(), 0)
})
