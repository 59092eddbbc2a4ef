import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { JobView } from '../../src/api/facade.ts'
import { createFaucet } from '../../src/node/devnet-chain.ts'
import type { Address } from '../../src/wire/shapes.ts'
import { openTestDevnet, type TestDevnet } from '../support/devnet.ts'
import { kill, until } from '../support/lilynode.ts'

// A minute and a half on an idle machine.
t.setTimeout(600_000)

const ROGUE = fileURLToPath(new URL('../support/rogue-solver.ts', import.meta.url))
const GRANT = 1_000_000_000_000
const isAccepted = (job: JobView): boolean => job.state === 'ResultsAccepted' && job.result !== undefined

/** No solver but the rogues: who never hears one posts the floor. */
let net: TestDevnet
t.before(async () => {
  net = await openTestDevnet(t, { name: 'rogues', solvers: 0 })
  // Where no solver is found to send it, a creator's session comes some seconds late; without one its deals go by themselves.
  await until(async () => (await net.client('creator-1').session()).funds > 0)
})

interface Rogue { account: Address, ended: Promise<unknown>, /** The epoch that it revealed late in. */ late: () => number | undefined }

/** Starts a solver with the fault; resolves when it takes part. */
async function startRogue (t: Test, fault: string): Promise<Rogue> {
  const { network, chain } = net.devnet()
  const child = spawn(process.execPath, [ROGUE, net.networkPath, join(net.root, fault), fault], { stdio: ['ignore', 'pipe', 'inherit'], env: net.sandbox.env })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) kill(child.pid as number)
    await ended
  })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => { lines.push(line) })
  const said = async (word: string): Promise<string> => await until(() => lines.find((line) => line.startsWith(word)))
  const account = (await said('account')).split(' ')[1] as Address
  const faucet = await createFaucet({ rpcUrl: network.rpcUrls[0] as string, keyPath: join(chain.process.root, 'deployer.key') })
  faucet.deployment = network.deployment
  await faucet.fund(account, GRANT)
  await faucet.stop()
  await said('competing')
  return {
    account, ended,
    late: () => {
      const line = lines.find((line) => line.startsWith('late'))
      return line === undefined ? undefined : Number(line.split(' ')[1])
    }
  }
}

/** What must hold whoever lied: the job is done once, by one deal that was opened, and nothing stays locked. */
async function assertDoneOnce (t: Test, job: JobView, rogue: Rogue): Promise<void> {
  t.match(job.result, { exitCode: 0 })
  t.equal(job.deals.filter(({ state }) => state === 'ResultsAccepted').length, 1)
  const isVoid = ({ solver, state, transactions }: JobView['deals'][number]): boolean => (state === 'Cancelled' && transactions.length === 0) || (solver !== rogue.account && state === 'Refunded')
  t.ok(job.deals.slice(0, -1).every(isVoid), 'what was signed before was never opened, but by another solver for a provider too slow to start')
  const accounts = await until(async () => {
    const balances = await Promise.all(['creator-1', 'provider-1', 'provider-2'].map(async (name) => await net.client(name).balance()))
    return balances.every(({ locked }) => locked === 0) && balances
  })
  t.equal(accounts.length, 3)
}
/** Submits jobs one after the other until the solver has died of one: it may be late for an epoch, or miss a record. Resolves to that job's id. */
async function submitTo (rogue: Rogue, more: object = {}): Promise<string> {
  for (;;) {
    const { id } = await submit(more)
    const isDead = await Promise.race([rogue.ended.then(() => true), net.untilJob(net.client('creator-1'), id, isAccepted).then(() => false)])
    if (isDead) return id
  }
}
const submit = async (more: object = {}): Promise<JobView> => await net.client('creator-1').submit({ module: 'noop:v0.0.1', inputs: {}, cpuMilli: 10, memoryMiB: 16, ...more })

t.test('a solver is killed when both wait for it to open: the job is matched again and done by one deal', async (t) => {
  const rogue = await startRogue(t, 'dies-when-asked')
  const id = await submitTo(rogue)
  t.match(await rogue.ended, [null, 'SIGKILL'], 'the provider had signed for it')
  const job = await net.untilJob(net.client('creator-1'), id, isAccepted)
  t.ok(job.attempt >= 1, 'the first attempt\'s terms are void')
  t.not(job.deals.at(-1)?.solver, rogue.account)
  await assertDoneOnce(t, job, rogue)
})

t.test('a solver is killed between its promise and the commit of the batch: nothing was locked, and another solver\'s deal does the job', async (t) => {
  const rogue = await startRogue(t, 'dies-when-bound')
  const id = await submitTo(rogue)
  t.match(await rogue.ended, [null, 'SIGKILL'])
  const job = await net.untilJob(net.client('creator-1'), id, isAccepted)
  t.ok(job.deals.some(({ solver, state }) => solver === rogue.account && state === 'Cancelled'))
  t.not(job.deals.at(-1)?.solver, rogue.account)
  await assertDoneOnce(t, job, rogue)
})

t.test('a solver is killed between its promise and the opening of an audited job, which goes by itself: the provider opens the same deal', async (t) => {
  const rogue = await startRogue(t, 'dies-when-bound')
  const id = await submitTo(rogue, { verification: { strategy: 'audit', auditBp: 5000 } })
  t.match(await rogue.ended, [null, 'SIGKILL'])
  const job = await net.untilJob(net.client('creator-1'), id, isAccepted)
  t.match(job, { attempt: 0, deals: [{ solver: rogue.account }] })
  t.equal(job.deals.length, 1)
  await assertDoneOnce(t, job, rogue)
})

t.test('a solver reveals when reveals are closed: nobody takes it, and the job is matched by what was there in time', async (t) => {
  const rogue = await startRogue(t, 'reveals-late')
  // Until it competed for one: a job may be matched before the newcomer has its record.
  for (let epoch: number | undefined; epoch === undefined;) {
    const { id } = await submit()
    const job = await net.untilJob(net.client('creator-1'), id, isAccepted)
    t.not(job.deals.at(-1)?.solver, rogue.account)
    await assertDoneOnce(t, job, rogue)
    epoch = rogue.late()
    const auctions = await Promise.all(net.devnet().nodes.map(async ({ client }) => await client.auction(epoch ?? job.deals.at(-1)?.epoch ?? 0).catch(() => undefined)))
    t.ok(auctions.every((auction) => auction?.solutions.every(({ solver }) => solver !== rogue.account) ?? true), 'no process ranks it')
  }
})

t.test('no connection left the machine', async (t) => {
  t.equal(await net.sandbox.strays(), '')
})
