import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { loadNetwork, loadNetworks, networkParametersHash, type Network } from '../../src/config/network.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../src/deal/options.ts'
import { DEFAULT_MATCH_RULES, DEVNET_AUCTION_RULES } from '../../src/match/options.ts'
import { address, PEER } from '../deal/deals.ts'
import { NOWHERE } from '../support/deployments.ts'

const network: Network = {
  name: 'test-1', devnet: false, rpcUrls: ['http://127.0.0.1:8545'],
  deployment: NOWHERE,
  bootstrap: [`/ip4/192.0.2.1/tcp/4001/p2p/${PEER}`, `/dns4/boot.example/tcp/443/wss/p2p/${PEER}`], modulePublishers: [address(5)], match: DEFAULT_MATCH_RULES, auction: DEVNET_AUCTION_RULES, deal: DEVNET_DEAL_PARAMETERS
}

t.test('a network file comes back as it is', async (t) => {
  const path = join(t.testdir(), 'network.json')
  await writeFile(path, JSON.stringify(network))
  t.same(await loadNetwork(path), network)
  const closed = { ...network, public: true, markets: ['render', 'science-2'], psk: 'ab'.repeat(32) }
  await writeFile(path, JSON.stringify(closed))
  t.same(await loadNetwork(path), closed)
})

t.test('what is wrong with a file is named', async (t) => {
  const folder = t.testdir({ 'text.json': 'rpc = here' })
  await t.rejects(loadNetwork(join(folder, 'none.json')), { code: 'CONFIG_NETWORK_MISSING', hint: /lilynode devnet/ })
  await t.rejects(loadNetwork(join(folder, 'text.json')), { code: 'CONFIG_NETWORK_INVALID' })
  const wrong: ReadonlyArray<[field: string, change: Record<string, unknown>]> = [
    ['rpcUrls', { rpcUrls: [] }], ['name', { name: 'Upper Case' }], ['deployment.contracts.market', { deployment: { ...network.deployment, contracts: { ...network.deployment.contracts, market: '0x12' } } }],
    ['deal.judgeSeconds', { deal: { ...network.deal, judgeSeconds: 0 } }], ['modulePublishers.0', { modulePublishers: ['cowsay'] }], ['bootstrap.0', { bootstrap: ['/ip4/1'] }], ['bootstrap.0', { bootstrap: ['/ip4/127.0.0.1/tcp/4001'] }], ['bootstrap.1', { bootstrap: [`/dns4/boot.example/tcp/443/wss/p2p/${PEER}`, '/p2p/12D3'] }], ['auction', { auction: { ...network.auction, revealBp: 1 } }], ['markets.0', { markets: ['default'] }], ['markets.1', { markets: ['a', 'Render'] }], ['markets', { markets: ['a', 'a'] }], ['psk', { psk: 'AB'.repeat(32) }], ['psk', { psk: 'ab' }], ['public', { public: 'yes' }], ['extra', { extra: 1 }]
  ]
  for (const [field, change] of wrong) {
    const path = join(folder, 'wrong.json')
    await writeFile(path, JSON.stringify({ ...network, ...change }))
    await t.rejects(loadNetwork(path), { code: 'CONFIG_NETWORK_INVALID', message: new RegExp(field) }, field)
  }
})

t.test('the networks of one node differ in name and chain', async (t) => {
  const folder = t.testdir()
  const write = async (file: string, change: Partial<Network>): Promise<string> => {
    await writeFile(join(folder, file), JSON.stringify({ ...network, ...change }))
    return join(folder, file)
  }
  const elsewhere = { ...network.deployment, chainId: 31_338 }
  const [first, second, twin, namesake] = await Promise.all([write('1.json', {}), write('2.json', { name: 'test-2', deployment: elsewhere }), write('3.json', { name: 'test-3' }), write('4.json', { deployment: elsewhere })])
  t.same((await loadNetworks([first, second])).map(({ name }) => name), ['test-1', 'test-2'])
  for (const [again, what] of [[first, 'the file itself'], [twin, 'another name for the chain'], [namesake, 'another chain of the name']] as const) {
    await t.rejects(loadNetworks([first, second, again]), { code: 'CONFIG_NETWORK_TWICE', data: { path: again } }, what)
  }
})

t.test('terms bind prices, auction and deadlines, not where the chain is', async (t) => {
  const bound = networkParametersHash(network)
  t.equal(networkParametersHash({ ...network, rpcUrls: ['http://127.0.0.1:1'], bootstrap: ['/ip4/127.0.0.1'], name: 'other' }), bound)
  for (const change of [{ match: { ...network.match, feeBp: 1 } }, { auction: { ...network.auction, epochMs: 7000 } }, { deal: { ...network.deal, auditFee: 1 } }]) {
    t.not(networkParametersHash({ ...network, ...change }), bound, Object.keys(change).join())
  }
})
