import { loadNetworks } from '../config/network.ts'
import type { NetworkOptions } from '../node/options.ts'
import { listFlag, type CommandContext } from './commands/context.ts'
import { CliError } from './errors.ts'

interface Own { listen: string[], announce: string[], markets: string[], delegationPath?: string, fleetPath?: string }

/** Flags whose value belongs to one network. */
const OWN_FLAGS: Readonly<Record<string, (own: Own, value: string) => Partial<Own>>> = {
  listen: ({ listen }, value) => ({ listen: [...listen, value] }),
  announce: ({ announce }, value) => ({ announce: [...announce, parseMultiaddr(value)] }),
  markets: ({ markets }, value) => ({ markets: [...markets, ...value.split(',').map((name) => name.trim())] }),
  delegation: (_own, value) => ({ delegationPath: value }),
  fleet: (_own, value) => ({ fleetPath: value })
}

/**
 * The networks of `--network`, each with what the flags say of it (protocol/network.md, One process on several networks). Throws
 * CliError USAGE_NETWORK for a name that none of several networks has, and like loadNetworks where there are several.
 */
export async function networkFlags (context: CommandContext): Promise<[NetworkOptions, ...NetworkOptions[]]> {
  const files = listFlag(context, 'network')
  // The names are needed only to tell several apart.
  const names = files.length > 1 ? (await loadNetworks(files)).map(({ name }) => name) : []
  const networks = Array.from({ length: Math.max(1, files.length) }, (): Own => ({ listen: [], announce: [], markets: [] }))
  for (const [flag, add] of Object.entries(OWN_FLAGS)) {
    for (const text of listFlag(context, flag)) {
      const { place, value } = placeOf(names, flag, text)
      const own = networks[place] as Own
      Object.assign(own, add(own, value))
    }
  }
  const [first, ...others] = networks.map(({ markets, ...own }, place): NetworkOptions => ({ path: files[place], ...own, ...(markets.length === 0 ? {} : { markets }) }))
  return [first as NetworkOptions, ...others]
}

/** `NAME=VALUE` is for the network of that name; a value alone for the first. */
function placeOf (names: readonly string[], flag: string, text: string): { place: number, value: string } {
  const [, name, value = ''] = (names.length > 1 ? /^([a-z0-9-]{1,32})=(.*)$/s.exec(text) : null) ?? []
  if (name === undefined) return { place: 0, value: text }
  const place = names.indexOf(name)
  if (place < 0) throw new CliError('USAGE_NETWORK', `--${flag} ${text}: no network "${name}"`, { data: { flag, network: name, networks: names }, hint: `The networks are ${names.join(', ')}; write a path that has a "=" as ./PATH.` })
  return { place, value }
}

/** A multiaddr as far as a node's own can be checked: where it is and by which transport. Throws CliError USAGE_ANNOUNCE. */
function parseMultiaddr (text: string): string {
  if (!/^\/(ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d{1,5}(\/wss?|\/tls\/ws)?$/.test(text)) throw new CliError('USAGE_ANNOUNCE', `--announce ${text} is not an address like /ip4/192.0.2.1/tcp/4001`, { data: { address: text }, hint: 'Name where others reach this node, without a peer id: /ip4/192.0.2.1/tcp/4001, or /dns4/node.example/tcp/443/wss behind a reverse proxy.' })
  return text
}
