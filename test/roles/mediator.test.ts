import t from 'tap'
import type { ChainEvent } from '../../src/chain/chain.ts'
import type { LaneState } from '../../src/chain/reads.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createMediator, type MediatorComponents } from '../../src/roles/mediator.ts'
import { lastWordBy } from '../../src/deal/timeouts.ts'
import { drawPanel } from '../../src/verify/panel.ts'
import { drawSeed, resultCommitDigest, type MediatorList } from '../../src/wire/deal-messages.ts'
import { decodeMessage, encodeMessage, mediateAnswerShape } from '../../src/wire/deal-room.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import { encodeResultManifest } from '../../src/wire/result-manifest.ts'
import { hash } from '../deal/deals.ts'
import { namedSigner } from '../support/chain.ts'
import { signDeal } from '../support/deals.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import { DOMAIN, jobBody, signRecord } from '../support/records.ts'

const creator = namedSigner('creator')
const provider = namedSigner('provider')
const signers = ['m1', 'm2', 'm3', 'm4'].map(namedSigner)
const list: MediatorList = { mediators: signers.map(({ address }) => address).sort(), weights: [10, 10, 10, 10] }
const CID = jobBody().module
const record = signRecord(creator, 'job', { body: jobBody({}) })
const deal = signDeal({ domain: DOMAIN, creator, provider, now: 1000, jobNumber: 1, feeTo: hash(9).slice(0, 42) as `0x${string}`, mediators: list, rest: { verdicts: 2, jobOfferId: record.id } })
const { digest, bytes } = encodeResultManifest({
  version: 1, dealId: deal.dealId, job: record.id, module: CID, inputs: CID, sealedInputs: '', outputs: CID, reason: 'exited', exitCode: 0, message: '', stdoutDigest: hash(1), stderrDigest: hash(1),
  meter: { wallMs: 1, memoryMiB: 1, fuel: 0 }, sealedOutputs: '', executor: 'e', finishedAtMs: 1
})
const panel = drawPanel(drawSeed(deal.salts.creator, deal.salts.provider, deal.dealId), list, 3, () => true)
const outside = signers.find(({ address }) => !panel.includes(address))
const requestOf = ({ terms, consent, salts, dealId }: typeof deal, outputRoot = hash(2)): Uint8Array => encodeMessage({
  terms, creatorSignature: consent.creatorSignature, providerSignature: consent.providerSignature, mediators: list, jobRecord: encodeRecord(record), creatorSalt: salts.creator, providerSalt: salts.provider,
  manifest: bytes, outputRoot, resultSignature: provider.sign(resultCommitDigest(DOMAIN, { dealId, manifest: digest, outputRoot }))
})

/** What the chain says of every deal, and its time. */
const chainSays: { state: LaneState, now: number } = { state: 'Open', now: 1000 }
t.beforeEach(() => { Object.assign(chainSays, { state: 'Open', now: 1000 }) })
const UNBOND_SECONDS = 100
const clock = createManualClock()
const atSeat = (seat: number): typeof creator => signers.find(({ address }) => address === panel[seat]) as typeof creator

/** A mediator that nobody gives the module to, so that all it finds is inconclusive. */
async function open (signer: typeof creator, datastore = createMemoryDatastore(), live = list.mediators, fetch = async (_options: { signal: AbortSignal }): Promise<never> => { throw new Error('gone') }): Promise<{ ask: (request?: Uint8Array) => Promise<number>, draw: () => Promise<void>, stop: () => Promise<void> }> {
  let handler: (payload: Uint8Array, context: { peer: string }) => Promise<Uint8Array> = async () => new Uint8Array()
  let listener: (event: ChainEvent) => void | Promise<void> = () => undefined
  const components = {
    mesh: { requests: { serve: (_protocol: string, _limits: unknown, serve: typeof handler) => { handler = serve; return () => undefined } } },
    contacts: { peerOf: () => undefined }, blocks: { getTree: async (_cid: string, options: { signal: AbortSignal }) => await fetch(options), getBytes: async (_cid: string, options: { signal: AbortSignal }) => await fetch(options) }, executor: {},
    chain: { domain: DOMAIN, deployment: { parameters: { unbondSeconds: UNBOND_SECONDS } }, blockTime: async () => chainSays.now, stateOf: async () => chainSays.state, mediators: async () => live.map((address) => ({ address, bond: 10 })), onEvent: (on: typeof listener) => { listener = on; return () => undefined } },
    datastore, signer, clock, logger: silentLogger
  }
  const mediator = createMediator(components as unknown as MediatorComponents)
  await mediator.start()
  return {
    stop: async () => { await mediator.stop() },
    ask: async (request = requestOf(deal)) => decodeMessage(mediateAnswerShape, await handler(request, { peer: 'p' }), 'verdict').outcome,
    draw: async () => { await listener({ name: 'MediatorDrawn', args: { mediator: signer.address, dealId: deal.dealId }, blockTime: 1000 } as unknown as ChainEvent) }
  }
}

t.test('whoever the salts give a seat in the panel answers; who has none does when the chain gave it one, also after a restart', async (t) => {
  t.equal(panel.length, 3)
  for (const address of panel) t.equal(await (await open(signers.find((signer) => signer.address === address) as typeof creator)).ask(), 3)
  const datastore = createMemoryDatastore()
  const spare = await open(outside as typeof creator, datastore)
  await t.rejects(spare.ask(), { code: 'DEAL_NOT_DRAWN' })
  await spare.draw()
  t.equal(await spare.ask(), 3)
  t.equal(await (await open(outside as typeof creator, datastore)).ask(), 3)
  t.equal(await (await open(outside as typeof creator, createMemoryDatastore(), list.mediators.filter((address) => address !== panel[2]))).ask(), 3, 'one that is not bonded any more is passed over')
})

t.test('a verdict is given once for a manifest of a deal, over restarts and whatever output root comes with it', async (t) => {
  let fetched = 0
  const datastore = createMemoryDatastore()
  const seated = signers.find(({ address }) => address === panel[0]) as typeof creator
  const fresh = async (): ReturnType<typeof open> => await open(seated, datastore, list.mediators, async () => { fetched++; throw new Error('gone') })
  const first = await fresh()
  await Promise.all([first.ask(), first.ask()])
  const looks = fetched
  t.ok(looks > 0)
  await first.ask(requestOf(deal, hash(3)))
  await (await fresh()).ask()
  await (await fresh()).ask(requestOf(deal, hash(3)))
  t.equal(fetched, looks, 'it looked once')
  t.equal(datastore.synced, 1, 'and wrote it through')
  // The same document for another deal, whose salts draw the same mediator: a verdict names its deal.
  const others = [2, 3, 4, 5, 6, 7, 8].map((jobNumber) => signDeal({ domain: DOMAIN, creator, provider, now: 1000, jobNumber, feeTo: deal.terms.core.feeTo, mediators: list, rest: { verdicts: 2, jobOfferId: record.id } }))
  const other = others.find(({ salts, dealId }) => drawPanel(drawSeed(salts.creator, salts.provider, dealId), list, 3, () => true).includes(seated.address)) as typeof deal
  await first.ask(requestOf(other))
  t.equal(fetched, 2 * looks)
})

t.test('a mediator that stops while it judges gives no verdict', async (t) => {
  const datastore = createMemoryDatastore()
  const began = Promise.withResolvers<undefined>()
  const mediator = await open(signers.find(({ address }) => address === panel[0]) as typeof creator, datastore, list.mediators, async ({ signal }) => await new Promise<never>((_resolve, reject) => {
    began.resolve(undefined)
    signal.addEventListener('abort', () => { reject(signal.reason as Error) })
  }))
  const asked = t.rejects(mediator.ask(), { message: 'the node is stopping' })
  await began.promise
  await mediator.stop()
  await asked
  t.equal(datastore.data.size, 0)
})

t.test('a deal whose escrow is not on chain is not looked at, whoever signed it; a verdict that was given is repeated after its end', async (t) => {
  let fetched = 0
  const mediator = await open(atSeat(0), createMemoryDatastore(), list.mediators, async () => { fetched++; throw new Error('gone') })
  for (const state of ['None', 'Settled', 'Refunded', 'MediationRejected'] as const) {
    chainSays.state = state
    await t.rejects(mediator.ask(), { code: 'DEAL_NOT_LIVE' }, state)
  }
  t.equal(fetched, 0)
  chainSays.state = 'Drawn'
  t.equal(await mediator.ask(), 3)
  chainSays.state = 'Settled'
  t.equal(await mediator.ask(), 3)
})

t.test('a verdict is forgotten when the longest dispute would be over and the chain says an end, and is then never given anew', async (t) => {
  const datastore = createMemoryDatastore()
  const mediator = await open(atSeat(0), datastore)
  await mediator.ask()
  /** The mediator looks every hour; what it does then hangs on promises alone. */
  const anHour = async (): Promise<number> => {
    clock.advance(3_600_000)
    await new Promise((resolve) => { setImmediate(resolve) })
    return datastore.data.size
  }
  chainSays.state = 'Settled'
  chainSays.now = lastWordBy(deal.terms, UNBOND_SECONDS)
  t.equal(await anHour(), 1, 'there is time for a dispute')
  chainSays.now++
  chainSays.state = 'Open'
  t.equal(await anHour(), 1, 'somebody is late')
  chainSays.state = 'Settled'
  t.equal(await anHour(), 0)
  await t.rejects(mediator.ask(), { code: 'DEAL_NOT_LIVE' })
  await mediator.stop()
})
