import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { addBondCall } from '../../src/chain/account-calls.ts'
import type { Chain, ChainEvent } from '../../src/chain/chain.ts'
import { createVolatileStore, type ChainStore } from '../../src/chain/chain-store.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'

const signal = AbortSignal.timeout(60_000)
let chain: TestChain
t.before(async () => { chain = await startTestChain() })
t.teardown(async () => { await chain.stop() })

function memoryStore (): ChainStore & { puts: number } {
  const inner = createVolatileStore()
  const store = { ...inner, puts: 0, put: async (key: string, value: Uint8Array) => { store.puts++; await inner.put(key, value) } }
  return store
}
/** Collects the bonds of one account, in the order of delivery. */
function collectBonds (adapter: Chain, account: string): ChainEvent[] {
  const got: ChainEvent[] = []
  adapter.onEvent((event) => { if (event.name === 'Bonded' && event.args.account === account) got.push(event) })
  return got
}
const amounts = (events: readonly ChainEvent[]): number[] => events.map((event) => event.name === 'Bonded' ? event.args.amount : -1)
async function funded (name: string): Promise<Chain> {
  const signer = namedSigner(name)
  await chain.fund(signer.address, 1_000_000)
  const adapter = await chain.chainFor(signer)
  await adapter.send(await adapter.depositCall(1_000_000), { name: 'deposit', signal })
  return adapter
}

t.test('events come once, in chain order, over a restart of the listener', async (t) => {
  const actor = await funded('actor')
  const store = memoryStore()
  const watcher = namedSigner('watcher')
  const bond = async (...values: number[]): Promise<void> => { await Promise.all(values.map(async (value) => await actor.send(addBondCall(value), { name: 'bond', signal }))) }

  await bond(1, 2)
  const first = await chain.chainFor(watcher, { datastore: store })
  const before = collectBonds(first, actor.address)
  await bond(3, 4, 5)
  await first.caughtUp()
  await first.stop()
  t.equal(before.length, 5, 'what happened before the start is back-filled')
  await bond(6)
  const second = await chain.chainFor(watcher, { datastore: store })
  const after = collectBonds(second, actor.address)
  await bond(7)
  await second.caughtUp()
  t.same(amounts(after), [6, 7], 'nothing twice, nothing lost while away')
  const places = [...before, ...after].map(({ blockNumber, logIndex }) => blockNumber * 10_000 + logIndex)
  t.same(places, [...places].sort((a, b) => a - b))
  t.same([...amounts(before), ...amounts(after)].sort(), [1, 2, 3, 4, 5, 6, 7])
  t.match(after[0], { contract: 'vault', from: actor.address, gas: Number, blockTime: Number, transactionHash: /^0x/ })
  t.ok(store.puts > 0)
})

t.test('a block counts as done only when its listeners are: a crash in between brings it again', async (t) => {
  const actor = await funded('crash')
  const store = memoryStore()
  const first = await chain.chainFor(namedSigner('crasher'), { datastore: store })
  await first.caughtUp()
  const puts = store.puts
  let started = 0
  first.onEvent(async (event) => { if (event.name === 'Bonded' && event.args.account === actor.address) { started++; await new Promise(() => undefined) } })
  await actor.send(addBondCall(9), { name: 'bond', signal })
  await first.caughtUp()
  t.equal(started, 1)
  t.ok(store.puts <= puts + 1, 'the cursor stays before the block')
  await first.stop()
  const second = await chain.chainFor(namedSigner('crasher'), { datastore: store })
  const again = collectBonds(second, actor.address)
  await second.caughtUp()
  t.same(amounts(again), [9])
})

t.test('a late listener gets what came since the start; a failing one disturbs nobody', async (t) => {
  const actor = await funded('late')
  actor.onEvent(() => { throw new Error('broken listener') })
  const early = collectBonds(actor, actor.address)
  await actor.send(addBondCall(1), { name: 'bond', signal })
  await actor.caughtUp()
  const late = collectBonds(actor, actor.address)
  await actor.send(addBondCall(2), { name: 'bond', signal })
  await actor.caughtUp()
  t.same(amounts(early), [1, 2])
  t.same(amounts(late), [1, 2])
})

t.test('a chain restored from a snapshot repeats nothing, and loses nothing that is sent again', async (t) => {
  const actor = await funded('rollback')
  const watcher = await chain.chainFor(namedSigner('rollback watcher'))
  const got = collectBonds(watcher, actor.address)
  await actor.send(addBondCall(1), { name: 'bond', signal })
  await chain.supervisor.save()
  for (let block = 0; block < 20; block++) await chain.clients.request('evm_mine', [])
  await actor.send(addBondCall(2), { name: 'bond', signal })
  await watcher.caughtUp()
  const pid = chain.supervisor.anvilPid() as number
  process.kill(pid, 'SIGKILL')
  while (chain.supervisor.anvilPid() === pid || chain.supervisor.anvilPid() === undefined) await delay(5)
  await actor.send(addBondCall(3), { name: 'bond', signal })
  await watcher.caughtUp()
  t.same(amounts(got), [1, 2, 3])
  t.equal((await watcher.account(actor.address)).bond, 6)
})
t.end()
