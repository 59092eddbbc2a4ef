import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { CONTRACT_NAMES } from '../../src/chain/abis.ts'
import { approveCall } from '../../src/chain/account-calls.ts'
import { reservePort, startAnvil } from '../../src/chain/anvil.ts'
import { createVolatileStore, type ChainStore } from '../../src/chain/chain-store.ts'
import { createClients, type ChainClients } from '../../src/chain/clients.ts'
import type { Deployment } from '../../src/chain/deployment.ts'
import { createFeeSource } from '../../src/chain/fees.ts'
import { createFlightLog, type FlightLog } from '../../src/chain/flight-log.ts'
import { createHead } from '../../src/chain/head.ts'
import { DEVNET_TUNING } from '../../src/chain/options.ts'
import { createSender, type Sender, type TxReceipt } from '../../src/chain/sender.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { namedSigner } from '../support/chain.ts'

const CHAIN_ID = 31_338
const signal = AbortSignal.timeout(30_000)
const signer = namedSigner('resumes')
const address = `0x${'11'.repeat(20)}` as const
const contracts = Object.fromEntries(CONTRACT_NAMES.map((name) => [name, address])) as Deployment['contracts']
const call = (amount: number): ReturnType<typeof approveCall> => approveCall(signer.address, amount)

interface Ground {
  clients: ChainClients
  store: ChainStore
  log: FlightLog
  /** The sender of a node with this datastore. `kill` leaves the datastore as it is at that moment. */
  run: (store?: ChainStore) => Promise<{ sender: Sender, kill: () => Promise<void> }>
  mined: () => Promise<number>
  waiting: (count: number) => Promise<void>
}
/** An anvil that mines only when told, with a plain account instead of contracts: every call succeeds. */
async function ground (t: Test): Promise<Ground> {
  const port = await reservePort(0)
  const anvil = await startAnvil({ port, chainId: CHAIN_ID, cachePath: t.testdir() })
  const clock = createSystemClock()
  const clients = createClients({ rpcUrls: [`http://127.0.0.1:${port}`], chainId: CHAIN_ID, requestTimeoutMs: 5000 })
  await clients.request('anvil_setBalance', [signer.address, '0xde0b6b3a7640000'])
  const store = createVolatileStore()
  const logOf = (of: ChainStore): FlightLog => createFlightLog({ store: of, logger: silentLogger }, { chainId: CHAIN_ID, from: signer.address })
  const kills: Array<() => Promise<void>> = []
  t.teardown(async () => { for (const kill of kills) await kill(); await anvil.stop() })
  return {
    clients, store, log: logOf(store),
    run: async (of = store) => {
      const head = createHead({ clients, clock, logger: silentLogger }, DEVNET_TUNING)
      const sender = createSender({ signer, clients, head, fees: createFeeSource({ clients, head, clock }), clock, logger: silentLogger, log: logOf(of) }, { stuckMs: 200, contracts })
      await head.start()
      await sender.start()
      const kill = async (): Promise<void> => { await sender.stop(); await head.stop() }
      kills.push(kill)
      return { sender, kill }
    },
    mined: async () => Number(await clients.request('eth_getTransactionCount', [signer.address, 'latest'])),
    waiting: async (count) => { while (Number((await clients.request<{ pending: string }>('txpool_status', [])).pending) < count) await delay(5) }
  }
}
/** Mines until the receipt is there. */
async function mineUntil<T> (clients: ChainClients, wanted: Promise<T>, baseFee?: bigint): Promise<T> {
  let isDone = false
  const settled = wanted.finally(() => { isDone = true })
  settled.catch(() => undefined)
  while (!isDone) {
    if (baseFee !== undefined) await clients.request('anvil_setNextBlockBaseFeePerGas', [`0x${baseFee.toString(16)}`])
    await clients.request('evm_mine', [])
    await delay(10)
  }
  return await settled
}
/** Sends that will die with their node. */
function sendAll (sender: Sender, amounts: readonly number[]): Array<Promise<TxReceipt>> {
  const sends = amounts.map(async (amount) => await sender.send(call(amount), { name: `approve-${amount}`, signal }))
  for (const send of sends) send.catch(() => undefined)
  return sends
}

t.test('a node killed with transactions in flight goes on with them: sent again under their nonces, none twice', async (t) => {
  const { clients, run, mined, waiting, log } = await ground(t)
  const first = await run()
  const sends = sendAll(first.sender, [1, 2, 3])
  await waiting(3)
  await first.kill()
  for (const send of sends) await t.rejects(send, { code: 'CHAIN_STOPPED' })
  await clients.request('anvil_dropAllTransactions', [])
  const { sender } = await run()
  await waiting(3)
  t.equal(sender.status().inFlight, 3)
  const again = sendAll(sender, [2, 4])
  const [two, four] = await mineUntil(clients, Promise.all(again))
  t.equal(two?.name, 'approve-2')
  t.equal(four?.name, 'approve-4')
  t.equal(await mined(), 4, 'the call asked for again is the one already under way')
  while (sender.status().inFlight > 0) await delay(5)
  t.same((await log.load()).map(({ nonce, hasLanded }) => [nonce, hasLanded]), [[0, true], [1, true], [2, true], [3, true]])
})

t.test('a nonce stuck over a restart is replaced with higher fees', async (t) => {
  const { clients, run, mined, waiting, log } = await ground(t)
  const first = await run()
  sendAll(first.sender, [1, 2])
  await waiting(2)
  await first.kill()
  const dear = 100_000_000_000n
  await clients.request('anvil_setNextBlockBaseFeePerGas', [`0x${dear.toString(16)}`])
  await clients.request('evm_mine', [])
  t.equal(await mined(), 0, 'too cheap for the block')
  const { sender } = await run()
  const receipts = await mineUntil(clients, Promise.all(sendAll(sender, [1, 2])), dear)
  for (const { gas, feeWei } of receipts) t.ok(feeWei / BigInt(gas) >= dear)
  t.equal(await mined(), 2)
  t.ok((await log.load()).some(({ hashes }) => hashes.length > 1), 'replacements are on disk too')
})

t.test('a node killed between its disk and the chain sends what the chain never heard of', async (t) => {
  const { clients, run, mined, store, waiting } = await ground(t)
  const dying: ChainStore = { ...store, put: async (...entry) => { await store.put(...entry); throw new Error('killed') } }
  const first = await run(dying)
  await t.rejects(first.sender.send(call(1), { name: 'approve', signal }), { message: 'killed' })
  await first.kill()
  t.equal((await clients.request<{ pending: string }>('txpool_status', [])).pending, '0x0')
  const { sender } = await run()
  await waiting(1)
  await mineUntil(clients, Promise.all(sendAll(sender, [1])))
  t.equal(await mined(), 1)
})

t.test('what a restored chain lost while the node was away is sent again', async (t) => {
  const { clients, run, mined, waiting } = await ground(t)
  const snapshot = await clients.request('evm_snapshot', [])
  const first = await run()
  await mineUntil(clients, Promise.all(sendAll(first.sender, [1, 2])))
  await first.kill()
  await clients.request('evm_revert', [snapshot])
  t.equal(await mined(), 0)
  await run()
  await waiting(2)
  await clients.request('evm_mine', [])
  t.equal(await mined(), 2)
})

t.test('a nonce that another program used meanwhile is given up', async (t) => {
  const { clients, run, mined, waiting, log } = await ground(t)
  const first = await run()
  sendAll(first.sender, [1])
  await waiting(1)
  await first.kill()
  await clients.request('anvil_dropAllTransactions', [])
  const other = await run(createVolatileStore())
  await mineUntil(clients, Promise.all(sendAll(other.sender, [9])))
  const { sender } = await run()
  while (sender.status().inFlight > 0) await delay(5)
  t.equal(await mined(), 1)
  t.same(await log.load(), [])
})
t.end()
