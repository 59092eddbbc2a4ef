import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { NodeFacade } from '../../src/api/facade.ts'
import { createApiServer } from '../../src/api/server.ts'
import { COMMANDS } from '../../src/cli/commands/index.ts'
import { runKeys } from '../../src/cli/commands/keys.ts'
import type { CommandRun } from '../../src/cli/commands/context.ts'
import { createOutput } from '../../src/cli/output.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createSystemRandom } from '../../src/core/random.ts'
import { createFleet, type Fleet } from '../../src/fleet/fleet.ts'
import type { FleetNodeView, FleetView } from '../../src/fleet/view.ts'
import { openKey } from '../../src/node/keys.ts'
import type { FleetRoster } from '../../src/wire/fleet-roster.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../src/deal/options.ts'
import { DEFAULT_MATCH_RULES, DEVNET_AUCTION_RULES } from '../../src/match/options.ts'
import { address } from '../deal/deals.ts'
import { startNode } from '../mesh/nodes.ts'
import { NOWHERE } from '../support/deployments.ts'
import { INVENTORY } from '../support/fleets.ts'
import { until } from '../support/lilynode.ts'
import { NO_VIEW } from '../support/no-view.ts'

t.setTimeout(120_000)

const DOMAIN = { chainId: 31_337, market: address(3) }
const NETWORK = {
  name: 'test-1', devnet: true, rpcUrls: ['http://127.0.0.1:8545'], bootstrap: [], modulePublishers: [], match: DEFAULT_MATCH_RULES, auction: DEVNET_AUCTION_RULES, deal: DEVNET_DEAL_PARAMETERS,
  deployment: NOWHERE
}

interface Said { code: number, text: string, progress: string, json: <T>() => T }
/** A command as the command line runs it; `flags` as commander gives them. */
async function say (run: CommandRun, root: string, args: string[], flags: Record<string, unknown> = {}): Promise<Said> {
  const [out, err]: [string[], string[]] = [[], []]
  const output = createOutput({ json: flags['json'] === true, stdout: (text) => { out.push(String(text)) }, stderr: (text) => { err.push(String(text)) } })
  const code = await run({ args, flags, output, root, signal: new AbortController().signal })
  return { code, text: out.join(''), progress: err.join(''), json: <T>() => JSON.parse(out.join('')) as T }
}
const runFleet = await COMMANDS.find(({ usage }) => usage.startsWith('fleet '))?.load() as CommandRun

/** A folder with an account's key, one roster file, and the cards of two nodes. */
async function setUp (t: Test): Promise<{ folder: string, cold: string, roster: string, owner: (...args: string[]) => Promise<Said>, read: () => FleetRoster, card: (name: string) => Promise<string> }> {
  const folder = t.testdir()
  const [cold, roster, network] = ['cold', 'fleet.json', 'network.json'].map((name) => join(folder, name)) as [string, string, string]
  mkdirSync(cold)
  writeFileSync(network, JSON.stringify(NETWORK))
  return {
    folder, cold, roster,
    owner: async (...args) => await say(runFleet, cold, args.filter((arg) => !arg.startsWith('--')), { roster, network, ...Object.fromEntries(args.filter((arg) => arg.startsWith('--')).map((arg) => arg.slice(2).split('=') as [string, string])) }),
    read: () => JSON.parse(readFileSync(roster, 'utf8')) as FleetRoster,
    card: async (name) => {
      const path = join(folder, `${name}.json`)
      writeFileSync(path, (await say(runKeys, join(folder, name), [], { json: true })).text)
      return path
    }
  }
}

t.test('the roster grows and shrinks where the account\'s key is', async (t) => {
  const { owner, read, card, cold, folder } = await setUp(t)
  t.equal((await owner('init', '--minAsk=0.7')).code, 0)
  t.match(read(), { version: 1, minAskBp: 7000, maxAskBp: 20_000, members: [], account: (await openKey(cold)).address })
  await t.rejects(owner('init'), { code: 'EEXIST' }, 'it is not made twice')
  const [one, two] = [await card('gpu-1'), await card('gpu-2')]
  t.match((await owner('add', 'gpu-1', one)).text, /fleet use/)
  await owner('add', 'gpu-2', two)
  t.match(read(), { version: 3, members: [{ name: 'gpu-1', operator: (await openKey(join(folder, 'gpu-1'))).address }, { name: 'gpu-2' }] })
  await t.rejects(owner('add', 'gpu-3', two), { code: 'FLEET_MEMBER', hint: /card/ }, 'one node under two names')
  await t.rejects(owner('add', 'GPU 3', two), { code: 'USAGE_INVALID' })
  await t.rejects(owner('add', 'gpu-3', join(folder, 'network.json')), { code: 'FLEET_MEMBER' }, 'no card')
  await t.rejects(owner('add', 'gpu-3', join(folder, 'none.json')), { code: 'FLEET_MEMBER' })
  const before = read()
  await owner('bounds', '--maxAsk=1.5')
  t.match(read(), { version: 4, minAskBp: 7000, maxAskBp: 15_000 })
  t.not(read().ephemeralKey, before.ephemeralKey, 'a new document key with every version')
  await t.rejects(owner('bounds', '--minAsk=3'), { code: 'USAGE_INVALID' })
  await t.rejects(owner('remove', 'gpu-9'), { code: 'FLEET_UNKNOWN_NODE' })
  await owner('remove', 'gpu-1')
  t.same(read().members.map(({ name }) => name), ['gpu-2'])
  await t.rejects(say(runFleet, join(folder, 'gpu-1'), ['remove', 'gpu-2'], { roster: join(folder, 'fleet.json'), network: join(folder, 'network.json') }), { code: 'FLEET_ROSTER', hint: /--data/ }, 'with another key')
})

/** A node of that folder as far as its fleet goes, with its API. */
async function startMember (t: Test, folder: string, bootstrap: string[], openDeals: { count: number }): Promise<{ fleet: Fleet, addresses: string[] }> {
  const node = await startNode(t, { folder, bootstrap })
  const { version, roles, units } = INVENTORY
  const fleet = createFleet({ mesh: node.mesh, datastore: node.datastore, signer: await openKey(folder), clock: createSystemClock(), random: createSystemRandom(), logger: silentLogger }, { domain: DOMAIN, facts: { version, roles, units, openDeals: 0, askBp: 9000 } })
  fleet.reportBy(() => ({ version, roles, units, openDeals: openDeals.count, askBp: fleet.askBp() ?? 9000 }))
  const facade = { status: async () => ({ peerId: node.mesh.peerId, operator: (await openKey(folder)).address, sealKey: fleet.sealKey }), fleet } as unknown as NodeFacade
  const server = createApiServer({ networks: new Map([['test', { facade, view: NO_VIEW }]]), logger: silentLogger }, { port: 0, token: 'token' })
  await Promise.all([server.start(), fleet.start()])
  t.teardown(async () => { await Promise.all([server.stop(), fleet.stop()]) })
  writeFileSync(join(folder, 'api.json'), JSON.stringify({ url: server.url(), token: 'token', pid: process.pid }))
  return { fleet, addresses: node.mesh.addresses() }
}

t.test('any member is asked, and all obey', async (t) => {
  const { owner, card, folder, roster } = await setUp(t)
  await owner('init')
  await owner('add', 'gpu-1', await card('gpu-1'))
  await owner('add', 'gpu-2', await card('gpu-2'))
  const [one, two] = ['gpu-1', 'gpu-2'].map((name) => join(folder, name)) as [string, string]
  const deals = { count: 1 }
  const { fleet, addresses } = await startMember(t, one, [], { count: 0 })
  const { fleet: other } = await startMember(t, two, addresses, deals)
  const ask = async (root: string, ...args: string[]): Promise<Said> => await say(runFleet, root, args)

  await t.rejects(ask(one, 'ls'), { code: 'FLEET_NONE', hint: /fleet use/ })
  await t.rejects(ask(one, 'use', join(folder, 'gpu-1.json')), { code: 'FLEET_ROSTER' })
  t.match((await ask(one, 'use', roster)).text, /gpu-1 in the fleet of 0x.*, roster 3, 2 nodes/)
  await ask(two, 'use', roster)
  t.same((await say(runKeys, one, [], { json: true })).json(), JSON.parse(readFileSync(join(folder, 'gpu-1.json'), 'utf8')), 'a running node\'s card is the same')

  t.match((await ask(one, 'price', '0.8')).text, /every node: 0.8/)
  await ask(two, 'price', 'gpu-1', '1.2')
  await until(() => fleet.askBp() === 12_000 && other.askBp() === 8000)
  await ask(one, 'price', 'gpu-1', 'default')
  await until(() => fleet.askBp() === 8000)
  await t.rejects(ask(one, 'price', '0.1'), { code: 'FLEET_PRICE', hint: /bounds/ })
  for (const text of ['-1', '0', '1e3', 'cheap', '101']) await t.rejects(ask(one, 'price', text), { code: 'USAGE_NUMBER' }, text)

  await ask(one, 'cordon', 'gpu-2')
  await until(() => !other.isOpen())
  await until(async () => (await say(runFleet, one, ['ls'], { json: true })).json<FleetView>().nodes[1]?.state === 'cordoned')
  const table = (await ask(one, 'ls')).text
  t.match(table, /^gpu-1 +open .* this node$/m)
  t.match(table, /^gpu-2 +cordoned .* ok$/m)
  await ask(two, 'uncordon', (await openKey(two)).address.toUpperCase().replace('0X', '0x'))
  await until(() => other.isOpen())

  const drained = say(runFleet, one, ['drain', 'gpu-2'], { wait: true, json: true })
  await until(() => fleet.view().nodes[1]?.state === 'draining')
  deals.count = 0
  other.touch()
  t.match((await drained).json<FleetNodeView>(), { name: 'gpu-2', wanted: 'drain', state: 'drained' })
  await t.rejects(ask(one, 'drain', 'gpu-9'), { code: 'FLEET_UNKNOWN_NODE' })

  await owner('remove', 'gpu-2')
  await ask(one, 'use', roster)
  t.same(fleet.view().nodes.map(({ name }) => name), ['gpu-1'])
})

t.test('what cannot be meant is said', async (t) => {
  await t.rejects(say(runFleet, t.testdir(), ['sell']), { code: 'USAGE_CHOICE', hint: /ls, cordon/ })
  for (const args of [['ls', 'x'], ['cordon'], ['price'], ['price', 'a', 'b', 'c'], ['add', 'x'], []]) await t.rejects(say(runFleet, t.testdir(), args), { code: args.length === 0 ? 'USAGE_CHOICE' : 'USAGE_INVALID' }, args.join(' '))
  await t.rejects(say(runFleet, t.testdir(), ['ls']), { code: 'CLI_NO_NODE' })
})
