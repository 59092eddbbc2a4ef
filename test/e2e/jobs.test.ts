import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { hexToBytes } from 'viem'
import type { JobView, LedgerView, SessionView } from '../../src/api/facade.ts'
import { createChain } from '../../src/chain/chain.ts'
import { createClients } from '../../src/chain/clients.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { isTerminal, type DealState } from '../../src/deal/states.ts'
import { createSigner } from '../../src/identity/signer.ts'
import { createFaucet } from '../../src/node/devnet-chain.ts'
import * as programs from '../exec/fixtures/programs.ts'
import { possibleCosts } from '../support/costs.ts'
import { openTestDevnet, type TestDevnet } from '../support/devnet.ts'
import { escapingModule, writeGuest } from '../support/guests.ts'
import { until, type CommandResult } from '../support/lilynode.ts'

t.setTimeout(600_000)

let net: TestDevnet
t.before(async () => { net = await openTestDevnet(t, { name: 'jobs', creators: 3, unitsPerProvider: 3 }) })

const guest = async (name: string, bytes: Uint8Array): Promise<string> => await writeGuest(net.sandbox.root, name, bytes)
const cowsay = async (creator: string, ...args: string[]): Promise<CommandResult> => await net.lilynode('run', 'cowsay:v0.0.4', ...args, '--data', join(net.root, creator))
type Ran = JobView & { stdout: string, stderr: string, folder: string }

t.test('book --follow reads the live view: what is there, then each record as it comes and goes', async (t) => {
  const following = net.spawn('book', '--follow')
  t.teardown(() => following.child.kill('SIGKILL'))
  await following.says('"event":"ready"')
  const events = (): Array<{ event: string, kind?: string, id?: string, body?: { moduleName?: string, jobNumber?: number }, records?: number }> => following.stdout().split('\n').slice(0, -1).map((line) => JSON.parse(line))
  const { jobs, offers, modules } = await net.client('creator-1').book()
  const known = events()
  t.equal(known.at(-1)?.records, jobs.length + offers.length + modules.length)
  t.same(known.filter(({ kind }) => kind === 'module').map(({ id }) => id).sort(), modules.map(({ id }) => id).sort())
  const ran = await cowsay('creator-1', '-i', 'Message=seen')
  t.equal(ran.code, 0, ran.stderr)
  const added = await until(() => events().slice(known.length).find(({ event, body }) => event === 'added' && body?.moduleName === 'cowsay:v0.0.4'))
  await until(() => events().some(({ event, id }) => event === 'removed' && id === added.id))
  following.child.kill('SIGINT')
  t.equal((await following.ended).code, 130)
})

t.test('guests that misbehave: each ends with its own reason, and a neighbour does not notice', async (t) => {
  const broken = Uint8Array.from([...programs.hello.subarray(0, 8), 0xff, 0xff, 0xff])
  const cases: ReadonlyArray<[name: string, bytes: Uint8Array, reason: string, exitCode: number]> = [
    ['endless', programs.endless, 'timeout', 124],
    ['memory', programs.memoryBomb, 'memory', 137],
    ['printer', programs.printer, 'output-limit', 153],
    ['trap', programs.trap, 'trapped', 134],
    ['broken', broken, 'invalid-module', 126],
    ['seven', programs.exitSeven, 'exited', 7]
  ]
  const [neighbour, ...ran] = await Promise.all([
    cowsay('creator-1', '-i', 'Message=calm'),
    // Only one is to run into it: the others end by themselves, on a slow machine later.
    ...cases.map(async ([name, bytes, reason]) => await net.lilynode('run', await guest(name, bytes), '--run-seconds', reason === 'timeout' ? '4' : '30'))
  ])
  t.equal(neighbour.code, 0, neighbour.stderr)
  t.match(neighbour.json<Ran>(), { stdout: /calm/, result: { exitCode: 0 } })
  for (const [index, [name, , reason, exitCode]] of cases.entries()) {
    const result = ran[index]
    t.equal(result?.code, 6, `${name}: exit 6: ${String(result?.stderr)}`)
    t.match(result?.json(), { state: 'ResultsAccepted', result: { reason, exitCode } }, `${name}: ${reason}`)
    if (name === 'printer') t.equal(result?.json<Ran>().stdout.length, 2 ** 20, 'a mebibyte of the gigabyte is kept')
  }
})

t.test('/etc/passwd cannot be read by .., by its path, or through a link', async (t) => {
  const result = await net.lilynode('run', await guest('escape', escapingModule()), '-o', join(net.sandbox.root, 'escaped'))
  t.equal(result.code, 0, result.stderr)
  const [up, absolute, , through] = Buffer.from(result.json<Ran>().stdout, 'latin1')
  t.ok(up !== 0 && absolute !== 0 && through !== 0, `each open was refused: errno ${String([up, absolute, through])}`)
  t.same(await readdir(join(net.sandbox.root, 'escaped', 'outputs')), [], 'and no link came out')
})

t.test('--input DIR is what the guest sees, -o DIR is what it made', async (t) => {
  const input = join(net.sandbox.root, 'input')
  await mkdir(join(input, 'deep'), { recursive: true })
  await writeFile(join(input, 'a.txt'), 'hello')
  await writeFile(join(input, 'deep', 'b.txt'), 'there')
  const output = join(net.sandbox.root, 'result')
  const result = await net.lilynode('run', await guest('copy', programs.copier), '--input', input, '-o', output)
  t.equal(result.code, 0, result.stderr)
  t.same((await readdir(output)).sort(), ['exitCode', 'outputs', 'stderr', 'stdout'])
  t.equal(await readFile(join(output, 'outputs', 'dir', 'b.txt'), 'utf8'), 'hello')
  t.equal(await readFile(join(output, 'exitCode'), 'utf8'), '0\n')
  t.equal(result.json<Ran>().folder, output)
})

t.test('--target chooses the provider', async (t) => {
  for (const name of ['provider-2', 'provider-1']) {
    const { account } = net.node(name)
    const result = await cowsay('creator-1', '--target', account)
    t.equal(result.code, 0, result.stderr)
    t.equal(result.json<JobView>().deals.at(-1)?.provider, account, name)
  }
})

t.test('--verify none, receipt and audit', async (t) => {
  const strategies = [['none', 0], ['receipt', 1], ['audit:0.5', 2], ['audit:1', 2]] as const
  const ran = await Promise.all(strategies.map(async ([strategy]) => await cowsay('creator-1', '--verify', strategy)))
  for (const [index, [strategy, number]] of strategies.entries()) {
    const result = ran[index] as CommandResult
    t.equal(result.code, 0, `${strategy}: ${result.stderr}`)
    const job = await net.untilJob(net.client('creator-1'), result.json<JobView>().id, (job) => job.deals.at(-1)?.state === 'ResultsAccepted')
    t.match(job.deals.at(-1), { verification: number, ...(strategy === 'audit:1' ? { verdict: { outcome: 1 } } : {}) }, strategy)
  }
})

t.test('ten jobs at once from one creator, three creators at once', async (t) => {
  const ten = Array.from({ length: 10 }, (_, index) => cowsay('creator-1', '-i', `Message=job ${index}`))
  const others = ['creator-2', 'creator-3'].map((name) => cowsay(name, '-i', `Message=from ${name}`))
  const ran = await Promise.all([...ten, ...others])
  for (const [index, result] of ran.entries()) {
    t.equal(result.code, 0, result.stderr)
    t.match(result.json<Ran>().stdout, index < 10 ? `job ${index}` : `from creator-${index - 8}`)
  }
  const deals = ran.flatMap((result) => result.json<JobView>().deals)
  t.equal(new Set(deals.map((deal) => deal.dealId)).size, deals.length)
  const creators = await Promise.all(['creator-1', 'creator-2', 'creator-3'].map(async (name) => await net.client(name).jobs()))
  t.equal(creators[1]?.length, 1, 'each creator sees its own')
})

t.test('the session that batches are paid from is shown, ended and renewed', async (t) => {
  const session = async (...action: string[]): Promise<SessionView> => (await net.lilynode('session', ...action, '--data', join(net.root, 'creator-3'))).json<SessionView>()
  const before = await session()
  t.ok(before.funds > 0 && before.allowed >= before.funds && !before.isEnded)
  const ended = await session('end')
  t.ok(ended.isEnded && ended.expiry <= Date.now() / 1000 + 602)
  const renewed = await session('renew')
  t.ok(!renewed.isEnded && renewed.expiry > ended.expiry)
  t.equal(renewed.funds, before.funds)
})

t.test('the ledger of every node explains its balance, deal by deal', async (t) => {
  // On a slow machine deals that came to nothing still have to end on chain.
  const deals = await until(async () => {
    const ofAll = (await net.client('creator-1').jobs()).flatMap(({ deals }) => deals)
    return ofAll.every(({ state }) => isTerminal(state as DealState)) && ofAll
  })
  for (const { name } of net.devnet().nodes) await until(async () => await net.client(name).ledger().then(({ isEqual }) => isEqual))
  const command = await net.lilynode('ledger', '--data', join(net.root, 'creator-1'))
  t.equal(command.code, 0, command.stderr)
  const ledger = command.json<LedgerView>()
  const { free, locked, bond } = await net.client('creator-1').balance()
  t.match(ledger, { isEqual: true, sums: { free, locked, bond } })
  const settled = deals.filter(({ state }) => state === 'ResultsAccepted')
  for (const { dealId } of settled) {
    const kinds = ledger.entries.filter(({ deal, deals = [] }) => deal === dealId || deals.includes(dealId)).map(({ kind }) => kind)
    t.ok(kinds.includes('lock'), `${dealId}: ${kinds.join()}`)
  }
  const cost = ledger.entries.filter(({ kind }) => ['lock', 'return', 'refund', 'dispute', 'compensation'].includes(kind)).reduce((sum, { free = 0, session = 0 }) => sum + free + session, 0)
  const possible = possibleCosts(deals, net.devnet().network.deal)
  t.ok(possible.includes(-cost), `what was spent is what the deals cost: ${-cost} of ${possible.join()}`)
})

t.test('run --network without a node: one in the same process joins, runs the job and leaves', async (t) => {
  const key = `0x${'5e'.repeat(32)}` as const
  const signer = createSigner(hexToBytes(key))
  const { network, chain: { rpcUrl } } = net.devnet()
  const faucet = await createFaucet({ rpcUrl, keyPath: join(net.root, 'chain', 'deployer.key') })
  t.teardown(faucet.stop)
  faucet.deployment = network.deployment
  await faucet.fund(signer.address, 10_000_000_000)
  const chain = createChain({ signer, clock: createSystemClock(), logger: silentLogger }, { deployment: network.deployment, rpcUrls: [rpcUrl], devnet: true })
  t.teardown(chain.stop)
  await chain.start()
  await chain.send(await chain.depositCall(5_000_000_000), { name: 'deposit', signal: AbortSignal.timeout(30_000) })
  const folder = join(net.sandbox.root, 'own')
  const args = ['run', 'cowsay:v0.0.4', '-i', 'Message=own', '--network', net.networkPath, '--data', folder, '--json']
  const result = await net.sandbox.run(args, { env: { WEB3_PRIVATE_KEY: key } })
  t.equal(result.code, 0, result.stderr)
  t.match(result.json<Ran>(), { stdout: /own/, result: { exitCode: 0 } })
  t.notOk((await readdir(folder)).includes('account.key'), 'a key from the environment is not written down')
})

t.test('a creator with tokens and no ETH at all: solvers carry its deposit and its withdrawal, and its job is paid', async (t) => {
  const key = `0x${'6e'.repeat(32)}` as const
  const signer = createSigner(hexToBytes(key))
  const { network, chain: { rpcUrl } } = net.devnet()
  const clients = createClients({ rpcUrls: [rpcUrl], chainId: network.deployment.chainId, requestTimeoutMs: 5000 })
  const faucet = await createFaucet({ rpcUrl, keyPath: join(net.root, 'chain', 'deployer.key') })
  t.teardown(faucet.stop)
  faucet.deployment = network.deployment
  await faucet.fund(signer.address, 10_000_000_000)
  await clients.request('anvil_setBalance', [signer.address, '0x0'])
  const folder = join(net.sandbox.root, 'poor')
  const node = net.sandbox.start(['start', '--role', 'creator', '--network', net.networkPath, '--deposit', '5', '--data', folder, '--json'], { env: { WEB3_PRIVATE_KEY: key } })
  t.teardown(() => node.child.kill('SIGTERM'))
  await node.says('"api"')
  const ran = await net.lilynode('run', 'cowsay:v0.0.4', '-i', 'Message=no gas', '--data', folder)
  t.equal(ran.code, 0, ran.stderr)
  const withdrawn = await net.lilynode('withdraw', '1', '--data', folder)
  t.equal(withdrawn.code, 0, withdrawn.stderr)
  t.not(withdrawn.json<{ from: string }>().from, signer.address, 'somebody else sent it')
  t.match((await net.lilynode('balance', '--data', folder)).json(), { wei: '0', token: 6_000_000_000 })
  node.child.kill('SIGTERM')
  await node.ended
})

t.test('no connection left the machine', async (t) => {
  t.equal(await net.sandbox.strays(), '')
})
