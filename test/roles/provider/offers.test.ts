import t from 'tap'
import { createManualClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { createCapacityLedger } from '../../../src/roles/provider/capacity.ts'
import { createOfferPublisher, type OfferPolicy } from '../../../src/roles/provider/offers.ts'
import type { SignedRecord } from '../../../src/wire/record.ts'
import { PLAIN_OFFER, type ResourceOffer } from '../../../src/wire/resource-offer.ts'
import { slotAt } from '../../../src/wire/shard.ts'
import type { Address } from '../../../src/wire/shapes.ts'
import { address, hash, PEER } from '../../deal/deals.ts'

const VALID_MS = 60_000

/** The unit with a GPU stands in the shard of GPUs. */
const LARGE_SLOT = slotAt(1, 11)

interface Put { slot: number, body: Pick<ResourceOffer, 'unit' | 'capacity' | 'ask' | 'mediators' | 'validUntil'> }
function setUp (): { offers: ReturnType<typeof createOfferPublisher>, clock: ReturnType<typeof createManualClock>, ledger: ReturnType<typeof createCapacityLedger>, puts: Put[], published: string[], cancelled: number[], mediators: Address[], policy: { isOpen: boolean, price: number }, turn: () => Promise<Put[]> } {
  const clock = createManualClock()
  const ledger = createCapacityLedger({ cpuMilli: 4000, memoryMiB: 4000, diskMiB: 4000 }, [{ name: 'small', share: 0.25 }, { name: 'large', share: 0.75, gpus: [{ model: 'a100', vramMiB: 40_960, shareBp: 10_000, secondAsk: 1000 }] }])
  const puts: Put[] = []
  const published: string[] = []
  const cancelled: number[] = []
  const mediators: Address[] = []
  const policy = { isOpen: true, price: 1 }
  const asked: OfferPolicy = { isOpen: () => policy.isOpen, ask: () => ({ base: policy.price, cpuMilliSecond: 1, memoryMiBSecond: 1, diskMiBSecond: 1 }) }
  const author = {
    put: async (_kind: string, slot: number, body: unknown) => { puts.push({ slot, body: body as Put['body'] }); return { id: hash(puts.length) } as SignedRecord },
    living: () => [{ kind: 'offer', slot: 10 }, { kind: 'offer', slot: 14 }, { kind: 'job', slot: 3 }],
    cancel: async (slot: number) => { cancelled.push(slot); return { id: hash(200 + slot) } as SignedRecord }
  }
  const offers = createOfferPublisher({ author: author as never, replica: { publish: async (record) => { published.push(record.id) }, book: { shards: [0] } as never }, ledger, policy: asked, clock, logger: silentLogger }, {
    template: { ...PLAIN_OFFER, engines: ['wasm'], modules: [], maxRunSeconds: 60, creators: [], peer: PEER },
    mediators: async () => [...mediators], validMs: VALID_MS, firstPlace: 10
  })
  return {
    offers, clock, ledger, puts, published, cancelled, mediators, policy,
    turn: async () => {
      const before = puts.length
      offers.refresh()
      clock.advance(100)
      await offers.settled()
      return puts.slice(before)
    }
  }
}

t.test('one offer per unit, each in its slot, with what is free', async (t) => {
  const { turn, offers, published, clock } = setUp()
  t.match(await turn(), [{ slot: 10, body: { unit: 'small', capacity: { cpuMilli: 1000 } } }, { slot: LARGE_SLOT, body: { unit: 'large', capacity: { cpuMilli: 3000 }, validUntil: clock.now() + VALID_MS } }])
  t.same(published, [hash(1), hash(2)])
  t.equal(offers.unitOf(hash(2)), 'large')
  t.equal(offers.unitOf(hash(9)), undefined)
})

t.test('published again when it changes or ages, else not', async (t) => {
  const { turn, ledger, clock, mediators, offers } = setUp()
  await turn()
  t.same(await turn(), [], 'nothing changed')
  ledger.reserve(hash(1), 'small', { cpuMilli: 400, memoryMiB: 10, diskMiB: 0 })
  t.match(await turn(), [{ slot: 10, body: { capacity: { cpuMilli: 600 } } }], 'only the unit that changed')
  t.equal(offers.unitOf(hash(1)), 'small', 'a proposal may still name the offer of before')
  mediators.push(address(7))
  t.equal((await turn()).length, 2, 'another mediator concerns all')
  clock.advance(VALID_MS / 2)
  t.equal((await turn()).length, 2, 'half of their time is over')
})

t.test('a burst of changes is one update; withdrawing takes every offer back', async (t) => {
  const { offers, clock, puts, cancelled } = setUp()
  for (let index = 0; index < 5; index++) offers.refresh()
  clock.advance(100)
  await offers.settled()
  t.equal(puts.length, 2)
  await offers.withdraw()
  t.same(cancelled, [10, LARGE_SLOT])
})

t.test('offers of an earlier run for units that are no more are taken out, and nothing else', async (t) => {
  const { offers, cancelled, published } = setUp()
  await offers.withdrawStale()
  t.same(cancelled, [14])
  t.same(published, [hash(214)])
})

t.test('the free share of each GPU is published, its price rounded up to a tick', async (t) => {
  const { turn, ledger } = setUp()
  t.match(await turn(), [{ body: { gpus: [] } }, { body: { gpus: [{ model: 'a100', shareBp: 10_000, secondAsk: 1017 }] } }])
  ledger.reserve(hash(1), 'large', { cpuMilli: 0, memoryMiB: 0, diskMiB: 0 }, [{ place: 0, shareBp: 2500 }])
  t.match(await turn(), [{ slot: LARGE_SLOT, body: { gpus: [{ model: 'a100', shareBp: 7500, secondAsk: 1017 }] } }])
})

t.test('another price is published at once, in every unit', async (t) => {
  const { turn, policy } = setUp()
  await turn()
  policy.price = 2
  t.match(await turn(), [{ slot: 10, body: { unit: 'small', ask: { base: 2 } } }, { slot: LARGE_SLOT, body: { unit: 'large', ask: { base: 2 } } }])
  t.same(await turn(), [], 'once')
})

t.test('a closed provider has no offers in the book, also none of an earlier run, and has them again when it opens', async (t) => {
  const { turn, policy, cancelled, published, offers } = setUp()
  policy.isOpen = false
  t.same(await turn(), [])
  t.same(cancelled.splice(0), [10], 'what the earlier run left in a slot of ours')
  policy.isOpen = true
  t.equal((await turn()).length, 2)
  policy.isOpen = false
  t.same(await turn(), [])
  t.same(cancelled.splice(0), [10, LARGE_SLOT])
  t.ok(published.includes(hash(200 + LARGE_SLOT)), 'the others hear of it')
  t.equal(offers.unitOf(hash(2)), 'large', 'a deal may still speak of an offer of before')
  policy.isOpen = true
  t.match(await turn(), [{ slot: 10 }, { slot: LARGE_SLOT }])
})
