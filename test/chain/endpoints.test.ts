import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { addBondCall } from '../../src/chain/account-calls.ts'
import type { Chain, ChainEvent } from '../../src/chain/chain.ts'
import type { ChainTuning } from '../../src/chain/options.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { startRpcProxy, type RpcProxy } from '../support/rpc-proxy.ts'

const signal = AbortSignal.timeout(60_000)
let chain: TestChain
t.before(async () => { chain = await startTestChain() })
t.teardown(async () => { await chain.stop() })

async function behind (t: Test, count: number): Promise<[RpcProxy, RpcProxy, RpcProxy]> {
  const proxies = await Promise.all(Array.from({ length: count }, async () => await startRpcProxy(chain.rpcUrl)))
  t.teardown(async () => { await Promise.all(proxies.map(async (proxy) => { await proxy.stop() })) })
  return proxies as [RpcProxy, RpcProxy, RpcProxy]
}
async function funded (name: string, proxies: readonly RpcProxy[], tuning: Partial<ChainTuning> = {}): Promise<Chain> {
  const signer = namedSigner(name)
  await chain.fund(signer.address, 1_000_000)
  return await chain.chainFor(signer, { ...(proxies.length === 0 ? {} : { rpcUrls: proxies.map(({ url }) => url) }), tuning: { pollMs: 20, requestTimeoutMs: 5000, ...tuning } })
}
const word = (value: number): string => `0x${value.toString(16).padStart(64, '0')}`

t.test('a paused endpoint is left aside, and used again when it answers', async (t) => {
  const proxies = await behind(t, 3)
  const [first] = proxies
  const adapter = await funded('pausing', proxies, { requestTimeoutMs: 1000 })
  first.mode = 'paused'
  await adapter.send(await adapter.depositCall(500), { name: 'deposit', signal })
  t.equal((await adapter.account(adapter.address)).free, 500)
  while (adapter.status().resting.length === 0) await adapter.account(adapter.address)
  t.match(adapter.status(), { isReachable: true, resting: [{ url: first.url, problem: /no answer/ }] })
  const calls = first.asked.get('eth_call')
  await adapter.account(adapter.address)
  t.equal(first.asked.get('eth_call'), calls, 'nobody waits for it')
  first.mode = 'up'
  while (adapter.status().resting.length > 0) { await adapter.account(adapter.address); await delay(10) }
})

t.test('with a quorum of one the next endpoint takes over', async (t) => {
  const proxies = await behind(t, 2)
  const adapter = await funded('taking-over', proxies, { quorum: 1 })
  proxies[0].mode = 'down'
  await adapter.send(await adapter.depositCall(500), { name: 'deposit', signal })
  t.equal((await adapter.account(adapter.address)).free, 500)
  t.equal(adapter.status().isReachable, true)
})

t.test('an endpoint that lies about money is outvoted and left aside', async (t) => {
  const proxies = await behind(t, 3)
  const [liar] = proxies
  const adapter = await funded('lied-to', proxies)
  liar.lie = (method) => method === 'eth_call' ? `0x${[9_000_000, 0, 0, 0].map((value) => word(value).slice(2)).join('')}` : undefined
  t.same(await adapter.account(adapter.address), { free: 0, locked: 0, bond: 0, unbonding: 0 })
  while (adapter.status().resting.length === 0) await adapter.account(adapter.address)
  t.match(adapter.status().resting, [{ url: liar.url, problem: /eth_call differs/ }])
})

t.test('an endpoint that makes up and hides events, receipts, heads and refusals changes nothing', async (t) => {
  const proxies = await behind(t, 3)
  const [liar] = proxies
  const actor = await funded('actor', [])
  await actor.send(await actor.depositCall(1000), { name: 'deposit', signal })
  const adapter = await funded('told-stories', proxies)
  const bonds: number[] = []
  adapter.onEvent((event: ChainEvent) => { if (event.name === 'Bonded' && event.args.account === actor.address) bonds.push(event.args.amount) })
  let isInventing = false
  const far = `0x${(2 ** 40).toString(16)}`
  liar.lie = (method, _params, result) => {
    if (method === 'eth_getLogs') return isInventing ? (result as Array<{ data: string }>).map((log) => ({ ...log, data: word(777) })) : []
    if (method === 'eth_getBlockByNumber') return { ...result as object, number: far, hash: word(1), timestamp: far }
    if (method === 'eth_getTransactionReceipt') return { status: '0x1', transactionHash: word(5), blockHash: word(6), blockNumber: far, gasUsed: '0x1', logs: [] }
    if (method === 'eth_estimateGas' || method === 'eth_sendRawTransaction') return '0x'
    return undefined
  }
  await actor.send(addBondCall(1), { name: 'bond', signal })
  isInventing = true
  await actor.send(addBondCall(2), { name: 'bond', signal })
  while (bonds.length < 2) { await adapter.caughtUp(); await delay(5) }
  t.same(bonds, [1, 2])
  t.ok(await adapter.blockTime() < 2 ** 40)
  liar.lie = (method) => method === 'eth_getTransactionReceipt' || method === 'eth_getBlockByNumber' ? null : undefined
  const receipt = await adapter.send(await adapter.depositCall(5), { name: 'deposit', signal })
  t.equal(receipt.status, 'success')
  t.equal((await adapter.account(adapter.address)).free, 5)
})

t.test('when too few agree nothing is concluded, and the error names who said what', async (t) => {
  const proxies = await behind(t, 2)
  const adapter = await funded('two-voices', proxies)
  proxies[0].lie = (method) => method === 'eth_call' ? `0x${[9, 0, 0, 0].map((value) => word(value).slice(2)).join('')}` : undefined
  await t.rejects(adapter.account(adapter.address), { code: 'CHAIN_DISAGREED', data: { method: 'eth_call', answers: { [proxies[0].url]: /0009/, [proxies[1].url]: String } } })
  proxies[0].lie = undefined
  t.equal((await adapter.account(adapter.address)).free, 0)
  proxies[0].mode = 'down'
  await t.rejects(adapter.account(adapter.address), { code: 'CHAIN_UNREACHABLE' })
})

t.test('blocks that are replaced while their events are read are read again', async (t) => {
  const [proxy] = await behind(t, 1)
  const actor = await funded('replaced', [])
  await actor.send(await actor.depositCall(1000), { name: 'deposit', signal })
  const adapter = await funded('late', [proxy], { confirmations: 1 })
  await adapter.caughtUp()
  const bonds: number[] = []
  adapter.onEvent((event: ChainEvent) => { if (event.name === 'Bonded' && event.args.account === actor.address) bonds.push(event.args.amount) })
  let isOld = true
  // Until its logs were read, the block of the bond is one without events.
  proxy.lie = (method, params, result) => {
    if (!isOld) return undefined
    if (method === 'eth_getBlockByNumber' && params[0] === bondedIn) return { ...result as object, hash: word(7) }
    if (method === 'eth_getLogs' && (params[0] as { toBlock: string }).toBlock === bondedIn) { isOld = false; return [] }
    return undefined
  }
  let bondedIn = ''
  proxy.mode = 'down'
  bondedIn = `0x${(await actor.send(addBondCall(3), { name: 'bond', signal })).blockNumber.toString(16)}`
  await chain.clients.request('evm_mine', [])
  proxy.mode = 'up'
  while (bonds.length === 0) { await adapter.caughtUp().catch(() => undefined); await chain.clients.request('evm_mine', []); await delay(5) }
  t.notOk(isOld)
  t.same(bonds, [3])
})

t.test('a chain that does not answer at first is asked again', async (t) => {
  const [proxy] = await behind(t, 1)
  proxy.mode = 'down'
  const starting = funded('patient', [proxy])
  while ((proxy.asked.get('eth_chainId') ?? 0) < 4) await delay(5)
  proxy.mode = 'up'
  t.equal((await starting).status().isReachable, true)
})
t.end()
