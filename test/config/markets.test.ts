import t from 'tap'
import { followedShards, shardName } from '../../src/config/markets.ts'
import { COMMON_SHARD, marketShard } from '../../src/wire/shard.ts'

const network = { markets: ['render', 'science'] }
const render = marketShard('render', 'cpu')
const science = marketShard('science', 'cpu')

t.test('a node follows every market of its network, or those it is told to, and what is common', async (t) => {
  t.strictSame(followedShards({}), [0, 1, COMMON_SHARD])
  t.strictSame(new Set(followedShards(network)), new Set([0, 1, render, render + 1, science, science + 1, COMMON_SHARD]))
  t.strictSame(followedShards(network, ['default/gpu']), [1, COMMON_SHARD])
  t.strictSame(followedShards(network, ['render', 'render/gpu', 'default']), [0, 1, render, render + 1, COMMON_SHARD])
})

t.test('a market that the network does not have is refused by name', async (t) => {
  for (const name of ['rendr', '', 'render/tpu', 'render/', 'common', '/gpu']) t.throws(() => followedShards(network, ['default', name]), { code: 'CONFIG_MARKET', data: { market: name, markets: ['default', 'render', 'science'] } }, name)
})

t.test('shards are called as they are followed', async (t) => {
  t.strictSame([0, 1, render + 1, COMMON_SHARD, 3].map((shard) => shardName(network, shard)), ['default/cpu', 'default/gpu', 'render/gpu', 'common', 'shard 3'])
})
