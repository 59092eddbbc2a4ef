import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { networkFlags } from '../../src/cli/network-flags.ts'
import type { CommandContext } from '../../src/cli/commands/context.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../src/deal/options.ts'
import { DEFAULT_MATCH_RULES, DEVNET_AUCTION_RULES } from '../../src/match/options.ts'
import { NOWHERE } from '../support/deployments.ts'

const HERE = '/ip4/192.0.2.1/tcp/4001'
const THERE = '/ip4/192.0.2.1/tcp/4002'
const read = async (flags: Record<string, string[]>): ReturnType<typeof networkFlags> => await networkFlags({ flags } as unknown as CommandContext)
async function files (folder: string): Promise<string[]> {
  return await Promise.all(['north', 'south'].map(async (name, index) => {
    const path = join(folder, `${name}.json`)
    await writeFile(path, JSON.stringify({ name, devnet: true, rpcUrls: ['http://127.0.0.1:8545'], deployment: { ...NOWHERE, chainId: index + 1 }, bootstrap: [], modulePublishers: [], match: DEFAULT_MATCH_RULES, auction: DEVNET_AUCTION_RULES, deal: DEVNET_DEAL_PARAMETERS }))
    return path
  }))
}

t.test('one network has all that is said; its file is not read here', async (t) => {
  t.same(await read({}), [{ path: undefined, listen: [], announce: [] }])
  t.same(await read({ network: ['none.json'], listen: [HERE], markets: ['default, render/gpu'], fleet: ['a=b.json'] }), [{ path: 'none.json', listen: [HERE], announce: [], markets: ['default', 'render/gpu'], fleetPath: 'a=b.json' }])
})

t.test('of several, what is named goes to its network, the rest to the first', async (t) => {
  const network = await files(t.testdir())
  t.same(await read({ network, listen: [HERE, `south=${THERE}`], announce: [`south=${THERE}`], markets: ['south=render'], delegation: ['south=./a=b.json', 'north=n.json'] }), [
    { path: network[0], listen: [HERE], announce: [], delegationPath: 'n.json' },
    { path: network[1], listen: [THERE], announce: [THERE], markets: ['render'], delegationPath: './a=b.json' }
  ])
})

t.test('wrong input is named', async (t) => {
  const network = await files(t.testdir())
  await t.rejects(read({ network, listen: [`east=${HERE}`] }), { code: 'USAGE_NETWORK', data: { flag: 'listen', network: 'east', networks: ['north', 'south'] } })
  await t.rejects(read({ network: [...network, ...network.slice(0, 1)] }), { code: 'CONFIG_NETWORK_TWICE' })
  await t.rejects(read({ network: [...network, join(t.testdirName, 'none.json')] }), { code: 'CONFIG_NETWORK_MISSING' })
  await t.rejects(read({ network, announce: ['south=here'] }), { code: 'USAGE_ANNOUNCE' })
})
