import t from 'tap'
import type { Chain } from '../../../src/chain/chain.ts'
import { createSystemClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { createSeededRandom } from '../../../src/core/random.ts'
import type { Deal } from '../../../src/deal/deal.ts'
import type { Batcher } from '../../../src/roles/batch/batcher.ts'
import { createStatements } from '../../../src/roles/creator/statements.ts'
import { createDealRoom } from '../../../src/roles/deal-room.ts'
import { createMediator, type MediatorComponents } from '../../../src/roles/mediator.ts'
import { createVerdicts, type Verdicts } from '../../../src/roles/verdicts.ts'
import { resultCommitDigest, type MediatorList } from '../../../src/wire/deal-messages.ts'
import { encodeRecord } from '../../../src/wire/record.ts'
import { encodeResultManifest } from '../../../src/wire/result-manifest.ts'
import { hash } from '../../deal/deals.ts'
import { agree, deliver, openBatcher, openParty, openSolver, until, type Party } from '../../support/batch-scene.ts'
import { namedSigner, startTestChain, type TestChain } from '../../support/chain.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'
import { createMemoryNetwork } from '../../support/memory-mesh.ts'
import { jobBody, signRecord } from '../../support/records.ts'

/** A mediator that looks at the real contracts before it looks at a deal. It finds no module, so whatever it looks at is inconclusive. */
const signer = namedSigner('mediator')
const list: MediatorList = { mediators: [signer.address], weights: [1] }
let test: TestChain
let solver: Chain
let judge: Chain
let batcher: Batcher
let [creator, provider]: [Party, Party] = [undefined as never, undefined as never]
let verdicts: Verdicts
let looks = 0
t.before(async () => {
  test = await startTestChain({ parameters: { unbondSeconds: 86_400 } })
  solver = await openSolver(test)
  batcher = await openBatcher(test, { chain: solver })
  creator = await openParty(test, 'creator', { askLeaf: batcher.leafOf })
  provider = await openParty(test, 'provider', { askLeaf: batcher.leafOf })
  const network = createMemoryNetwork(createSeededRandom(1))
  const mesh = network.node('mediator')
  const gone = async (): Promise<never> => { looks++; throw new Error('gone') }
  judge = await test.chainFor(signer)
  const mediator = createMediator({
    mesh, contacts: { peerOf: () => undefined }, blocks: { getTree: gone, getBytes: gone }, executor: {}, chain: judge, datastore: createMemoryDatastore(), signer, clock: createSystemClock(), logger: silentLogger
  } as unknown as MediatorComponents)
  await mediator.start()
  t.teardown(mediator.stop)
  const own = network.node('creator')
  network.connect('creator', 'mediator')
  verdicts = createVerdicts({ room: createDealRoom({ mesh: own }), mesh: { roles: { find: async () => [] } } as never, contacts: { peerOf: () => 'mediator' }, leaves: creator.leaves }, { domain: creator.chain.domain, signal: AbortSignal.timeout(60_000) })
})
t.teardown(async () => {
  await Promise.all([creator.stop(), provider.stop(), batcher.stop()])
  await test.stop()
})

type Agreed = Awaited<ReturnType<typeof agree>> & { jobRecord: Uint8Array }
/** A deal for a batch, both of whose sides sign anything. */
async function agreed (jobNumber: number): Promise<Agreed> {
  const record = signRecord(creator.signer, 'job', { body: jobBody({ jobNumber }), domain: creator.chain.domain, slot: jobNumber })
  const deal = await agree(creator, provider, { feeTo: solver.address, jobNumber, mediators: list, rest: { jobOfferId: record.id } })
  return { ...deal, jobRecord: encodeRecord(record) }
}
/** The creator asks for the audit of a result that the provider signed. */
async function audit ({ signed, ofCreator, jobRecord }: Agreed): Promise<number> {
  const { dealId, terms: { rest }, salts } = signed
  const cid = jobBody().module
  const { digest: manifest, bytes: manifestBytes } = encodeResultManifest({
    version: 1, dealId, job: rest.jobOfferId, module: cid, inputs: cid, sealedInputs: '', outputs: cid, reason: 'exited', exitCode: 0, message: '', stdoutDigest: hash(1), stderrDigest: hash(1),
    meter: { wallMs: 1, memoryMiB: 1, fuel: 0 }, sealedOutputs: '', executor: 'e', finishedAtMs: 1
  })
  const result: Deal['result'] = { manifest, manifestBytes, outputRoot: hash(2), manifestCid: '', outputsCid: '', signature: provider.signer.sign(resultCommitDigest(creator.chain.domain, { dealId, manifest, outputRoot: hash(2) })) }
  return (await verdicts.ask({ ...ofCreator, jobRecord, result }, signer.address, salts)).outcome
}
const refusal = (why: string): Error => Object.assign(new Error(), { code: 'JOB_NO_VERDICT', data: { failures: [new RegExp(why)] } })

t.test('a leaf is looked at when the chain has its batch, and by its own opening alone', async (t) => {
  const deal = await agreed(1)
  await t.rejects(audit(deal), refusal('no open deal'), 'signed by both, and nowhere on chain')
  const forged = await agreed(2)
  await batcher.take(deal.gathered)
  await until(() => deal.ofCreator.state === 'DealAgreed')
  const { batch } = deal.ofCreator
  await t.rejects(audit({ ...forged, ofCreator: { ...forged.ofCreator, ...(batch === undefined ? {} : { batch }) } }), refusal('not the deal with these terms'), 'the place of another deal')
  await t.rejects(audit({ ...deal, ofCreator: { ...deal.ofCreator, ...(batch === undefined ? {} : { batch: { ...batch, claimedAt: 1 } }) } }), refusal('no open deal'), 'nobody claimed it')
  t.equal(looks, 0)
  t.equal(await audit(deal), 3)
  t.ok(looks > 0)
})

t.test('a leaf that is settled, or whose batch is over, is not looked at any more', async (t) => {
  const [paid, late] = await Promise.all([agreed(3), agreed(4)])
  await Promise.all([paid, late].map(async ({ gathered }) => { await batcher.take(gathered) }))
  await until(() => paid.ofCreator.state === 'DealAgreed' && late.ofCreator.state === 'DealAgreed')
  const before = { ...paid.ofCreator }
  await deliver(creator.deals, paid.ofCreator, paid.signed)
  const statement = createStatements({ ...creator, room: { statement: async () => undefined }, peerOf: () => undefined, clock: createSystemClock(), logger: silentLogger }).sign(paid.ofCreator)
  if (statement === undefined) throw new Error('no leaf')
  await batcher.statement({ batch: statement.batch, creator: creator.signer.address, leaves: statement.leaves, signature: statement.signature })
  await until(() => paid.ofCreator.state === 'ResultsAccepted')
  looks = 0
  await t.rejects(audit({ ...paid, ofCreator: before }), refusal('no open deal'))
  const held = { ...late.ofCreator }
  await test.clients.request('evm_setNextBlockTimestamp', [(late.ofCreator.batch?.expiry ?? 0) + 1])
  await test.advance(0)
  await until(async () => await judge.blockTime() > (late.ofCreator.batch?.expiry ?? 0))
  await t.rejects(audit({ ...late, ofCreator: held }), refusal('no open deal'), 'too late for a claim')
  t.equal(looks, 0)
})
