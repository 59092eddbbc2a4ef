import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { numberToHex } from 'viem'
import { openCall, settleCall } from '../src/chain/calls.ts'
import { createSystemClock } from '../src/core/clock.ts'
import { silentLogger } from '../src/core/logger.ts'
import { leavesWord } from '../src/deal/batched.ts'
import { createBatcher } from '../src/roles/batch/batcher.ts'
import { DEVNET_PACE } from '../src/roles/batch/gathering.ts'
import { serveOpen } from '../src/roles/opening.ts'
import { createDatastore } from '../src/store/datastore.ts'
import { encodeMessage } from '../src/wire/deal-room.ts'
import { acceptanceDigest } from '../src/wire/deal-messages.ts'
import { dealIdOf, dealTermsDigest, type DealTerms } from '../src/wire/deal-terms.ts'
import type { Address, Hash } from '../src/wire/shapes.ts'
import { statementDigest } from '../src/wire/statement.ts'
import { startTestChain } from '../test/support/chain.ts'
import { atLeast, atMost, reported, type Bench } from './figure.ts'
import { dealsOf, hash } from './gas/batch.ts'
import { createParties, type Parties } from './gas/parties.ts'

const WAVE = 256
const CREATORS = 64
const PROVIDERS = 13
/** Waves that are not settled yet. */
const IN_FLIGHT = 4
const GOAL = 300
const PEER = '12D3KooWGRUaWVaBBzXLTBZcZRGVZFKTLSVKGfQXsJJuXzqHRdrs'
const NO_MEDIATORS = { mediators: [], weights: [] }

type Signed = { terms: DealTerms, creatorSignature: Hash, providerSignature: Hash }

/**
 * What one solver node settles on the embedded chain: its request handler with both signatures checked and a promise signed, its journal on disk, its queue of
 * transactions, anvil. Creators and providers sign in this process as well. The baseline opens and settles each deal by itself, eight at once.
 */
export const benchSettle: Bench = async ({ sizes, quick, progress }) => {
  const seconds = sizes.seconds ?? (quick ? 5 : 60)
  const test = await startTestChain({ parameters: { unbondSeconds: 86_400 } })
  const folder = await mkdtemp(join(tmpdir(), 'lilynode-settle-'))
  const stops: Array<() => Promise<void>> = []
  try {
    const parties = await createParties(test, { creators: CREATORS, providers: PROVIDERS })
    const { solver: chain } = parties
    const { domain } = chain
    const direct = await directRate(parties, Math.min(seconds, 10))
    progress(`each by itself: ${direct.toFixed(0)} deals/s`)
    const clock = createSystemClock()
    const datastore = createDatastore({ logger: silentLogger }, { path: join(folder, 'datastore') })
    await datastore.start()
    stops.push(datastore.stop)
    const places = new Map<Hash, (batch: Hash, leaf: number) => void>()
    // Both parties are told; the second time nobody waits any more.
    const room = { leaf: async (_peer: string, dealId: Hash, { batch, leaf }: { batch: Hash, leaf: number }) => { places.get(dealId)?.(batch, leaf); places.delete(dealId) } }
    const batcher = createBatcher({ chain, room, datastore, clock, logger: silentLogger }, { pace: DEVNET_PACE, settleSeconds: 2 })
    await batcher.start()
    stops.push(batcher.stop)
    let answer = async (_payload: Uint8Array): Promise<Uint8Array> => await Promise.reject(new Error('nobody serves'))
    const mesh = { requests: { serve: (_protocol: string, _limits: unknown, handler: (payload: Uint8Array, context: { peer: string }) => Promise<Uint8Array>) => { answer = async (payload) => await handler(payload, { peer: PEER }); return () => undefined } } }
    serveOpen({ mesh, batcher, auction: { feeOf: () => 0 }, chain, signer: parties.solverSigner, clock, logger: silentLogger } as unknown as Parameters<typeof serveOpen>[0], AbortSignal.timeout(600_000))
    /** Leaves that a creator has named of a batch: two waves may share one, and the later statement says all of the earlier. */
    const named = new Map<string, bigint>()
    let settled = 0
    let paid = 0
    chain.onEvent((event) => { if (event.name === 'BatchSettled') settled += [...event.args.leaves.toString(2)].filter((bit) => bit === '1').length })
    const before = await providersHold(parties)

    const runWave = async (wave: number): Promise<void> => {
      const deals = sign(parties, dealsOf(parties, WAVE, wave, await chain.blockTime() + 60, NO_MEDIATORS))
      const stands = deals.map(async ({ terms: { core } }) => await new Promise<{ creator: Address, batch: Hash, leaf: number }>((resolve) => {
        places.set(dealIdOf(domain, core.creator, core.jobNumber, 0), (batch, leaf) => { resolve({ creator: core.creator, batch, leaf }) })
      }))
      await Promise.all(deals.map(async (consent) => await answer(encodeMessage({ type: 'open', ...consent, providerPeer: PEER }))))
      const byCreator = Map.groupBy(await Promise.all(stands), ({ creator, batch }) => `${creator} ${batch}`)
      for (const leaves of byCreator.values()) {
        const { creator, batch } = leaves[0] as typeof leaves[number]
        const all = BigInt(leavesWord(leaves.map(({ leaf }) => leaf))) | (named.get(`${creator} ${batch}`) ?? 0n)
        named.set(`${creator} ${batch}`, all)
        const word = numberToHex(all, { size: 32 })
        const signer = parties.creators.find(({ address }) => address === creator)
        if (signer === undefined) throw new Error('a creator that nobody knows')
        const signature = signer.sign(statementDigest(domain, { batch, creator, leaves: BigInt(word), lines: [] }))
        await answer(encodeMessage({ type: 'statement', batch, creator, leaves: word, signature }))
      }
      paid += deals.reduce((sum, { terms: { core } }) => sum + core.price, 0)
    }

    const startMs = performance.now()
    let wave = DIRECT_ROUNDS
    const running = new Set<Promise<void>>()
    let sent = 0
    while (performance.now() - startMs < seconds * 1000) {
      if (running.size >= IN_FLIGHT || sent - settled > IN_FLIGHT * WAVE) {
        await Promise.race([...running, delay(20)])
        continue
      }
      sent += WAVE
      const one: Promise<void> = runWave(wave++).finally(() => { running.delete(one) })
      running.add(one)
    }
    const inTime = settled
    const tookMs = performance.now() - startMs
    await Promise.all(running)
    for (const until = performance.now() + 20_000; settled < sent && performance.now() < until;) await delay(50)
    const { locked } = await chain.account(chain.address)
    const gained = await providersHold(parties) - before
    progress(`${sent} deals in ${(tookMs / 1000).toFixed(1)} s; ${sent - settled} stuck, ${locked} nLILY locked, providers gained ${gained} of ${paid} nLILY`)
    return [
      atLeast(`settled by one node over ${Math.round(tookMs / 1000)} s`, inTime / tookMs * 1000, GOAL, 'deals/s', { name: 'each opened and settled by itself, this run', value: direct }),
      atMost('deals that are not settled 20 s after the last', sent - settled, 0, 'deals'),
      atMost('nLILY that stay locked, or went elsewhere', locked + Math.abs(gained - paid), 0, 'nLILY'),
      reported('deals settled in all', settled, 'deals')
    ]
  } finally {
    for (const stop of stops.reverse()) await stop()
    await test.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Job numbers below are the baseline's. */
const DIRECT_ROUNDS = 1024

function sign (parties: Parties, deals: readonly DealTerms[]): Signed[] {
  const signers = new Map([...parties.creators, ...parties.providers].map((signer) => [signer.address, signer]))
  return deals.map((terms) => {
    const digest = dealTermsDigest(parties.solver.domain, terms)
    const by = (account: Address): Hash => {
      const signer = signers.get(account)
      if (signer === undefined) throw new Error(`nobody signs for ${account}`)
      return signer.sign(digest)
    }
    return { terms, creatorSignature: by(terms.core.creator), providerSignature: by(terms.core.provider) }
  })
}

async function providersHold ({ providers, solver }: Parties): Promise<number> {
  const funds = await Promise.all(providers.map(async ({ address }) => (await solver.session(address, 1)).funds))
  return funds.reduce((sum, each) => sum + each, 0)
}

/** Deals a second that the same key opens and settles directly. */
async function directRate (parties: Parties, seconds: number): Promise<number> {
  const { solver: chain } = parties
  const { domain } = chain
  const startMs = performance.now()
  let settled = 0
  let round = 0
  await Promise.all(Array.from({ length: 8 }, async (_, lane) => {
    while (performance.now() - startMs < seconds * 1000) {
      const [plain] = dealsOf(parties, 1, round++, await chain.blockTime() + 60, NO_MEDIATORS)
      if (plain === undefined) return
      const signal = AbortSignal.timeout(30_000)
      const core = { ...plain.core, lane, price: 1000, fee: 50, collateral: 2500 }
      const [consent] = sign(parties, [{ ...plain, core }])
      if (consent === undefined) return
      await chain.send(openCall(chain, consent), { name: 'open', signal })
      const manifest = hash(7)
      const creator = parties.creators.find(({ address }) => address === core.creator)
      const acceptance = creator?.sign(acceptanceDigest(domain, { dealId: dealIdOf(domain, core.creator, core.jobNumber, 0), manifest }))
      if (acceptance !== undefined) await chain.send(settleCall(chain, consent.terms, manifest, acceptance), { name: 'settle', signal })
      settled++
    }
  }))
  return settled / (performance.now() - startMs) * 1000
}
