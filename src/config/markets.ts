import { COMMON_SHARD, marketShard, RESOURCE_CLASSES, type ResourceClass } from '../wire/shard.ts'
import { ConfigError } from './errors.ts'
import type { Network } from './network.ts'

/** protocol/network.md, "Markets". What people call the market without a name. */
export const DEFAULT_MARKET = 'default'

interface MarketShard { name: string, shard: number }

/**
 * Shards of the named markets, `render`, or of one class of them, `render/gpu`; without names those of every market of the
 * network. The common shard is among them. Throws ConfigError CONFIG_MARKET.
 */
export function followedShards (network: Pick<Network, 'markets'>, names?: readonly string[]): number[] {
  const known = marketShards(network)
  const wanted = (names ?? marketNames(network)).flatMap((name) => {
    const found = known.filter((each) => each.name === name || each.name.startsWith(`${name}/`))
    if (found.length === 0) throw new ConfigError('CONFIG_MARKET', `the network has no market "${name}"`, { data: { market: name, markets: marketNames(network) }, hint: `Name some of ${marketNames(network).join(', ')}, or one class of it, like ${DEFAULT_MARKET}/gpu.` })
    return found.map(({ shard }) => shard)
  })
  return [...new Set([...wanted, COMMON_SHARD])].sort((a, b) => a - b)
}

/** What to call a shard: the markets in it, as `followedShards` takes them. */
export function shardName (network: Pick<Network, 'markets'>, shard: number): string {
  if (shard === COMMON_SHARD) return 'common'
  const names = marketShards(network).filter((each) => each.shard === shard).map(({ name }) => name)
  return names.length === 0 ? `shard ${shard}` : names.join(' + ')
}

function marketNames ({ markets }: Pick<Network, 'markets'>): string[] {
  return [DEFAULT_MARKET, ...markets ?? []]
}

function marketShards (network: Pick<Network, 'markets'>): MarketShard[] {
  return marketNames(network).flatMap((name) => RESOURCE_CLASSES.map((resource: ResourceClass) => ({ name: `${name}/${resource}`, shard: marketShard(name === DEFAULT_MARKET ? '' : name, resource) })))
}
