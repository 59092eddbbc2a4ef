import { once } from 'node:events'
import { createServer as createHttpServer, request as httpRequest } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { addBondCall, approveCall, depositApprovedCall, finishUnbondCall, transferCall, withdrawCall } from '../../src/chain/account-calls.ts'
import { reservePort, startAnvil } from '../../src/chain/anvil.ts'
import { createChain } from '../../src/chain/chain.ts'
import { createVolatileStore } from '../../src/chain/chain-store.ts'
import { createClients } from '../../src/chain/clients.ts'
import { createFeeSource } from '../../src/chain/fees.ts'
import { createFlightLog } from '../../src/chain/flight-log.ts'
import { createHead } from '../../src/chain/head.ts'
import { DEVNET_TUNING } from '../../src/chain/options.ts'
import { createSender } from '../../src/chain/sender.ts'
import { signTransaction } from '../../src/chain/signing.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'

const signal = AbortSignal.timeout(60_000)
const MILLION = 1_000_000
let chain: TestChain
t.before(async () => { chain = await startTestChain() })
t.teardown(async () => { await chain.stop() })
const nonceOf = async (address: string): Promise<number> => Number(await chain.clients.request('eth_getTransactionCount', [address, 'latest']))

t.test('50 concurrent sends of one key leave no gap, and a new sender goes on after them', async (t) => {
  const signer = namedSigner('many')
  await chain.fund(signer.address, MILLION)
  const first = await chain.chainFor(signer)
  await first.send(await first.depositCall(MILLION), { name: 'deposit', signal })
  const receipts = await Promise.all(Array.from({ length: 50 }, async (_, index) => await first.send(addBondCall(1), { name: `bond-${index}`, signal })))
  t.equal(new Set(receipts.map(({ hash }) => hash)).size, 50)
  t.same(receipts.map(({ name }) => name), Array.from({ length: 50 }, (_, index) => `bond-${index}`))
  t.match(receipts[0], { from: signer.address, status: 'success', events: [{ name: 'Bonded', args: { account: signer.address, amount: 1 } }] })
  t.ok((receipts[0]?.gas ?? 0) > 21_000 && (receipts[0]?.feeWei ?? 0n) > 0n)
  t.equal(await nonceOf(signer.address), 51)
  await first.stop()
  const second = await chain.chainFor(signer)
  await second.send(addBondCall(1), { name: 'bond', signal })
  t.equal(await nonceOf(signer.address), 52)
  t.equal((await second.account(signer.address)).bond, 51)
})

t.test('sends go on over a kill of the chain: what a restored snapshot lost is sent again', async (t) => {
  const signer = namedSigner('survivor')
  await chain.fund(signer.address, MILLION)
  const adapter = await chain.chainFor(signer, { tuning: { stuckMs: 1000 } })
  await adapter.send(await adapter.depositCall(MILLION), { name: 'deposit', signal })
  await chain.supervisor.save()
  await adapter.send(addBondCall(1), { name: 'lost', signal })
  await adapter.send(addBondCall(1), { name: 'lost', signal })
  const sends = Array.from({ length: 20 }, async () => await adapter.send(addBondCall(1), { name: 'bond', signal }))
  process.kill(chain.supervisor.anvilPid() as number, 'SIGKILL')
  await Promise.all(sends)
  t.equal((await adapter.account(signer.address)).bond, 22)
  t.equal(await nonceOf(signer.address), 23)
})

t.test('a refused call is named by its Solidity error and costs nothing', async (t) => {
  const signer = namedSigner('refused')
  await chain.fund(signer.address, MILLION)
  const adapter = await chain.chainFor(signer)
  await t.rejects(adapter.send(withdrawCall(signer.address, 5), { name: 'withdraw', signal }), {
    name: 'ContractError', code: 'CHAIN_REVERTED', message: /withdraw was refused: InsufficientFree/,
    data: { name: 'withdraw', error: 'InsufficientFree', args: { free: 0, needed: 5 } }
  })
  await t.rejects(adapter.send(finishUnbondCall(), { name: 'unbond', signal }), { code: 'CHAIN_REVERTED', data: { error: 'NothingThere' } })
  await t.rejects(adapter.send(transferCall(chain.treasury.address, 2 * MILLION), { name: 'pay', signal }), { code: 'CHAIN_REVERTED', data: { error: 'ERC20InsufficientBalance' } }, 'errors of other contracts too')
  t.equal(await nonceOf(signer.address), 0)
})

t.test('a call that needs an earlier one waits for it', async (t) => {
  const signer = namedSigner('dependent')
  await chain.fund(signer.address, MILLION)
  const adapter = await chain.chainFor(signer)
  const receipts = await Promise.all([
    adapter.send(approveCall(chain.deployment.contracts.vault, 70), { name: 'approve', signal }),
    adapter.send(depositApprovedCall(signer.address, 70), { name: 'deposit', signal }),
    adapter.send(addBondCall(70), { name: 'bond', signal })
  ])
  t.equal(receipts.length, 3)
  t.equal((await adapter.account(signer.address)).bond, 70)
})

t.test('a transaction that passed the simulation and reverts in its block is named too, with hash and gas', async (t) => {
  const signer = namedSigner('overtaken')
  await chain.fund(signer.address, MILLION)
  const adapter = await chain.chainFor(signer)
  await adapter.send(await adapter.depositCall(10), { name: 'deposit', signal })
  const results = await Promise.allSettled([1, 2].map(async () => await adapter.send(addBondCall(10), { name: 'bond', signal })))
  const failed = results.find((result) => result.status === 'rejected')
  t.match(failed?.reason, { code: 'CHAIN_REVERTED', data: { error: 'InsufficientFree', name: 'bond', hash: /^0x/, gas: Number } })
})

t.test('a nonce taken by another program with the same key costs a retry, not the call', async (t) => {
  const signer = namedSigner('shared')
  await chain.fund(signer.address, MILLION)
  const [one, other] = [await chain.chainFor(signer), await chain.chainFor(signer)]
  for (const adapter of [one, other, one]) await adapter.send(transferCall(chain.treasury.address, 1), { name: 'pay', signal })
  await Promise.all([one, other, one, other].map(async (adapter) => await adapter.send(transferCall(chain.treasury.address, 1), { name: 'pay', signal })))
  t.equal(await nonceOf(signer.address), 7)
  t.equal((await one.balances(signer.address)).token, MILLION - 7)
})

t.test('a transaction that another program replaced in the pool goes out again', async (t) => {
  const signer = namedSigner('replaced')
  await chain.fund(signer.address, MILLION)
  const adapter = await chain.chainFor(signer, { tuning: { stuckMs: 1000 } })
  const sending = adapter.send(transferCall(chain.treasury.address, 3), { name: 'pay', signal })
  while (adapter.status().inFlight === 0) await delay(1)
  const fees = { maxFeePerGas: 50_000_000_000n, maxPriorityFeePerGas: 20_000_000_000n }
  const foreign = signTransaction(signer, { chainId: 31_337, nonce: 0, gas: 30_000n, to: signer.address, ...fees })
  await chain.clients.request('eth_sendRawTransaction', [foreign.raw]).catch(() => t.comment('it was included first'))
  t.match(await sending, { status: 'success' })
  t.equal((await adapter.balances(signer.address)).token, MILLION - 3)
})

t.test('without ether the error says so, and the nonce is not lost', async (t) => {
  const signer = namedSigner('poor')
  const adapter = await chain.chainFor(signer)
  await t.rejects(adapter.send(approveCall(chain.treasury.address, 1), { name: 'approve', signal }), { code: 'CHAIN_NO_GAS_MONEY' })
  await chain.fund(signer.address)
  t.match(await adapter.send(approveCall(chain.treasury.address, 1), { name: 'approve', signal }), { status: 'success' })
  t.equal(await nonceOf(signer.address), 1)
})

t.test('an aborted send rejects, and the next one has the next nonce', async (t) => {
  const signer = namedSigner('impatient')
  await chain.fund(signer.address)
  const adapter = await chain.chainFor(signer)
  const controller = new AbortController()
  const sending = adapter.send(approveCall(chain.treasury.address, 1), { name: 'approve', signal: controller.signal })
  controller.abort(new Error('enough'))
  await t.rejects(sending, { message: 'enough' })
  t.match(await adapter.send(approveCall(chain.treasury.address, 2), { name: 'approve', signal }), { status: 'success' })
})

t.test('a stopped sender rejects what is under way and what comes', async (t) => {
  const signer = namedSigner('stopped')
  await chain.fund(signer.address)
  const adapter = await chain.chainFor(signer)
  const sending = adapter.send(approveCall(chain.treasury.address, 1), { name: 'approve', signal })
  const rejected = t.rejects(sending, { code: 'CHAIN_STOPPED' })
  await adapter.stop()
  await rejected
  await t.rejects(adapter.send(approveCall(chain.treasury.address, 1), { name: 'approve', signal }), { code: 'CHAIN_STOPPED' })
})

t.test('an RPC outage is waited out, and shows in the status', async (t) => {
  const target = new URL(chain.rpcUrl)
  let isDown = false
  const proxy = createHttpServer((incoming, outgoing) => {
    if (isDown) { incoming.socket.destroy(); return }
    const forward = httpRequest({ host: target.hostname, port: target.port, method: 'POST', headers: incoming.headers }, (answer) => { answer.pipe(outgoing) })
    forward.on('error', () => { outgoing.destroy() })
    incoming.pipe(forward)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => { proxy.close() })
  const signer = namedSigner('patient')
  await chain.fund(signer.address)
  const adapter = await chain.chainFor(signer, { rpcUrls: [`http://127.0.0.1:${(proxy.address() as { port: number }).port}`] })
  await adapter.send(approveCall(chain.treasury.address, 1), { name: 'approve', signal })
  isDown = true
  const during = adapter.send(approveCall(chain.treasury.address, 2), { name: 'approve', signal })
  while (adapter.status().isReachable) await delay(5)
  t.match(adapter.status(), { problem: { code: 'CHAIN_UNREACHABLE' } })
  await t.rejects(adapter.account(signer.address), { code: 'CHAIN_UNREACHABLE', hint: /rpcUrls/ }, 'a read fails at once')
  await t.rejects(adapter.send(approveCall(chain.treasury.address, 3), { name: 'approve', signal: AbortSignal.timeout(50) }), { code: 'CHAIN_UNREACHABLE' })
  isDown = false
  t.match(await during, { status: 'success' })
  while (!adapter.status().isReachable) await delay(5)
  proxy.closeAllConnections()
})

t.test('nobody there: the error names the URL', async (t) => {
  const port = await reservePort(0)
  const rpcUrl = `http://127.0.0.1:${port}`
  const adapter = createChain({ signer: namedSigner('x'), clock: createSystemClock(), logger: silentLogger }, { rpcUrls: [rpcUrl], deployment: chain.deployment, devnet: true })
  await t.rejects(adapter.start(), { code: 'CHAIN_UNREACHABLE', message: new RegExp(rpcUrl), hint: /lilynode devnet/ })
  const beside = await chain.chainFor(namedSigner('x'), { rpcUrls: [rpcUrl, chain.rpcUrl], tuning: { quorum: 1 } })
  t.ok(await beside.blockTime() > 0, 'a second URL that answers is enough')
})

t.test('a stuck transaction is replaced with higher fees, and those behind it follow', async (t) => {
  const port = await reservePort(0)
  const anvil = await startAnvil({ port, chainId: 31_338, cachePath: t.testdir() })
  const clock = createSystemClock()
  const clients = createClients({ rpcUrls: [`http://127.0.0.1:${port}`], chainId: 31_338, requestTimeoutMs: 5000 })
  const head = createHead({ clients, clock, logger: silentLogger }, DEVNET_TUNING)
  const signer = namedSigner('stuck')
  const sender = createSender({ signer, clients, head, fees: createFeeSource({ clients, head, clock }), clock, logger: silentLogger, log: createFlightLog({ store: createVolatileStore(), logger: silentLogger }, { chainId: 31_338, from: signer.address }) }, { stuckMs: 200, contracts: chain.deployment.contracts })
  t.teardown(async () => { await sender.stop(); await head.stop(); await anvil.stop() })
  await clients.request('anvil_setBalance', [signer.address, '0xde0b6b3a7640000'])
  await head.start()
  await sender.start()
  const dear = 100_000_000_000n
  const mineDear = async (): Promise<void> => {
    await clients.request('anvil_setNextBlockBaseFeePerGas', [`0x${dear.toString(16)}`])
    await clients.request('evm_mine', [])
  }
  const sends = Promise.all([1, 2].map(async (amount) => await sender.send(approveCall(signer.address, amount), { name: 'approve', signal })))
  while (Number((await clients.request<{ pending: string }>('txpool_status', [])).pending) < 2) await delay(5)
  await mineDear()
  t.equal(await clients.request('eth_getTransactionCount', [signer.address, 'latest']), '0x0', 'too cheap for the block')
  let isDone = false
  const receipts = sends.finally(() => { isDone = true })
  while (!isDone) { await delay(20); await mineDear() }
  for (const { gas, feeWei } of await receipts) t.ok(feeWei / BigInt(gas) >= dear)
  t.equal(await clients.request('eth_getTransactionCount', [signer.address, 'latest']), '0x2')
})

t.end()
