import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { addBondCall } from '../../src/chain/account-calls.ts'
import { locateAnvil, startAnvil } from '../../src/chain/anvil.ts'
import { createJsonRpc, type JsonRpc } from '../../src/chain/json-rpc.ts'
import { startSupervisor, type Supervisor } from '../../src/chain/supervisor.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { namedSigner, startTestChain } from '../support/chain.ts'

const clock = createSystemClock()
const HOLDER = '0x00000000000000000000000000000000000000aa'
const start = async (dataPath: string, port = 0): Promise<Supervisor> => await startSupervisor({ clock, logger: silentLogger }, { dataPath, port, chainId: 31_337 })
const rpcOf = (supervisor: { port: number }): JsonRpc => createJsonRpc({ port: supervisor.port })
const timeOf = async (rpc: JsonRpc): Promise<number> => Number((await rpc.call('eth_getBlockByNumber', ['latest', false]) as { timestamp: string }).timestamp)
const snapshotsIn = async (path: string): Promise<string[]> => (await readdir(path)).filter((name) => name.endsWith('.gz')).sort((a, b) => Number(/\d+/.exec(b)) - Number(/\d+/.exec(a)))
/** Waits until `check` holds; the limit is tap's own. */
const until = async (check: () => boolean | Promise<boolean>): Promise<void> => { while (!await check()) await delay(10) }
const isGone = (pid: number) => async (): Promise<boolean> => await readFile(`/proc/${pid}/cmdline`, 'utf8').then((line) => line === '', () => true)

t.test('anvil killed: the supervisor resumes from the snapshot with balances, logs and receipts', async (t) => {
  const chain = await startTestChain()
  t.teardown(chain.stop)
  const signer = namedSigner('kill')
  await chain.fund(signer.address, 1_000)
  const adapter = await chain.chainFor(signer)
  const signal = AbortSignal.timeout(10_000)
  await adapter.send(await adapter.depositCall(600), { name: 'deposit', signal })
  const receipt = await adapter.send(addBondCall(200), { name: 'bond', signal })
  await chain.supervisor.save()
  const pid = chain.supervisor.anvilPid() as number
  process.kill(pid, 'SIGKILL')
  await until(() => chain.supervisor.anvilPid() !== pid && chain.supervisor.anvilPid() !== undefined)
  t.match(await adapter.balances(signer.address), { free: 400, bond: 200, token: 400 })
  const logs = await chain.clients.request<unknown[]>('eth_getLogs', [{ address: chain.deployment.contracts.vault, fromBlock: '0x0', toBlock: 'latest' }])
  t.equal(logs.length, 2, 'Deposited and Bonded')
  t.match(await chain.clients.request('eth_getTransactionReceipt', [receipt.hash]), { status: '0x1' })
  t.match(await adapter.send(addBondCall(1), { name: 'bond', signal }), { status: 'success' }, 'the chain goes on')
})

t.test('a truncated newest snapshot falls back to the older one; nothing but damaged ones is an error', async (t) => {
  const dataPath = t.testdir()
  const first = await start(dataPath)
  const rpc = rpcOf(first)
  await rpc.call('anvil_setBalance', [HOLDER, '0x1'])
  await first.save()
  await rpc.call('anvil_setBalance', [HOLDER, '0x2'])
  await first.save()
  await rpc.call('anvil_setBalance', [HOLDER, '0x3'])
  await first.stop()
  rpc.close()
  const [newest, , ...rest] = await snapshotsIn(dataPath)
  t.same(rest, [], 'two generations are kept')
  await truncate(join(dataPath, newest as string), 500)
  const second = await start(dataPath)
  const again = rpcOf(second)
  t.equal(await again.call('eth_getBalance', [HOLDER, 'latest']), '0x2')
  again.close()
  await second.stop()
  for (const name of await snapshotsIn(dataPath)) await truncate(join(dataPath, name), 100)
  await t.rejects(start(dataPath), { code: 'CHAIN_SNAPSHOT_INVALID' })
})

t.test('a stopped supervisor leaves its last state', async (t) => {
  const dataPath = t.testdir()
  const first = await start(dataPath)
  const rpc = rpcOf(first)
  await rpc.call('anvil_setBalance', [HOLDER, '0x7'])
  rpc.close()
  await first.stop()
  await first.stop()
  const second = await start(dataPath)
  const again = rpcOf(second)
  t.equal(await again.call('eth_getBalance', [HOLDER, 'latest']), '0x7')
  again.close()
  await second.stop()
})

t.test('a supervisor killed outright takes anvil with it, and the next one resumes', async (t) => {
  const dataPath = await mkdtemp(join(tmpdir(), 'lilynode-killed-'))
  t.teardown(async () => { await rm(dataPath, { recursive: true, force: true }) })
  const child = spawn(process.execPath, [fileURLToPath(new URL('../support/supervisor-process.ts', import.meta.url)), dataPath], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data') as [Buffer]
  const { anvilPid } = JSON.parse(line.toString()) as { anvilPid: number }
  await t.rejects(start(dataPath), { code: 'CHAIN_DATA_LOCKED' }, 'while it lives nobody else takes its folder')
  child.kill('SIGKILL')
  await until(isGone(anvilPid))
  const next = await start(dataPath)
  t.ok(next.anvilPid())
  await next.stop()
})

t.test('an anvil left over by a supervisor that is gone is ended, another program with that id is not', async (t) => {
  const dataPath = t.testdir()
  const cachePath = join(dataPath, 'anvil-cache')
  const stale = spawn(locateAnvil(), ['--port', '0', '--silent', '--cache-path', cachePath], { stdio: 'ignore' })
  const innocent = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  t.teardown(() => { stale.kill('SIGKILL'); innocent.kill('SIGKILL') })
  await Promise.all([once(stale, 'spawn'), once(innocent, 'spawn')])
  const deadPid = 2 ** 22 + 1
  await writeFile(join(dataPath, 'anvil-owner.json'), JSON.stringify({ supervisorPid: deadPid, anvilPid: stale.pid }))
  await (await start(dataPath)).stop()
  await until(isGone(stale.pid as number))
  await writeFile(join(dataPath, 'anvil-owner.json'), JSON.stringify({ supervisorPid: deadPid, anvilPid: innocent.pid }))
  await (await start(dataPath)).stop()
  t.equal(innocent.exitCode, null)
  t.equal(innocent.signalCode, null)
})

t.test('time moves without transactions and never goes back over a restart', async (t) => {
  const dataPath = t.testdir()
  const first = await start(dataPath)
  const rpc = rpcOf(first)
  const before = await timeOf(rpc)
  await until(async () => await timeOf(rpc) > before)
  await rpc.call('evm_increaseTime', [5000])
  await rpc.call('evm_mine')
  const ahead = await timeOf(rpc)
  t.ok(ahead >= before + 5000)
  rpc.close()
  await first.save()
  await first.stop()
  const second = await start(dataPath)
  const again = rpcOf(second)
  t.ok(await timeOf(again) >= ahead)
  again.close()
  await second.stop()
})

t.test('an anvil that outgrows its memory is saved and started again, with what no snapshot had yet', async (t) => {
  // One byte is too little for any: it is started again and again, each time from what it had.
  const supervisor = await startSupervisor({ clock, logger: silentLogger }, { dataPath: t.testdir(), port: 0, chainId: 31_337, tuning: { maxRssBytes: 1, watchRssMs: 300 } })
  t.teardown(supervisor.stop)
  const [rpc, pids] = [rpcOf(supervisor), new Set([supervisor.anvilPid()])]
  await rpc.call('anvil_setBalance', [HOLDER, '0x2a'])
  const balance = async (): Promise<unknown> => await rpc.call('eth_getBalance', [HOLDER, 'latest']).catch(() => 'away')
  await until(async () => {
    pids.add(supervisor.anvilPid() ?? pids.values().next().value)
    return pids.size > 2 && await balance() === '0x2a'
  })
  t.ok(pids.size > 2, 'two were started anew')
})

t.test('a taken port and a missing anvil are named', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const { port } = server.address() as { port: number }
  await t.rejects(start(t.testdir(), port), { code: 'CHAIN_PORT_IN_USE', data: { port } })
  await t.rejects(startAnvil({ port: 0, chainId: 1, cachePath: '/nowhere' }, '/nowhere/anvil'), { code: 'CHAIN_NO_ANVIL' })
})
