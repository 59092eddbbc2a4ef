import t from 'tap'
import { createShardPeers, shardRoles } from '../../src/book/shard-peers.ts'
import { SHARD_PEERS } from '../../src/book/options.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { COMMON_SHARD, marketShard } from '../../src/wire/shard.ts'
import { recordsTopic } from '../../src/wire/topics.ts'

const RENDER = marketShard('render', 'cpu')
const SHARDS = [0, RENDER, COMMON_SHARD]
const CHAIN = 31_337
const TOPIC = recordsTopic(CHAIN, RENDER)

t.test('a node looks for others of its named markets while few of its peers follow them; one of the default market looks for none', async (t) => {
  const clock = createManualClock()
  const asked: Array<{ role: string, count: number }> = []
  const readers = new Map([[TOPIC, ['a']]])
  const mesh = { topics: { readers: (topic: string) => readers.get(topic) ?? [] }, roles: { meet: async (role: string, { count }: { count: number }) => { asked.push({ role, count }) } } } as never
  const turn = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await new Promise((resolve) => { setImmediate(resolve) })
  }
  for (const shards of [SHARDS, [0, 1, COMMON_SHARD]]) {
    const peers = createShardPeers({ mesh, clock, logger }, { chainId: CHAIN, shards })
    await peers.start()
    await turn(SHARD_PEERS.firstLookMs)
    if (shards === SHARDS) {
      t.strictSame(asked.splice(0), [{ role: `shard-${RENDER}`, count: SHARD_PEERS.wanted - 1 }])
      readers.set(TOPIC, ['a', 'b', 'c'])
    }
    await turn(SHARD_PEERS.lookMs)
    await peers.stop()
    await turn(SHARD_PEERS.lookMs)
    t.strictSame(asked, [])
  }
  t.strictSame(shardRoles([0, 1, COMMON_SHARD]), [])
})
