import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { addBondCall, registerMediatorCall } from '../../src/chain/account-calls.ts'
import { isTerminal } from '../../src/deal/states.ts'
import { drawPanel } from '../../src/verify/panel.ts'
import { drawSeed, type MediatorList } from '../../src/wire/deal-messages.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { createDealScene, type DealScene, type SceneNode } from '../support/deal-scene.ts'
import { startLedgers } from '../support/ledgers.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'

/**
 * A mediator of a panel of three, killed inside a dispute: before its seat is on its disk, after, and while it re-executes. One other seat holds the auditor's
 * word, the third stays silent, so the deal ends by the word of the one that was killed. See roles/killed-direct for the parties.
 */
const LILY = 1_000_000_000
const signal = AbortSignal.timeout(60_000)
const creator = { signer: namedSigner('creator'), disk: createMemoryDatastore() }
const provider = { signer: namedSigner('provider') }
const mediators = ['m1', 'm2', 'm3'].map((name) => ({ signer: namedSigner(name), disk: createMemoryDatastore() }))
let test: TestChain
let scene: DealScene
t.before(async () => {
  test = await startTestChain({ parameters: { unbondSeconds: 86_400 } })
  scene = await createDealScene(test)
  for (const { signer } of [creator, provider, ...mediators]) {
    await test.fund(signer.address, LILY)
    const chain = await test.chainFor(signer)
    await chain.send(await chain.depositCall(LILY), { name: 'deposit', signal })
    if (signer === creator.signer || signer === provider.signer) continue
    await chain.send(addBondCall(LILY), { name: 'bond', signal })
    await chain.send(registerMediatorCall(), { name: 'register', signal })
  }
  await test.fund(namedSigner('solver').address)
})
t.teardown(async () => { await test.stop() })

t.test('a mediator that is killed in its dispute comes back and decides it, and is paid', async (t) => {
  const list: MediatorList = { mediators: mediators.map(({ signer }) => signer.address).sort(), weights: [LILY, LILY, LILY] }
  const solver = await scene.openSolver({ signer: namedSigner('solver') })
  const atWork = await scene.openProvider({ ...provider, fault: 'wrong-result' })
  const moments = ['before its seat is on disk', 'after its seat is on disk', 'while it re-executes'] as const
  for (const [index, moment] of moments.entries()) {
    const { dealId, terms, salts } = await scene.agree(creator, atWork, { now: await solver.chain.blockTime(), jobNumber: index, feeTo: solver.signer.address, mediators: list, rest: { verification: 2, auditBp: 10_000, verdicts: 2 } })
    const panel = drawPanel(drawSeed(salts.creator, salts.provider, dealId), list, 3, () => true)
    const heldBy = async (): Promise<number[]> => await Promise.all([creator.signer.address, provider.signer.address, ...panel].map(async (address) => {
      const { free, locked, bond } = await solver.chain.account(address)
      return free + locked + bond
    }))
    const [auditor, mortal] = panel.map((address) => mediators.find(({ signer }) => signer.address === address)) as [typeof creator, typeof creator]
    const before = await heldBy()
    let node: SceneNode = await scene.openMediator({
      ...mortal, isDeaf: () => index < 2 || atWork.deals.get(dealId)?.revealedAt === undefined, onRun: () => { if (index === 2) node.mortal.arm({ writes: 0, when: 'written' }) }
    })
    // Seats of deals before this one are on its disk.
    await node.chain.caughtUp()
    if (index < 2) node.mortal.arm({ writes: index, when: index === 0 ? 'about to write' : 'written' })
    const first = await scene.openMediator(auditor)
    const buyer = await scene.openCreator(creator)
    const deal = buyer.deals.get(dealId)
    while (!node.mortal.isDead()) await delay(20)
    t.equal(await solver.chain.stateOf(terms), 'Drawn', moment)
    await node.stop()
    node = await scene.openMediator(mortal)
    while (deal === undefined || !isTerminal(deal.state)) await delay(20)
    t.equal(deal.state, 'MediationRejected')
    t.same((await heldBy()).map((held, place) => held - (before[place] ?? 0)), [10, -300, 10, 10, 0], `${moment}: creator, provider, and the panel`)
    await Promise.all([buyer.stop(), node.stop(), first.stop()])
  }
  await Promise.all([solver.stop(), atWork.stop()])
  const ledgers = await startLedgers(test, [creator, provider].map(({ signer }) => signer.address).concat(list.mediators))
  while (!(await ledgers.views()).every(({ isEqual }) => isEqual)) await delay(100)
  await ledgers.stop()
})
