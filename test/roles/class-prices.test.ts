import t from 'tap'
import { createSeededRandom } from '../../src/core/random.ts'
import { createSigner, type Signer } from '../../src/identity/signer.ts'
import { createCompetition } from '../../src/match/competition.ts'
import { DEFAULT_AUCTION_RULES } from '../../src/match/options.ts'
import { phasesOf } from '../../src/match/phases.ts'
import type { Snapshot } from '../../src/match/problem.ts'
import { createClassPrices, type ClassPrices } from '../../src/roles/class-prices.ts'
import { certificateIdOf } from '../../src/wire/auction.ts'
import { certificateOf, createTestCertifier } from '../support/certifier.ts'
import { say } from '../support/said.ts'
import { address, AT_MS, book, hash, job, offer } from '../match/rows.ts'

const domain = { chainId: 31337, market: address(0xfeed) }
const phases = phasesOf(DEFAULT_AUCTION_RULES, AT_MS / 1000 - 70, 7)
const keys = createSeededRandom(12)
const signers = Array.from({ length: 6 }, () => createSigner(keys.bytes(32)))
const [ann, bob, cat] = signers as [Signer, Signer, Signer]
const snapshot = book([1, 2, 3].map((number) => job(number)), [1, 2, 3].map((number) => offer(number)))
const pair = { job: job(1), offer: offer(1), devices: [] }
/** The welfare of each pair is 100, so that rents of 0 bound the score by 300; a rent of 1 per milli-core adds 3 x 100 - 3 x 10 to that, until a job's welfare is used up. */
const [none, high] = [certificateOf(0), certificateOf(50)]

/** A node that heard these solvers state these prices, and what it computed. */
function node (heard: Array<[Signer, Uint8Array]>, change: { rules?: Partial<typeof DEFAULT_AUCTION_RULES>, snapshot?: Snapshot, bonded?: Signer[], nowMs?: number } = {}): { prices: ClassPrices, certifier: ReturnType<typeof createTestCertifier> } {
  const rules = { ...DEFAULT_AUCTION_RULES, ...change.rules }
  const competition = createCompetition({ domain, isBonded: (solver) => change.bonded?.some(({ address }) => address === solver) ?? true }, { phases, rules })
  for (const [signer, prices] of heard) {
    const { commit, reveal, certificate } = say(domain, signer, { solution: { epoch: 7, engine: 'test', matches: [] }, epoch: 7, salt: hash(9), prices })
    competition.addCommit(commit, phases.epochStart)
    competition.addReveal(reveal, phases.commitDeadline)
    competition.addCertificate(certificate, phases.commitDeadline)
  }
  const held = change.snapshot ?? snapshot
  const certifier = createTestCertifier()
  const prices = createClassPrices({ certifier, nowMs: () => change.nowMs ?? phases.fallbackDeadline }, { rules, epochOf: (epoch) => epoch === 7 ? { competition, snapshot: held, ranking: competition.ranking(held) } : undefined })
  return { prices, certifier }
}
const idOf = (signer: Signer, certificate: Uint8Array): `0x${string}` => certificateIdOf(signer.address, certificate)
const ids = (...stated: Array<[Signer, Uint8Array]>): string[] => stated.map(([signer, certificate]) => idOf(signer, certificate)).sort()

t.test('the price comes from the certificates of the lowest bounds', async (t) => {
  const { prices } = node([[ann, certificateOf(1)], [bob, high], [cat, certificateOf(0, 1)]])
  t.same(prices.setFor(7, pair), ids([ann, certificateOf(1)], [cat, certificateOf(0, 1)]), 'one that is far off does not count')
  t.equal(prices.priceFor(7, pair, prices.setFor(7, pair)), 150, 'lower median of (1, 0) and (0, 1)')
  t.equal(prices.priceFor(7, pair, [idOf(ann, certificateOf(1))]), 160)
  t.equal(prices.priceFor(7, pair, []), 200, 'the reference price without certificates')
})

t.test('solvers that state the same prices count each, so that one more with others moves nothing', async (t) => {
  const [usual, moved] = [certificateOf(1), certificateOf(0, 0)]
  const honest = node([[ann, usual], [bob, usual]]).prices
  t.same(honest.setFor(7, pair), ids([ann, usual], [bob, usual]))
  const { prices } = node([[ann, usual], [bob, usual], [cat, moved]], { rules: { nearBp: 10_000 } })
  t.equal(prices.setFor(7, pair).length, 3, 'it counts as well')
  t.equal(prices.priceFor(7, pair, prices.setFor(7, pair)), honest.priceFor(7, pair, honest.setFor(7, pair)))
})

t.test('a thin class has the reference price', async (t) => {
  const thin = book([job(1), job(2)], [offer(1), offer(2), offer(3)])
  t.same(node([[ann, none]], { snapshot: thin }).prices.setFor(7, pair), [])
  t.same(node([[ann, none]], { snapshot: thin, rules: { minAccounts: 2 } }).prices.setFor(7, pair), ids([ann, none]))
})

t.test('two sides that heard different solvers take all of them, and price alike', async (t) => {
  const creator = node([[ann, certificateOf(1)], [bob, certificateOf(1, 0, 0)]])
  const provider = node([[cat, certificateOf(0, 1)]])
  const [ours, theirs] = [creator.prices.setFor(7, pair), provider.prices.setFor(7, pair)]
  t.throws(() => provider.prices.priceFor(7, pair, ours), { code: 'AUCTION_PRICE_SET' }, 'what is not held cannot be taken')
  creator.prices.adopt(7, provider.prices.proofs(7, theirs))
  provider.prices.adopt(7, creator.prices.proofs(7, ours))
  const both = [...ours, ...theirs].sort()
  t.equal(creator.prices.priceFor(7, pair, both), provider.prices.priceFor(7, pair, both))
  t.same(creator.prices.setFor(7, pair), both)
})

t.test('a certificate of the other side is taken only if its solver is bonded and its bound is low here', async (t) => {
  const other = node([[bob, high]]).prices
  const proofs = other.proofs(7, other.setFor(7, pair))
  t.throws(() => { node([[ann, none]], { bonded: [ann] }).prices.adopt(7, proofs) }, { code: 'AUCTION_PRICE_SET', data: { code: 'AUCTION_UNBONDED' } })
  t.throws(() => { node([[ann, none]], { nowMs: phases.consentDeadline }).prices.adopt(7, proofs) }, { code: 'AUCTION_PRICE_SET' }, 'too late')
  const { prices } = node([[ann, none]])
  prices.adopt(7, proofs)
  t.throws(() => prices.priceFor(7, pair, [idOf(bob, high)]), { code: 'AUCTION_PRICE_SET' }, 'held, but its bound says nothing')
  t.throws(() => { prices.adopt(8, proofs) }, { code: 'AUCTION_PRICE_SET' }, 'an epoch that is not open')
  t.throws(() => { prices.adopt(7, [new Uint8Array(100)]) }, { code: /^WIRE_/ })
})

t.test('few bounds are computed, whatever is claimed', async (t) => {
  const heard = signers.map((signer, at): [Signer, Uint8Array] => [signer, certificateOf(0, 0, at)])
  const { prices, certifier } = node(heard, { rules: { maxBounds: 2 } })
  t.equal(prices.setFor(7, pair).length, 1, 'a rent on disk moves the bound')
  prices.setFor(7, { ...pair, job: job(2) })
  t.equal(certifier.computed, 2)
  for (const [signer, certificate] of heard) {
    try {
      prices.priceFor(7, pair, [idOf(signer, certificate)])
    } catch (error) {
      t.match(error, { code: 'AUCTION_PRICE_SET' })
    }
  }
  t.equal(certifier.computed, 4, 'twice as many when others name them')
})
