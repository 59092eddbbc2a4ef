import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { depositApprovedCall } from '../../src/chain/account-calls.ts'
import type { Chain } from '../../src/chain/chain.ts'
import { createVolatileStore, type ChainStore } from '../../src/chain/chain-store.ts'
import { encodeCall } from '../../src/chain/encode-call.ts'
import type { LedgerView } from '../../src/chain/ledger/entry.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'
import { startLedgers, type TestLedgers } from '../support/ledgers.ts'
import { createMemoryDatastore } from '../support/memory-datastore.ts'

const signal = AbortSignal.timeout(60_000)
let test: TestChain
// What `save` does not write is lost with anvil.
t.before(async () => { test = await startTestChain({ tuning: { snapshotGapMs: 1e9, agedSnapshotGapMs: 1e9 } }) })
t.teardown(async () => { await test.stop() })

/** Whose deposits go to an account of their own. */
async function payer (name: string): Promise<{ chain: Chain, account: `0x${string}`, deposit: () => Promise<void> }> {
  const signer = namedSigner(name)
  await test.fund(signer.address, 100)
  const chain = await test.chainFor(signer)
  const account = namedSigner(`${name}'s friend`).address
  await chain.send(encodeCall('token', 'approve', [test.deployment.contracts.vault, 100n]), { name: 'approve', signal })
  return { chain, account, deposit: async () => { await chain.send(depositApprovedCall(account, 100), { name: 'deposit', signal }) } }
}
const view = async (of: TestLedgers): Promise<LedgerView> => (await of.views())[0] as LedgerView
async function killChain (): Promise<void> {
  const pid = test.supervisor.anvilPid() as number
  process.kill(pid, 'SIGKILL')
  while (test.supervisor.anvilPid() === pid || test.supervisor.anvilPid() === undefined) await delay(5)
}

t.test('node and chain are killed, and the chain comes back from before the last transaction: its entry is gone', async (t) => {
  const datastore = createMemoryDatastore()
  const { chain, account, deposit } = await payer('gone')
  await test.supervisor.save()
  const before = await startLedgers(test, [account], { datastore })
  await deposit()
  t.match(await view(before), { isEqual: true, entries: [{ kind: 'deposit', free: 100 }] })
  await before.stop()
  await chain.stop()
  await killChain()
  const after = await startLedgers(test, [account], { datastore })
  t.match(await view(after), { isEqual: true, entries: { length: 0 }, chain: { free: 0 } })
  await after.stop()
})

t.test('an entry on disk of a block that did not count as handled yet goes with that block', async (t) => {
  const inner = createVolatileStore()
  let isDying = false
  const datastore: ChainStore = { ...inner, put: async (key, bytes) => { if (!isDying || !key.startsWith('chain/cursor/')) await inner.put(key, bytes) } }
  const { chain, account, deposit } = await payer('dying')
  const before = await startLedgers(test, [account], { datastore })
  await view(before)
  isDying = true
  await test.supervisor.save()
  await deposit()
  t.match(await view(before), { entries: [{ kind: 'deposit' }] })
  await before.stop()
  await chain.stop()
  await killChain()
  const after = await startLedgers(test, [account], { datastore })
  t.match(await view(after), { isEqual: true, entries: { length: 0 } })
  await after.stop()
})

t.test('a transaction that comes again in an earlier block counts from there', async (t) => {
  const { chain, account, deposit } = await payer('again')
  const ledgers = await startLedgers(test, [account])
  await test.supervisor.save()
  for (let block = 0; block < 60; block++) await test.clients.request('evm_mine', [])
  await deposit()
  const [first] = (await view(ledgers)).entries
  await killChain()
  while ((await chain.account(account).catch(() => undefined))?.free !== 100) await delay(5)
  const after = await view(ledgers)
  t.match(after, { isEqual: true, entries: [{ kind: 'deposit', transaction: first?.transaction }] })
  t.ok((after.entries[0]?.block ?? 0) < (first?.block ?? 0))
  await ledgers.stop()
})
t.end()
