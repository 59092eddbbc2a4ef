import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { keccak256, stringToBytes } from 'viem'
import type { JobView, LedgerView, NodeStatus } from '../../src/api/facade.ts'
import type { Network } from '../../src/config/network.ts'
import { createNodeClient, type NodeClient } from '../../src/cli/node-client.ts'
import { startNode } from '../../src/cli/start-node.ts'
import { DEVNET_DEAL_PARAMETERS } from '../../src/deal/options.ts'
import { DEFAULT_MATCH_RULES, DEVNET_AUCTION_RULES } from '../../src/match/options.ts'
import * as programs from '../exec/fixtures/programs.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { countingModule, roundsFor, writeGuest } from '../support/guests.ts'
import { openSandbox, until, type RunningCommand, type Sandbox } from '../support/lilynode.ts'

t.setTimeout(300_000)

/** Two chains, a creator on each, and one provider process that is a node of both. */
interface Side { name: string, chain: TestChain, file: string, creator: NodeClient, provider: NodeClient }
const NAMES = ['north', 'south'] as const
const GRANT = 20_000_000_000
const keyOf = (name: string): string => keccak256(stringToBytes(name))
let sandbox: Sandbox
let ready: Ready
let north: Side
let south: Side

interface Ready { api: string, networks: Array<{ name: string, addresses: string[] }> }
let provider: RunningCommand
/** Resolves to what it says when it is ready. `at`: where it was before. */
async function startProvider (at?: Ready): Promise<Ready> {
  const portOf = (address = ''): string => /\/tcp\/(\d+)/.exec(address)?.[1] ?? '0'
  const [northPort = '0', southPort = '0'] = at?.networks.map(({ addresses }) => portOf(addresses[0])) ?? []
  const ports = ['--listen', `north=/ip4/127.0.0.1/tcp/${northPort}`, '--listen', `south=/ip4/127.0.0.1/tcp/${southPort}/ws`, '--api-port', at === undefined ? '0' : new URL(at.api).port]
  const files = NAMES.flatMap((name) => ['--network', join(sandbox.root, `${name}.json`)])
  provider = sandbox.start(['start', '--role', 'resource-provider', ...files, ...ports, ...(at === undefined ? ['--deposit', '10'] : []), '--log-level', 'warn', '--json', '--data', join(sandbox.root, 'provider')], { env: { WEB3_PRIVATE_KEY: keyOf('provider') } })
  await provider.says('"event":"ready"')
  return JSON.parse(provider.stdout().split('\n')[0] ?? '')
}
async function writeNetwork (name: string, { deployment, rpcUrl }: TestChain, bootstrap: string[], file = join(sandbox.root, `${name}.json`)): Promise<string> {
  const network: Network = { name, devnet: true, rpcUrls: [rpcUrl], deployment, bootstrap, modulePublishers: [], match: DEFAULT_MATCH_RULES, auction: DEVNET_AUCTION_RULES, deal: DEVNET_DEAL_PARAMETERS }
  await writeFile(file, JSON.stringify(network))
  return file
}

t.before(async () => {
  sandbox = await openSandbox('networks')
  t.teardown(sandbox.close)
  const chains = await Promise.all(NAMES.map(async (name, index) => {
    const chain = await startTestChain({ chainId: 31_337 + index })
    t.teardown(chain.stop)
    for (const party of ['provider', name]) await chain.fund(namedSigner(party).address, GRANT)
    await writeNetwork(name, chain, [])
    return chain
  }))
  ready = await startProvider()
  const { token } = JSON.parse(await readFile(join(sandbox.root, 'provider', 'api.json'), 'utf8')) as { token: string }
  const open = async (index: number): Promise<Side> => {
    const name = NAMES[index] as string
    const chain = chains[index] as TestChain
    const file = await writeNetwork(name, chain, ready.networks[index]?.addresses ?? [], join(sandbox.root, `${name}-creator.json`))
    const root = join(sandbox.root, name)
    await mkdir(root)
    await writeFile(join(root, 'account.key'), keyOf(name))
    const node = await startNode({ root, networks: [{ path: file }], roles: ['creator'], deposit: GRANT / 2, logLevel: 'silent' })
    t.teardown(node.stop)
    return { name, chain, file, creator: node.client, provider: createNodeClient({ url: ready.api, token }, name) }
  }
  north = await open(0)
  south = await open(1)
  for (const side of [north, south]) await until(async () => (await side.creator.book()).offers.length > 0)
})

const isPaid = (job: JobView): boolean => job.state === 'ResultsAccepted' && job.result !== undefined
const run = async ({ creator }: Side, module: string, more: object = {}): Promise<JobView> => await creator.submit({ module, inputs: {}, verification: { strategy: 'none', auditBp: 0 }, cpuMilli: 100, memoryMiB: 16, ...more })
const paid = async ({ creator }: Side, { id }: JobView): Promise<JobView> => await until(async () => { const job = await creator.job(id); return isPaid(job) && job })
const dealsOf = (ledger: LedgerView): string[] => [...new Set(ledger.entries.flatMap(({ deal, deals = [] }) => deal === undefined ? deals : [deal, ...deals]))]
const freeCpu = async ({ creator }: Side): Promise<number> => Math.max(...(await creator.book()).offers.map(({ body }) => (body as { capacity: { cpuMilli: number } }).capacity.cpuMilli))
const held = async (client: NodeClient): Promise<number> => await client.balance().then(({ free, session, locked }) => free + session + locked)

t.test('one process is a node of both: a host, a book, a chain for each, one account and peer id', async (t) => {
  const statuses = await Promise.all([north, south].map(async (side) => await side.provider.status()))
  for (const [index, status] of statuses.entries()) t.match(status, { network: NAMES[index], networks: [...NAMES], peers: 1, chain: { chainId: 31_337 + index, ok: true }, account: namedSigner('provider').address } satisfies Partial<Record<keyof NodeStatus, unknown>>)
  t.equal(statuses[0]?.peerId, statuses[1]?.peerId)
  t.match(statuses[1]?.addresses, [/\/ws\/p2p\//], 'a flag for one network')
  t.notMatch(statuses[0]?.addresses, [/\/ws\/p2p\//])
})

t.test('a job of each is done and paid where it was offered, and what one holds of the machine is missing in the other\'s offer', async (t) => {
  const before = await Promise.all([north, south].map(async (side) => await held(side.provider)))
  const whole = await freeCpu(south)
  const module = await writeGuest(sandbox.root, 'long', countingModule(roundsFor(2_000)))
  const first = await run(north, module, { cpuMilli: 300, runSeconds: 20 })
  t.equal(await until(async () => { const free = await freeCpu(south); return free < whole && free }), whole - 300)
  const second = await run(south, await writeGuest(sandbox.root, 'hello', programs.hello))
  const jobs = await Promise.all([paid(north, first), paid(south, second)])
  await until(async () => await freeCpu(south) === whole)
  const dealIds: string[] = []
  for (const [index, side] of [north, south].entries()) {
    const deals = jobs[index]?.deals ?? []
    t.match(deals, [{ provider: namedSigner('provider').address, state: 'ResultsAccepted' }])
    await until(async () => await side.provider.balance().then(({ locked }) => locked === 0))
    const ledger = await until(async () => await side.provider.ledger().then((view) => view.isEqual && view))
    t.same(dealsOf(ledger), deals.map(({ dealId }) => dealId), 'its ledger knows its own deal alone')
    const earned = deals.reduce((sum, { price, fee, solver }) => sum + price + (solver === namedSigner('provider').address ? fee : 0), 0)
    t.equal(await held(side.provider) - (before[index] ?? 0), earned, 'to the wei')
    dealIds.push(...dealsOf(ledger))
  }
  t.equal(new Set(dealIds).size, 2)
})

t.test('no record of one is in the other\'s book', async (t) => {
  const [near, far] = await Promise.all([north, south].map(async (side) => { const { jobs, offers, modules } = await side.provider.book(); return [...jobs, ...offers, ...modules] }))
  t.ok(near !== undefined && far !== undefined && near.length > 0 && far.length > 0)
  const ids = new Set(near?.map(({ id }) => id))
  t.notOk(far?.some(({ id }) => ids.has(id)))
  t.same([...new Set(near?.map(({ account }) => account))], [namedSigner('provider').address], 'no creator of the other')
})

/** A job of each side, both of which run now. What ends before the other side's has begun is followed by another one. */
async function runningAtOnce (module: string): Promise<JobView[]> {
  const begin = async (side: Side): Promise<JobView> => await run(side, module, { cpuMilli: 200, runSeconds: 60 })
  const sides = [north, south]
  const jobs = await Promise.all(sides.map(begin))
  for (;;) {
    for (const [index, side] of sides.entries()) {
      const { id } = jobs[index] as JobView
      const job = await side.creator.job(id)
      jobs[index] = isPaid(job) ? await begin(side) : job
    }
    if (jobs.every(({ state }) => state === 'Running')) return jobs
    await until(async () => (await Promise.all(sides.map(async ({ creator }, index) => (await creator.job(jobs[index]?.id ?? '')).state))).some((state, index) => state !== jobs[index]?.state))
  }
}

t.test('killed while it runs a job of each it comes back on both, finishes both, and its ledgers hold them', async (t) => {
  // Longer than an epoch with all that follows it: jobs of 2 s took turns for two minutes on a slow machine, one running while the other was matched.
  const jobs = await runningAtOnce(await writeGuest(sandbox.root, 'longer', countingModule(roundsFor(6_000))))
  provider.child.kill('SIGKILL')
  await provider.ended
  await startProvider(ready)
  const { token } = JSON.parse(await readFile(join(sandbox.root, 'provider', 'api.json'), 'utf8')) as { token: string }
  for (const [index, side] of [north, south].entries()) {
    side.provider = createNodeClient({ url: ready.api, token }, side.name)
    const { deals } = await paid(side, jobs[index] as JobView)
    t.match(deals, [{ attempt: 0, state: 'ResultsAccepted' }], side.name)
    t.equal(deals.length, 1, 'the deal that it ran when it was killed')
    await until(async () => await side.provider.balance().then(({ locked }) => locked === 0))
    const ledger = await until(async () => await side.provider.ledger().then((view) => view.isEqual && view))
    const all = (await side.creator.jobs()).flatMap((job) => job.deals.map(({ dealId }) => dealId))
    t.same(dealsOf(ledger).sort(), all.sort(), 'all that it ever had on this network')
  }
})

t.test('the doctor looks at both', async (t) => {
  const report = (await sandbox.run(['doctor', ...NAMES.flatMap((name) => ['--network', join(sandbox.root, `${name}.json`)]), '--data', join(sandbox.root, 'provider'), '--json'])).json<{ checks: Array<{ name: string, detail: string }> }>()
  for (const [check, text] of [['local node', ': resource-provider'], ['network', ', contracts on chain']] as const) t.same(report.checks.filter(({ name }) => name === check).map(({ detail }) => detail.slice(0, detail.indexOf(text))), [...NAMES])
})

t.test('a network that it is not on is an error that names those it is on', async (t) => {
  const asked = await sandbox.run(['status', '--on', 'east', '--data', join(sandbox.root, 'provider'), '--json'])
  t.equal(asked.code, 3)
  t.match(asked.error(), { code: 'API_NO_NETWORK', data: { network: 'east', networks: [...NAMES] } })
})

t.test('a chain that is away takes its own network only', async (t) => {
  await south.chain.supervisor.stop()
  const job = await paid(north, await run(north, join(sandbox.root, 'hello.wasm')))
  t.match(job.result, { exitCode: 0 })
  await until(async () => await south.provider.status().then(({ chain }) => !chain.ok))
  t.ok((await north.provider.status()).chain.ok)
})

t.test('no connection left the machine', async (t) => {
  t.equal(await sandbox.strays(), '')
})
