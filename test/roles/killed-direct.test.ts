import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { addBondCall, registerMediatorCall } from '../../src/chain/account-calls.ts'
import type { Deal } from '../../src/deal/deal.ts'
import { isTerminal } from '../../src/deal/states.ts'
import type { Signer } from '../../src/identity/signer.ts'
import type { Datastore } from '../../src/store/datastore.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { createDealScene, type CreatorNode, type DealScene, type ProviderNode, type SceneNode } from '../support/deal-scene.ts'
import { startLedgers } from '../support/ledgers.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import type { KillPoint } from '../support/mortal.ts'

/**
 * A direct deal, and one that ends in a dispute, with creator, provider or mediator killed at every write of its disk and brought back: see
 * roles/killed for the same in batches. Whatever the moment, money ends where the rules say, to the nLILY, and the ledgers explain it.
 */
const DEPOSIT = 100_000
const LILY = 1_000_000_000
const signal = AbortSignal.timeout(120_000)
t.setTimeout(120_000)
let test: TestChain
let scene: DealScene
let solver: SceneNode
let mediator: SceneNode
t.before(async () => {
  test = await startTestChain({ parameters: { unbondSeconds: 86_400 } })
  scene = await createDealScene(test)
  solver = await scene.openSolver({ signer: await funded('solver') })
  mediator = await openMediator('mediator')
})
t.teardown(async () => {
  await Promise.all([solver.stop(), mediator.stop()])
  await test.stop()
})

async function funded (name: string, deposit = 0, bond = 0): Promise<Signer> {
  const signer = namedSigner(name)
  await test.fund(signer.address, deposit)
  if (deposit === 0) return signer
  const chain = await test.chainFor(signer)
  await chain.send(await chain.depositCall(deposit), { name: 'deposit', signal })
  if (bond > 0) await chain.send(addBondCall(bond), { name: 'bond', signal })
  if (bond > 0) await chain.send(registerMediatorCall(), { name: 'register', signal })
  await chain.stop()
  return signer
}
async function openMediator (name: string): Promise<SceneNode> {
  return await scene.openMediator({ signer: await funded(name, LILY, LILY) })
}

interface Party { signer: Signer, disk: Datastore }
/** The parties of a series of kills. The provider's node goes on from deal to deal. */
interface Lane { kind: Kind, creator: Party, provider: Party, atWork: ProviderNode }
type Role = 'creator' | 'provider'
const openProvider = async (kind: Kind, party: Party): Promise<ProviderNode> => await scene.openProvider({ ...party, ...(kind.isCheating ? { fault: 'wrong-result' } : {}) })
async function openLane (kind: Kind, name: string): Promise<Lane> {
  const open = async (role: Role): Promise<Party> => ({ signer: await funded(`${name} ${role}`, DEPOSIT), disk: createMemoryDatastore() })
  const provider = await open('provider')
  return { kind, creator: await open('creator'), provider, atWork: await openProvider(kind, provider) }
}
const heldBy = async ({ signer }: Party): Promise<number> => {
  const { free, locked } = await solver.chain.account(signer.address)
  return free + locked
}

/** How a kind of deal ends (the disputed one is armed when its result is there, since until then it is as the paid one): what creator and provider have more than before, in which state, and what its creator's job has come to. */
interface Kind { name: 'paid' | 'disputed', isCheating: boolean, end: Deal['state'], moved: [number, number], isJobDone: (creator: CreatorNode, deal: Deal) => boolean }
const KINDS: readonly Kind[] = [
  { name: 'paid', isCheating: false, end: 'ResultsAccepted', moved: [-105, 100], isJobDone: ({ client }, { dealId }) => client.job(dealId)?.result !== undefined && client.job(dealId)?.state === 'ResultsAccepted' },
  { name: 'disputed', isCheating: true, end: 'MediationRejected', moved: [10, -300], isJobDone: ({ client }, { dealId }) => client.job(dealId)?.offer.attempt === 1 }
]

/** One deal with one kill: the states in which it came, empty when all was over before it. */
async function kill (t: Test, lane: Lane, role: Role, point: KillPoint, jobNumber: number): Promise<string> {
  const { kind, creator, provider } = lane
  const before = [await heldBy(creator), await heldBy(provider)]
  const mediators = { mediators: [mediator.signer.address], weights: [LILY] }
  const { dealId } = await scene.agree(creator, lane.atWork, { now: await solver.chain.blockTime(), jobNumber, feeTo: solver.signer.address, ...(kind.isCheating ? { mediators, rest: { verification: 2, auditBp: 10_000 } } : { rest: { verification: 1 } }) })
  let buyer = await scene.openCreator(creator)
  const { mortal } = role === 'creator' ? buyer : lane.atWork
  const deals = (): [Deal | undefined, Deal | undefined] => [buyer.deals.get(dealId), lane.atWork.deals.get(dealId)]
  let isArmed = false
  let at = ''
  for (;;) {
    if (mortal.isDead() && at === '') {
      at = deals().map((deal) => deal?.state).join(' and ')
      if (role === 'creator') {
        await buyer.stop()
        buyer = await scene.openCreator(creator)
      } else {
        await lane.atWork.stop()
        lane.atWork = await openProvider(kind, provider)
      }
    }
    const [ofCreator, ofProvider] = deals()
    if (!isArmed && (!kind.isCheating || (role === 'creator' ? ofCreator : ofProvider)?.result !== undefined)) {
      isArmed = true
      mortal.arm(point)
    }
    const isOver = ofCreator !== undefined && isTerminal(ofCreator.state) && ofProvider !== undefined && isTerminal(ofProvider.state) && kind.isJobDone(buyer, ofCreator)
    // A dead one's memory is no witness.
    if (isOver && (!mortal.isDead() || at !== '')) break
    await delay(20)
  }
  const moved = [await heldBy(creator) - (before[0] ?? 0), await heldBy(provider) - (before[1] ?? 0)]
  t.same([...deals().map((deal) => deal?.state), ...moved], [kind.end, kind.end, ...kind.moved], `${kind.name}: the ${role}, ${point.when} ${point.writes}: ${at}`)
  await buyer.stop()
  return at
}

t.test('a creator or provider killed at any write finishes its direct deal, and its dispute', async (t) => {
  // Until its result is there a deal is the same to its parties in a batch: the other half of those moments is killed there.
  const series = KINDS.flatMap((kind) => (['creator', 'provider'] as const).flatMap((role) => (kind.isCheating ? ['written', 'about to write'] as const : ['written'] as const).map((when) => ({ kind, role, when }))))
  const deals = { paid: 0, disputed: 0 }
  const accounts = await Promise.all(series.map(async ({ kind, role, when }) => {
    const lane = await openLane(kind, `${kind.name} ${role} ${when}`)
    let writes = 0
    // Until there is no such write any more. What a creator writes of its job after the deal is killed once each.
    const isEnough = (at: string): boolean => at === '' || (role === 'creator' && when === 'about to write' && at.startsWith(kind.end))
    for (let at = 'begun'; !isEnough(at); writes++) at = await kill(t, lane, role, { writes, when }, writes)
    deals[kind.name] += writes
    // Of a dispute, the challenge and the ruling at the least: that the result is there may be seen some writes late.
    t.ok(writes >= (kind.isCheating ? 3 : 7), `${kind.name}: the ${role}, ${writes} deals`)
    await lane.atWork.stop()
    return [lane.creator.signer.address, lane.provider.signer.address]
  }))
  t.equal((await solver.chain.account(solver.signer.address)).free, 5 * deals.paid)
  t.equal((await solver.chain.account(mediator.signer.address)).free, 20 * deals.disputed)
  const ledgers = await startLedgers(test, [...accounts.flat(), solver.signer.address, mediator.signer.address])
  while (!(await ledgers.views()).every(({ isEqual }) => isEqual)) await delay(100)
  await ledgers.stop()
})
