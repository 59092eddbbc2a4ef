import { createSeededRandom } from '../../src/core/random.ts'
import { createSigner, type Signer } from '../../src/identity/signer.ts'
import { createInstance } from '../../src/match/instance.ts'
import { DEFAULT_MATCH_RULES } from '../../src/match/options.ts'
import type { JobOffer } from '../../src/wire/job-offer.ts'
import { keccakBytes, keccakHex } from '../../src/wire/keccak.ts'
import type { ResourceOffer } from '../../src/wire/resource-offer.ts'
import type { Address, Hash } from '../../src/wire/shapes.ts'

/** One of the two halves of the mesh: nodes of a half see the same at the same time. */
export type HalfAt = 0 | 1
/** When each half sees something, unix ms. */
export type Times = readonly [number, number]

/** A job as its creator knows it: `value` is what the finished run is worth to it, nLILY; `offer` is what it says. */
export interface Job { readonly name: string, readonly account: Address, readonly value: number, readonly offer: JobOffer, readonly writtenMs: number, readonly seenMs: Times, readonly goneMs?: Times }
/** A machine as its provider knows it. `truth` holds the real capacity and what a run really costs. `goneMs`: when its owner takes it out of the book; nobody consents for such a record. */
export interface Unit { readonly name: string, readonly account: Address, readonly truth: ResourceOffer, readonly offer: ResourceOffer, readonly freeCollateral: number, readonly writtenMs?: number, readonly firstMs: Times, readonly goneMs?: Times }
/** A solver: how long it searches. Later ones are weaker. */
export interface Solver { readonly signer: Signer, readonly rounds: number, readonly half: HalfAt }
export interface World { readonly seed: number, readonly jobs: readonly Job[], readonly units: readonly Unit[], readonly solvers: readonly Solver[] }

export interface WorldSize { readonly creators: number, readonly providers: number, readonly epochs: number }

export const EPOCH_MS = 10_000
export const GENESIS_SECONDS = 1_700_000_040
const START_MS = GENESIS_SECONDS * 1000
/** Rounds of search of each solver: engines of different strength, so that there is a lead to earn. Steps of prices are as many as the engine takes for such a book. */
const STRENGTHS = [384, 192, 96, 32, 0] as const
/** Of the jobs so many percent stand in the book before the first epoch. */
const EARLY_PERCENT = 50
const RUN_SECONDS = [10, 40] as const

/** Bytes that depend on nothing but seed and name: who deviates disturbs nobody else's draws. */
export const idOf = (seed: number, name: string): Hash => keccakHex(new TextEncoder().encode(`${seed}:${name}`))
export const accountOf = (seed: number, name: string): Address => idOf(seed, `account:${name}`).slice(0, 42) as Address
/** An integer from 0 to below `bound` by seed and name. */
export const drawOf = (seed: number, name: string, bound: number): number => Number.parseInt(idOf(seed, `draw:${name}`).slice(2, 14), 16) % bound
export const halfOf = (account: Address): HalfAt => (Number.parseInt(account.slice(-1), 16) & 1) as HalfAt
export const signerOf = (seed: number, name: string): Signer => createSigner(keccakBytes(new TextEncoder().encode(`${seed}:key:${name}`)))

/** When the halves see what `account` publishes at `atMs`: its own at once, the other 100 to 900 ms later. */
export function spread (seed: number, name: string, account: Address, atMs: number): Times {
  const late = atMs + 100 + drawOf(seed, `delay:${name}`, 800)
  return halfOf(account) === 0 ? [atMs, late] : [late, atMs]
}

/** A seeded market: the demands, limits and asks of `createInstance`, with runs of 10 to 40 s, so that machines become free again. */
export function createWorld (seed: number, { creators, providers, epochs }: WorldSize): World {
  const book = createInstance(createSeededRandom(seed), { jobs: creators, offers: providers, rules: DEFAULT_MATCH_RULES, nowMs: START_MS, loadPercent: 220, gpuPercent: 25 })
  const untilMs = START_MS + (epochs + 10) * EPOCH_MS
  const jobs = book.jobs.map(({ offer }, at): Job => {
    const name = `creator-${at}`
    const account = accountOf(seed, name)
    const runSeconds = RUN_SECONDS[0] + drawOf(seed, `run:${name}`, RUN_SECONDS[1] - RUN_SECONDS[0] + 1)
    const limit = Math.floor(offer.limit * runSeconds / offer.runSeconds)
    const isEarly = drawOf(seed, `early:${name}`, 100) < EARLY_PERCENT
    const writtenMs = START_MS - 2 * EPOCH_MS + (isEarly ? drawOf(seed, `at:${name}`, EPOCH_MS) : EPOCH_MS + drawOf(seed, `at:${name}`, epochs * EPOCH_MS))
    return { name, account, value: limit, offer: { ...offer, runSeconds, limit, targets: [], avoid: [], validUntil: untilMs, deadline: untilMs + 600_000 }, writtenMs, seenMs: spread(seed, name, account, writtenMs) }
  })
  const units = book.offers.map(({ offer, freeCollateral }, at): Unit => {
    const name = `provider-${at}`
    const account = accountOf(seed, name)
    const own = { ...offer, maxRunSeconds: 3600, validUntil: untilMs }
    return { name, account, truth: own, offer: own, freeCollateral, firstMs: spread(seed, name, account, START_MS - EPOCH_MS) }
  })
  const solvers = STRENGTHS.map((rounds, at): Solver => ({ signer: signerOf(seed, `solver-${at}`), rounds, half: (at & 1) as HalfAt }))
  return { seed, jobs, units, solvers }
}
