import t, { type Test } from 'tap'
import type { JobView } from '../../src/api/facade.ts'
import { nullifyCall, openCall } from '../../src/chain/calls.ts'
import { createChain, type Chain } from '../../src/chain/chain.ts'
import { createReads } from '../../src/chain/reads.ts'
import { createClients } from '../../src/chain/clients.ts'
import { domainOf } from '../../src/chain/deployment.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { nullifyDigest } from '../../src/wire/deal-messages.ts'
import { dealTermsDigest, type Consent, type DealTerms } from '../../src/wire/deal-terms.ts'
import { parseShape, type Address } from '../../src/wire/shapes.ts'
import { jobOfferShape } from '../../src/wire/job-offer.ts'
import { resourceOfferShape } from '../../src/wire/resource-offer.ts'
import { namedSigner } from '../support/chain.ts'
import { signDeal } from '../support/deals.ts'
import { openTestDevnet, type TestDevnet } from '../support/devnet.ts'
import { until } from '../support/lilynode.ts'

t.setTimeout(300_000)

const signal = AbortSignal.timeout(300_000)
const thief = namedSigner('thief')
let net: TestDevnet
/** The thief's own line to the chain. */
let chain: Chain
let now: number
t.before(async () => {
  net = await openTestDevnet(t, { name: 'consent', providers: 1, solvers: 1 })
  const { network } = net.devnet()
  const clients = createClients({ rpcUrls: network.rpcUrls, chainId: network.deployment.chainId, requestTimeoutMs: 5_000 })
  await clients.request('anvil_setBalance', [thief.address, '0xde0b6b3a7640000'])
  chain = createChain({ signer: thief, clock: createSystemClock(), logger: silentLogger }, { deployment: network.deployment, rpcUrls: network.rpcUrls, devnet: true })
  await chain.start()
  t.teardown(chain.stop)
  now = await chain.blockTime()
})
const refused = async (t: Test, consent: Consent, what: string, error: string | RegExp = 'BadSignature'): Promise<void> => {
  await t.rejects(chain.send(openCall(chain, consent), { name: 'open', signal }), { code: 'CHAIN_REVERTED', data: { error } }, what)
}

t.test('a third key that reads a public offer cannot open a deal with it, at any price', async (t) => {
  // A job in the open that nobody takes, and the offers beside it: all that the book shows to strangers.
  const { id } = await net.client('creator-1').submit({ module: 'cowsay:v0.0.4', inputs: {}, maxPrice: 1000 })
  const { job, offer } = await until(async () => {
    const { jobs: [job], offers: [offer] } = await net.client('bootstrap').book()
    return job !== undefined && offer !== undefined && { job, offer }
  })
  const body = parseShape(jobOfferShape, job.body, 'job')
  parseShape(resourceOfferShape, offer.body, 'offer')
  const domain = domainOf(net.devnet().network.deployment)
  const creator = job.account as Address
  const provider = offer.account as Address
  const { terms } = signDeal({ domain, creator: thief, provider: thief, now, jobNumber: body.jobNumber, feeTo: thief.address, core: { lane: 1 } })
  const before = await Promise.all([chain.account(creator), chain.account(provider)])
  for (const price of [0, 1, 1000, 1_000_000_000]) {
    const wanted: DealTerms = { core: { ...terms.core, creator, provider, price, collateral: 3 * price, fee: 0, attempt: body.attempt, openBy: now + 3600 }, rest: { ...terms.rest, jobOfferId: job.id as `0x${string}`, resourceOfferId: offer.id as `0x${string}`, startBy: now + 7200 } }
    const own = thief.sign(dealTermsDigest(domain, wanted))
    await refused(t, { terms: wanted, creatorSignature: own, providerSignature: own }, `price ${price}, signed by the thief for both`)
    await refused(t, { terms: wanted, creatorSignature: `0x${'0'.repeat(130)}`, providerSignature: `0x${'0'.repeat(130)}` }, `price ${price}, not signed at all`)
  }
  t.same(await Promise.all([chain.account(creator), chain.account(provider)]), before, 'nobody\'s money moved')
  await net.client('creator-1').cancel(id)
})

t.test('one consent is not two: half signed, changed or repeated it is refused', async (t) => {
  const domain = domainOf(net.devnet().network.deployment)
  const other = namedSigner('other')
  const deal = signDeal({ domain, creator: thief, provider: other, now, jobNumber: 1, feeTo: thief.address, core: { openBy: now + 3600, price: 0, fee: 0, collateral: 0, reserve: 0 } })
  const { consent } = deal
  await refused(t, { ...consent, providerSignature: consent.creatorSignature }, 'the creator\'s signature twice')
  await refused(t, { ...consent, creatorSignature: consent.providerSignature, providerSignature: consent.creatorSignature }, 'swapped')
  for (const change of [{ price: 1 }, { fee: 1 }, { feeTo: other.address }, { lane: 7 }, { jobNumber: 2 }, { attempt: 1 }]) {
    await refused(t, { ...consent, terms: { ...consent.terms, core: { ...consent.terms.core, ...change } } }, `with ${JSON.stringify(change)}`, /BadSignature|Collateral/)
  }
  t.match(await chain.send(openCall(chain, consent), { name: 'open', signal }), { status: 'success' }, 'as it was signed it opens')
  await refused(t, consent, 'once', 'Nullified')
})

t.test('a job that was nullified cannot be opened, whatever the attempt', async (t) => {
  const domain = domainOf(net.devnet().network.deployment)
  const jobNumber = 3
  await chain.send(nullifyCall(chain, { creator: thief.address, jobNumber, signature: thief.sign(nullifyDigest(domain, { jobNumber })) }), { name: 'nullify', signal })
  for (const attempt of [0, 1, 7]) {
    const { consent } = signDeal({ domain, creator: thief, provider: namedSigner('other'), now, jobNumber, feeTo: thief.address, core: { openBy: now + 3600, attempt, lane: 100 + attempt, price: 0, fee: 0, collateral: 0, reserve: 0 } })
    await refused(t, consent, `attempt ${attempt}`, 'Nullified')
  }
})

t.test('cancelled jobs are never opened, whenever the cancellation comes', async (t) => {
  const creator = net.client('creator-1')
  const { network } = net.devnet()
  const reads = createReads({ clients: createClients({ rpcUrls: network.rpcUrls, chainId: network.deployment.chainId, requestTimeoutMs: 5_000 }) }, network.deployment)
  const account = net.node('creator-1').account as Address
  const outcomes = await Promise.all(Array.from({ length: 12 }, async (_, index) => {
    const { id } = await creator.submit({ module: 'noop:v0.0.1', inputs: {}, cpuMilli: 10, memoryMiB: 16 })
    // From before the auction to after the consent.
    await new Promise((resolve) => { setTimeout(resolve, index * 250) })
    const cancelled = await creator.cancel(id).then(() => true, (error: unknown) => { if ((error as { code?: string }).code !== 'JOB_BOUND' && (error as { code?: string }).code !== 'JOB_OVER') throw error; return false })
    return { id, cancelled }
  }))
  t.ok(outcomes.some(({ cancelled }) => cancelled), 'some were in time')
  for (const { id, cancelled } of outcomes) {
    if (!cancelled) {
      await net.untilJob(creator, id, (job: JobView) => job.state === 'ResultsAccepted' && job.result !== undefined)
      continue
    }
    const job = await creator.job(id)
    t.equal(job.state, 'Cancelled')
    for (const deal of job.deals) t.match(deal, { state: 'Cancelled', transactions: [] })
  }
  t.equal((await reads.account(account)).locked, 0, 'nothing of the creator\'s is locked')
})

t.test('no connection left the machine', async (t) => {
  t.equal(await net.sandbox.strays(), '')
})
