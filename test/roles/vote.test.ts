import t from 'tap'
import { encodeFunctionData, keccak256, stringToBytes, type Hex } from 'viem'
import { registerMediatorCall } from '../../src/chain/account-calls.ts'
import { ABIS } from '../../src/chain/abis.ts'
import type { Chain, ContractCall } from '../../src/chain/chain.ts'
import { DEFAULT_PARAMETERS } from '../../src/chain/deployment-parameters.ts'
import { encodeCall } from '../../src/chain/encode-call.ts'
import { createAppeals } from '../../src/roles/appeals.ts'
import { OUTCOMES } from '../../src/wire/deal-messages.ts'
import type { Address } from '../../src/wire/shapes.ts'
import { openParty, openSolver, until, type Party } from '../support/batch-scene.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { startLedgers } from '../support/ledgers.ts'
import { createRulings, type Rulings } from '../support/rulings.ts'

/** Appeals that holders of LILY decide, on what `lilynode deploy` deploys when it is told nothing else: the Timelock judges, and a vote has six days of its seven. */
const signal = AbortSignal.timeout(60_000)
const LILY = 10n ** 9n
const { minMediatorBond: STAKE, unbondSeconds, governed: { votingDelay, votingPeriod, timelockDelay } } = DEFAULT_PARAMETERS
const mediator = namedSigner('mediator')
const [FOR, AGAINST] = [1, 0]
let test: TestChain
let [creator, provider]: [Party, Party] = [undefined as never, undefined as never]
let [many, few]: [Chain, Chain] = [undefined as never, undefined as never]
let rulings: Rulings
const send = async (chain: Chain, call: ContractCall): Promise<unknown> => await chain.send(call, { name: call.functionName, signal })

/** Somebody with LILY that votes. */
async function openVoter (name: string, tokens: bigint): Promise<Chain> {
  const { address } = namedSigner(name)
  await test.fund(address)
  await send(await test.chainFor(test.treasury), encodeCall('token', 'transfer', [address, tokens * LILY]))
  const chain = await test.chainFor(namedSigner(name))
  await send(chain, encodeCall('token', 'delegate', [address]))
  return chain
}
t.before(async () => {
  test = await startTestChain({ parameters: DEFAULT_PARAMETERS })
  creator = await openParty(test, 'creator')
  provider = await openParty(test, 'provider')
  await send(await openSolver(test, 'mediator', STAKE), registerMediatorCall())
  rulings = createRulings({ creator, provider, mediator, feeTo: (await openSolver(test)).address })
  await test.fund(creator.signer.address, 2 * STAKE)
  await send(creator.chain, await creator.chain.depositCall(2 * STAKE))
  many = await openVoter('many', 30_000_000n)
  few = await openVoter('few', 25_000_000n)
})
t.teardown(async () => {
  await Promise.all([creator.stop(), provider.stop()])
  await test.stop()
})

/** What creator and provider have locked: stakes and escrows. */
const lockedOf = async (): Promise<[number, number]> => [(await creator.chain.account(creator.signer.address)).locked, (await provider.chain.account(provider.signer.address)).locked]
/** A proposal that the Court hears this call. */
function proposal (judgement: Hex, description: string): { propose: ContractCall, queue: ContractCall, execute: ContractCall, vote: (support: number) => Promise<ContractCall> } {
  const act = [[test.deployment.contracts.court], [0n], [judgement]] as [Address[], bigint[], Hex[]]
  const hash = keccak256(stringToBytes(description))
  return {
    propose: encodeCall('governor', 'propose', [...act, description]),
    queue: encodeCall('governor', 'queue', [...act, hash]),
    execute: { contract: 'governor', functionName: 'execute', data: encodeFunctionData({ abi: ABIS.governor, functionName: 'execute', args: [...act, hash] }) },
    vote: async (support) => encodeCall('governor', 'castVote', [await test.clients.viem.readContract({ address: test.deployment.contracts.governor, abi: ABIS.governor, functionName: 'hashProposal', args: [...act, hash] }), support])
  }
}

t.test('a vote overturns a ruling through the Timelock; one that is lost leaves the ruling as it was', async (t) => {
  const appeals = createAppeals({ books: [creator.deals], chain: creator.chain, signer: creator.signer })
  const won = await rulings.ruled(1, OUTCOMES.correct)
  const { judgements, judgeBy, stake } = await appeals.appeal(won.ofCreator.dealId, { signal })
  const lost = await rulings.ruled(2, OUTCOMES.correct)
  const other = await appeals.appeal(lost.ofCreator.dealId, { signal })
  t.equal(stake, STAKE)
  t.ok(votingDelay + votingPeriod + timelockDelay < unbondSeconds / 2)
  await t.rejects(send(few, { contract: 'court', functionName: 'judge', data: judgements.wrong }), { code: 'CHAIN_REVERTED', data: { error: 'NotTheJudge' } })

  const [first, second] = [proposal(judgements.wrong, 'the program printed something else'), proposal(other.judgements.wrong, 'and here too')]
  await test.advance(1)
  await send(few, first.propose)
  await send(few, second.propose)
  await test.advance(votingDelay + 1)
  await Promise.all([send(many, await first.vote(FOR)), send(few, await first.vote(AGAINST))])
  await Promise.all([send(many, await second.vote(AGAINST)), send(few, await second.vote(FOR))])
  await test.advance(votingPeriod)
  await send(few, first.queue)
  await t.rejects(send(few, second.queue), { code: 'CHAIN_REVERTED', data: { error: 'GovernorUnexpectedProposalState' } })
  await t.rejects(send(few, first.execute), { code: 'CHAIN_REVERTED', data: { error: 'TimelockUnexpectedOperationState' } }, 'its delay is not over')
  await test.advance(timelockDelay + 1)
  t.ok(await few.blockTime() < judgeBy)
  const [before, lockedBefore] = [await rulings.moved(won), await lockedOf()]
  await send(few, first.execute)
  await until(() => won.ofCreator.state === 'MediationRejected' && won.ofProvider.state === 'MediationRejected')
  t.equal(lost.ofCreator.state, 'ResultsChallenged', 'its judge has a day left')
  const locked = await lockedOf()
  t.same([lockedBefore[0] - locked[0], lockedBefore[1] - locked[1]], [STAKE, 435], 'the stake is free again, and the escrow of the first deal is gone')
  t.same((await rulings.moved(won)).map((now, index) => now - (before[index] ?? 0)), [105 + 30 + 10, -435, 290], 'the creator has its money and its cost back, the provider lost its collateral, the mediator earned nothing')
  await test.advance(unbondSeconds / 2 - votingDelay - votingPeriod - timelockDelay)
  await until(() => lost.ofCreator.state === 'MediationAccepted' && lost.ofProvider.state === 'MediationAccepted')
  t.same(await rulings.moved(won), [10 - 105 - 10 - 20 - STAKE, -300 + 100 + 10 + 10, 290 + STAKE - 10], 'both deals: the second appellant lost its stake, of which the provider has its cost')
  t.equal((await creator.chain.account(mediator.address)).free, 20, 'paid for the ruling that stood')
  const ledgers = await startLedgers(test, [creator.signer.address, provider.signer.address, mediator.address])
  await until(async () => (await ledgers.views()).every(({ isEqual }) => isEqual))
  await ledgers.stop()
})
