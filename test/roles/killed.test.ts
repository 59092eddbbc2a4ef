import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Chain } from '../../src/chain/chain.ts'
import { addBondCall } from '../../src/chain/account-calls.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { leavesWord } from '../../src/deal/batched.ts'
import type { Deal } from '../../src/deal/deal.ts'
import { createJournal } from '../../src/deal/journal.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { createBatcher, type Batcher } from '../../src/roles/batch/batcher.ts'
import { createKnownBatches } from '../../src/roles/batch/known-batches.ts'
import { createLeaves, type Leaves } from '../../src/roles/batch/leaves.ts'
import { createSessionKeeper } from '../../src/roles/batch/session-keeper.ts'
import { openDealBook, type DealBook } from '../../src/roles/deal-book.ts'
import { createDealWatch } from '../../src/roles/deal-watch.ts'
import { createOrders } from '../../src/roles/orders.ts'
import { createSettlement } from '../../src/roles/provider/settle.ts'
import type { Datastore } from '../../src/store/datastore.ts'
import { acceptanceDigest } from '../../src/wire/deal-messages.ts'
import { statementDigest } from '../../src/wire/statement.ts'
import { agree, deliver } from '../support/batch-scene.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { startLedgers } from '../support/ledgers.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import { createMortal, type KillPoint, type Mortal } from '../support/mortal.ts'

/**
 * A deal in a batch, with one of its three nodes killed at every write of its journal: once when the write is on disk and
 * nothing came of it yet, once when all that it brought about has happened and the next write has not. The node comes back
 * with what is on disk, and the money ends where the rules say, to the nLILY.
 */
const ROLES = ['creator', 'provider', 'solver'] as const
type Role = typeof ROLES[number]
const DEPOSIT = 100_000
const clock = createSystemClock()
const signal = AbortSignal.timeout(120_000)
t.setTimeout(120_000)
let test: TestChain
t.before(async () => { test = await startTestChain({ parameters: { unbondSeconds: 86_400 } }) })
t.teardown(async () => { await test.stop() })

interface Node { mortal: Mortal, chain: Chain, stop: () => Promise<void> }
interface PartyNode extends Node { signer: Signer, deals: DealBook, leaves: Leaves, settlement: ReturnType<typeof createSettlement> }
interface SolverNode extends Node { batcher: Batcher }
/** Three nodes of their own for each series of kills, so that the series run side by side. */
interface Lane { creator: PartyNode, provider: PartyNode, solver: SolverNode, disks: Record<Role, Datastore>, signers: Record<Role, Signer> }

async function openParty (role: 'creator' | 'provider', signer: Signer, disk: Datastore, lane: () => Lane): Promise<PartyNode> {
  const mortal = createMortal(disk)
  const open = await test.chainFor(signer, { datastore: mortal.chainStore, tuning: { pollMs: 20 } })
  const chain = mortal.wrap(open)
  const deals = await openDealBook({ journal: createJournal({ datastore: mortal.datastore }, { role }), clock })
  const leaves = createLeaves({ deals, chain, clock, logger, known: createKnownBatches({ datastore: mortal.datastore }, { role }), askLeaf: async ({ dealId }) => lane().solver.batcher.leafOf(dealId) })
  const settlement = createSettlement({ deals, leaves, chain, clock, logger }, { signal, settleSeconds: 600 })
  const watch = createDealWatch({ deals, leaves, chain, clock, logger }, { onTick: async () => { if (role === 'provider') for (const deal of deals.open()) await settlement.settle(deal) } })
  await watch.start()
  return { signer, mortal, chain, deals, leaves, settlement, stop: async () => { await open.stop(); await watch.stop() } }
}

async function openSolver (signer: Signer, disk: Datastore, lane: () => Lane): Promise<SolverNode> {
  const mortal = createMortal(disk)
  const open = await test.chainFor(signer, { datastore: mortal.chainStore, tuning: { pollMs: 20 } })
  const chain = mortal.wrap(open)
  const leaf = async (_peer: string, dealId: Deal['dealId'], place: Parameters<Leaves['told']>[1]): Promise<void> => {
    for (const { deals, leaves } of [lane().creator, lane().provider]) {
      const deal = deals.get(dealId)
      if (deal !== undefined && !mortal.isDead()) await leaves.told(deal, place)
    }
  }
  const batcher = createBatcher({ chain, room: { leaf }, datastore: mortal.datastore, clock, logger }, { pace: { quietMs: 1, mostMs: 5 }, settleSeconds: 600 })
  await batcher.start()
  return { mortal, chain, batcher, stop: async () => { await open.stop(); await batcher.stop() } }
}

/** Nodes with DEPOSIT each, half of it in the parties' sessions, all of it the solver's bond. */
async function openLane (name: string): Promise<Lane> {
  const signers = { creator: namedSigner(`${name} creator`), provider: namedSigner(`${name} provider`), solver: namedSigner(`${name} solver`) }
  const disks = { creator: createMemoryDatastore(), provider: createMemoryDatastore(), solver: createMemoryDatastore() }
  for (const role of ROLES) {
    const signer = signers[role]
    await test.fund(signer.address, DEPOSIT)
    const chain = await test.chainFor(signer, { datastore: disks[role], tuning: { pollMs: 20 } })
    await chain.send(await chain.depositCall(DEPOSIT), { name: 'deposit', signal })
    if (role === 'solver') await chain.send(addBondCall(DEPOSIT), { name: 'bond', signal })
    else await createSessionKeeper({ datastore: disks[role], chain, orders: createOrders({ chain, signer }), clock, logger }).look()
    await chain.stop()
  }
  const lane = { disks, signers } as unknown as Lane
  lane.creator = await openParty('creator', signers.creator, disks.creator, () => lane)
  lane.provider = await openParty('provider', signers.provider, disks.provider, () => lane)
  lane.solver = await openSolver(signers.solver, disks.solver, () => lane)
  return lane
}

async function reopen (lane: Lane, role: Role): Promise<void> {
  await lane[role].stop()
  if (role === 'solver') lane.solver = await openSolver(lane.signers.solver, lane.disks.solver, () => lane)
  else lane[role] = await openParty(role, lane.signers[role], lane.disks[role], () => lane)
}

/** What the parties tell each other and repeat until it has happened: the solver of the deal, the result, the acceptance. */
async function push (lane: Lane, { signed, gathered }: Awaited<ReturnType<typeof agree>>): Promise<void> {
  const { creator, provider, solver } = lane
  const [ofCreator, ofProvider] = [creator.deals.get(signed.dealId), provider.deals.get(signed.dealId)]
  if (ofCreator === undefined || ofProvider === undefined) throw new Error('a consent that was signed is gone')
  if (ofCreator.batch === undefined) await solver.batcher.take(gathered)
  for (const [book, deal] of [[provider.deals, ofProvider], [creator.deals, ofCreator]] as const) if (deal.state === 'DealAgreed' || deal.state === 'Running') await deliver(book, deal, signed)
  if (ofCreator.state !== 'ResultsSubmitted' || ofProvider.state !== 'ResultsSubmitted' || ofCreator.batch === undefined) return
  const manifest = ofCreator.result?.manifest ?? '0x'
  const { batch: { id, leaf } } = ofCreator
  const acceptance = lane.signers.creator.sign(acceptanceDigest(creator.chain.domain, { dealId: signed.dealId, manifest }))
  const leaves = leavesWord([leaf])
  const signature = lane.signers.creator.sign(statementDigest(creator.chain.domain, { batch: id, creator: lane.signers.creator.address, leaves: BigInt(leaves), lines: [] }))
  if (ofCreator.acceptance === undefined) await creator.deals.update(ofCreator, (changed) => { Object.assign(changed, { acceptance, statement: { batch: id, leaves, signature, atMs: clock.now() } }) })
  if (ofProvider.acceptance === undefined) await provider.settlement.accepted({ type: 'accept', dealId: signed.dealId, manifest, signature: acceptance, statement: { leaves, signature } })
  await solver.batcher.statement({ batch: id, creator: lane.signers.creator.address, leaves, signature })
}

async function heldBy (lane: Lane, role: Role): Promise<number> {
  const { address } = lane.signers[role]
  const [{ free, bond }, { funds }] = await Promise.all([lane[role].chain.account(address), lane[role].chain.session(address, 1)])
  return free + bond + funds
}

/** One deal with one kill; false when the deal was over before it. */
async function kill (t: Test, lane: Lane, role: Role, point: KillPoint, jobNumber: number): Promise<boolean> {
  const before = await Promise.all(ROLES.map(async (each) => await heldBy(lane, each)))
  const deal = await agree(lane.creator, lane.provider, { feeTo: lane.signers.solver.address, jobNumber })
  const { mortal } = lane[role]
  mortal.arm(point)
  const states = (): Array<string | undefined> => [lane.creator, lane.provider].map(({ deals }) => deals.get(deal.signed.dealId)?.state)
  let at = ''
  for (;;) {
    if (mortal.isDead() && at === '') {
      at = states().join(' and ')
      await reopen(lane, role)
    }
    const isOver = states().every((state) => state === 'ResultsAccepted') && await lane.solver.chain.account(lane.signers.solver.address).then(({ locked }) => locked === 0)
    // A dead one's memory is no witness.
    if (isOver && (!mortal.isDead() || at !== '')) break
    // Who is dead or has not come that far does not answer; it is told again.
    await push(lane, deal).catch(() => undefined)
    await delay(10)
  }
  const after = await Promise.all(ROLES.map(async (each) => await heldBy(lane, each)))
  t.same(after.map((held, index) => held - (before[index] ?? 0)), [-105, 100, 5], `the ${role}, ${point.when} ${point.writes}: ${at}`)
  return at !== ''
}

t.test('killed at every write a deal is paid once, to the nLILY, and the ledgers explain it', async (t) => {
  const killed = await Promise.all(ROLES.flatMap((role) => (['written', 'about to write'] as const).map(async (when) => {
    const lane = await openLane(`${role} ${when}`)
    let writes = 0
    // Until the deal has no such write any more.
    while (await kill(t, lane, role, { writes, when }, writes)) writes++
    t.ok(writes >= (role === 'solver' ? 5 : 6), `the ${role} died at ${writes} places`)
    for (const each of ROLES) await lane[each].stop()
    return lane.signers[role].address
  })))
  const ledgers = await startLedgers(test, killed)
  while (!(await ledgers.views()).every(({ isEqual }) => isEqual)) await delay(100)
  await ledgers.stop()
})
