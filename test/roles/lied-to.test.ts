import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { numberToHex } from 'viem'
import { addBondCall, registerMediatorCall } from '../../src/chain/account-calls.ts'
import { isTerminal } from '../../src/deal/states.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { createDealScene, type DealScene, type ProviderNode, type SceneNode } from '../support/deal-scene.ts'
import { startLedgers } from '../support/ledgers.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'
import { startRpcProxy, type RpcProxy } from '../support/rpc-proxy.ts'

/** Whole deals of parties that read the chain from five endpoints each, of which one lies about all it can and one never answers. */
const LILY = 1_000_000_000
const signal = AbortSignal.timeout(60_000)
const creator = { signer: namedSigner('creator'), disk: createMemoryDatastore() }
const provider = { signer: namedSigner('provider'), disk: createMemoryDatastore() }
let jobNumber = 0
let test: TestChain
let scene: DealScene
let solver: SceneNode
let mediator: SceneNode
t.before(async () => {
  test = await startTestChain({ parameters: { unbondSeconds: 86_400 } })
  scene = await createDealScene(test)
  for (const name of ['creator', 'provider', 'mediator', 'solver']) {
    await test.fund(namedSigner(name).address, LILY)
    const chain = await test.chainFor(namedSigner(name))
    await chain.send(await chain.depositCall(LILY), { name: 'deposit', signal })
    if (name !== 'mediator') continue
    await chain.send(addBondCall(LILY), { name: 'bond', signal })
    await chain.send(registerMediatorCall(), { name: 'register', signal })
  }
  solver = await scene.openSolver({ signer: namedSigner('solver') })
  mediator = await scene.openMediator({ signer: namedSigner('mediator') })
})
t.teardown(async () => {
  await Promise.all([solver.stop(), mediator.stop()])
  await test.stop()
})

interface Log { topics: Hash[], blockNumber: Hash }
/** The Market's events of a deal. */
async function logsOf (dealId: Hash): Promise<Log[]> {
  const logs = await test.clients.request<Log[]>('eth_getLogs', [{ address: test.deployment.contracts.market, fromBlock: '0x0', toBlock: 'latest' }])
  return logs.filter(({ topics }) => topics[1] === dealId)
}
/** Five endpoints for one node. */
async function openEndpoints (t: Test): Promise<[RpcProxy, RpcProxy, ...RpcProxy[]]> {
  const proxies = await Promise.all(Array.from({ length: 5 }, async () => await startRpcProxy(test.rpcUrl)))
  t.teardown(async () => { await Promise.all(proxies.map(async (proxy) => { await proxy.stop() })) })
  return proxies as [RpcProxy, RpcProxy, ...RpcProxy[]]
}
/** Tells that the deal went the whole way of another one long ago, that accounts are full, that nothing was sent and that it is tomorrow. */
function lieOf (dealId: Hash, story: readonly Log[]): NonNullable<RpcProxy['lie']> {
  return (method, params, result) => {
    switch (method) {
      case 'eth_getLogs': return [...result as Log[], ...story.map((log) => ({ ...log, topics: log.topics.with(1, dealId), blockNumber: (params[0] as { fromBlock: string }).fromBlock }))]
      case 'eth_call': return `0x${'7'.repeat((result as string).length - 2)}`
      case 'eth_getTransactionCount': return numberToHex(77)
      case 'eth_getTransactionReceipt': return null
      case 'eth_getBlockByNumber': return result === null ? null : { ...result as object, timestamp: numberToHex(2 ** 33) }
      case 'eth_sendRawTransaction': case 'eth_estimateGas': return '0x'
      default: return undefined
    }
  }
}
const heldBy = async (): Promise<number[]> => await Promise.all([creator, provider, solver, mediator].map(async ({ signer }) => {
  const { free, locked, bond } = await solver.chain.account(signer.address)
  return free + locked + bond
}))

/** A deal from consent to its end; `between`: before its creator's node is there. */
async function run (atWork: ProviderNode, rpcUrls: readonly string[], options: { isAudited: boolean, between?: (dealId: Hash) => Promise<void> }): Promise<{ dealId: Hash, state: string | undefined, moved: number[] }> {
  const before = await heldBy()
  const { dealId } = await scene.agree(creator, atWork, {
    now: await solver.chain.blockTime(), jobNumber: ++jobNumber, feeTo: solver.signer.address, mediators: { mediators: [mediator.signer.address], weights: [LILY] }, rest: options.isAudited ? { verification: 2, auditBp: 10_000 } : { verification: 1 }
  })
  await options.between?.(dealId)
  const buyer = await scene.openCreator({ ...creator, chain: chainOf(rpcUrls) })
  const isOver = (): boolean => [buyer.deals.get(dealId), atWork.deals.get(dealId)].every((deal) => deal !== undefined && isTerminal(deal.state)) && (options.isAudited || buyer.client.job(dealId)?.result !== undefined)
  while (!isOver()) await delay(20)
  const after = await heldBy()
  await buyer.stop()
  return { dealId, state: atWork.deals.get(dealId)?.state, moved: after.map((held, index) => held - (before[index] ?? 0)) }
}
const chainOf = (rpcUrls: readonly string[]): { rpcUrls: readonly string[], tuning: { pollMs: number, requestTimeoutMs: number } } => ({ rpcUrls, tuning: { pollMs: 100, requestTimeoutMs: 1000 } })

t.test('while one endpoint lies and one hangs a deal starts when it is open, ends as the rules say, and nothing is signed on a lie', async (t) => {
  const ofCreator = await openEndpoints(t)
  const ofProvider = await openEndpoints(t)
  const urls = [ofCreator, ofProvider].map((proxies) => proxies.map(({ url }) => url)) as [string[], string[]]
  let atWork = await scene.openProvider({ ...provider, chain: chainOf(urls[1]) })
  const honest = await run(atWork, urls[0], { isAudited: false })
  t.same([honest.state, honest.moved], ['ResultsAccepted', [-105, 100, 5, 0]])
  const story = await logsOf(honest.dealId)
  t.ok(story.length >= 2, 'opened and settled')
  for (const [, hanging] of [ofCreator, ofProvider]) hanging.mode = 'paused'
  const lie = (dealId: Hash): void => { for (const [liar] of [ofCreator, ofProvider]) liar.lie = lieOf(dealId, story) }

  const lied = await run(atWork, urls[0], {
    isAudited: false,
    between: async (dealId) => {
      lie(dealId)
      const [liar] = ofProvider
      const told = liar.asked.get('eth_getLogs') ?? 0
      // Only new blocks are asked about.
      for (let block = 0; block < 3; block++) { await test.advance(1); await atWork.chain.caughtUp() }
      t.ok((liar.asked.get('eth_getLogs') ?? 0) > told, 'the liar told its story')
      t.match(atWork.deals.get(dealId), { state: 'DealNegotiating', start: undefined, result: undefined })
    }
  })
  t.same([lied.state, lied.moved], ['ResultsAccepted', [-105, 100, 5, 0]])
  t.ok(atWork.chain.status().resting.length >= 1, 'who lies or hangs is left aside')
  await atWork.stop()
  atWork = await scene.openProvider({ ...provider, chain: chainOf(urls[1]), fault: 'wrong-result' })
  const cheated = await run(atWork, urls[0], { isAudited: true, between: async (dealId) => { lie(dealId) } })
  t.same([cheated.state, cheated.moved], ['MediationRejected', [10, -300, 0, 20]])
  await atWork.stop()
  const ledgers = await startLedgers(test, [creator, provider, solver, mediator].map(({ signer }) => signer.address))
  while (!(await ledgers.views()).every(({ isEqual }) => isEqual)) await delay(100)
  await ledgers.stop()
})
