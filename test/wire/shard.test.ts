import { readFileSync } from 'node:fs'
import t from 'tap'
import { bodyShard, COMMON_SHARD, marketShard, recordShard, slotAt, slotPlace, slotShard } from '../../src/wire/shard.ts'
import { jobBody, offerBody } from '../support/records.ts'

const GPU = { models: [], vramMiB: 1, shareBp: 1 }

t.test('the default market has the first two shards, and a named one an even pair behind them', async (t) => {
  t.strictSame([bodyShard(jobBody()), bodyShard(jobBody({ gpus: [GPU] }))], [0, 1])
  t.strictSame([bodyShard(offerBody()), bodyShard(offerBody({ gpus: [{ model: 'x', vramMiB: 1, shareBp: 0, secondAsk: 0 }] }))], [0, 1], 'a device without a free share is one')
  const pairs = new Set<number>()
  for (let n = 0; n < 1000; n++) {
    const cpu = marketShard(`market-${n}`, 'cpu')
    t.ok(cpu >= 2 && cpu < COMMON_SHARD && cpu % 2 === 0)
    if (marketShard(`market-${n}`, 'gpu') !== cpu + 1) t.fail('gpu is next to cpu')
    pairs.add(cpu)
  }
  t.equal(pairs.size, 63, 'all pairs are used')
})

t.test('a slot says its shard and its place there, and the two give the slot back', async (t) => {
  for (const [slot, shard, place] of [[0, 0, 0], [2 ** 24 - 1, 0, 2 ** 24 - 1], [2 ** 24, 1, 0], [2 ** 31 - 1, 127, 2 ** 24 - 1], [2 ** 31, COMMON_SHARD, 0], [2 ** 32 - 1, COMMON_SHARD, 2 ** 31 - 1]] as const) {
    t.strictSame([slotShard(slot), slotPlace(slot), slotAt(shard, place)], [shard, place, slot])
  }
})

t.test('a proof is common, whatever slot it is about', async (t) => {
  t.equal(recordShard({ kind: 'equivocation', slot: slotAt(5, 1) }), COMMON_SHARD)
  t.equal(recordShard({ kind: 'cancel', slot: slotAt(5, 1) }), 5)
  t.equal(recordShard({ kind: 'module', slot: 2 ** 31 }), COMMON_SHARD)
})

t.test('protocol/vectors/shard.json', async (t) => {
  const { markets, records } = JSON.parse(readFileSync(new URL('../../protocol/vectors/shard.json', import.meta.url), 'utf8'))
  for (const { market, cpu, gpu } of markets) t.strictSame([marketShard(market, 'cpu'), marketShard(market, 'gpu')], [cpu, gpu], market)
  for (const { kind, slot, shard, place } of records) t.strictSame([recordShard({ kind, slot }), slotPlace(slot)], [shard, place])
})
