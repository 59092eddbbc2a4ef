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
  net = await openTestDevnet(t, { name: 'rogues', solvers: 0, isPartable: true })
  // Where no solver is found to send it, a creator's session comes some seconds late; without one its deals go by themselves.
  await until(async () => (await net.client('creator-1').session()).funds > 0)
})

interface Rogue { account: Address, ended: Promise<unknown>, /** The epochs that it revealed late in. */ epochs: () => number[] }

/** Starts a solver with the fault; resolves when it takes part. */
async function startRogue (t: Test, fault: string, peers: readonly string[] = []): Promise<Rogue> {
  const { network, chain } = net.devnet()
  const child = spawn(process.execPath, [ROGUE, net.networkPath, join(net.root, fault), fault, ...peers], { stdio: ['ignore', 'pipe', 'inherit'], env: net.sandbox.env })
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
    epochs: () => lines.flatMap((line) => /^revealed (\d+)/.exec(line)?.[1] ?? []).map(Number)
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
const submit = async (more: object = {}): Promise<JobView> => await net.client('creator-1').submit({ module: 'noop:v0.0.1', inputs: {}, cpuMilli: 10, memoryMiB: 16, ...more })
/** Jobs until the solver was killed over one, which is returned as it ended: a job may be matched and done before the newcomer has its record. */
async function untilKilled (t: Test, rogue: Rogue, more: object = {}): Promise<JobView> {
  for (;;) {
    const { id } = await submit(more)
    const ended = net.untilJob(net.client('creator-1'), id, isAccepted)
    const signal = await Promise.race([rogue.ended, ended.then(() => undefined)])
    const job = await ended
    if (signal === undefined) continue
    t.match(signal, [null, 'SIGKILL'])
    return job
  }
}

t.test('a solver is killed when both wait for it to open: the job is matched again and done by one deal', async (t) => {
  const rogue = await startRogue(t, 'dies-when-asked')
  const job = await untilKilled(t, rogue)
  t.ok(job.attempt >= 1, 'the first attempt\'s terms are void')
  t.not(job.deals.at(-1)?.solver, rogue.account)
  await assertDoneOnce(t, job, rogue)
})

t.test('a solver is killed between its promise and the opening of an audited job, which goes by itself: the provider opens the same deal', async (t) => {
  const rogue = await startRogue(t, 'dies-when-bound')
  const job = await untilKilled(t, rogue, { verification: { strategy: 'audit', auditBp: 5000 } })
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
    epoch = rogue.epochs()[0]
    const auctions = await Promise.all(net.devnet().nodes.map(async ({ client }) => await client.auction(epoch ?? job.deals.at(-1)?.epoch ?? 0).catch(() => undefined)))
    t.ok(auctions.every((auction) => auction?.solutions.every(({ solver }) => solver !== rogue.account) ?? true), 'no process ranks it')
  }
})

t.test('a solver reveals to one half of the mesh while that cannot pass it on to the other: the job is done once', async (t) => {
  const { nodes } = net.devnet()
  // The provider that asks less is not in the half of the creator.
  const half = ['creator-1', 'provider-2', 'bootstrap']
  const others = nodes.map(({ name }) => name).filter((name) => !half.includes(name))
  const statuses = await Promise.all(half.map(async (name) => await net.client(name).status()))
  const rogue = await startRogue(t, 'reveals-to-some', statuses.map(({ peerId }) => peerId))
  // Until one half ranked it and the other did not: a job may be matched before the newcomer has its record.
  for (let isHalf = false; !isHalf;) {
    const { epoch, commitDeadline, revealDeadline } = await net.nextEpoch()
    await net.part(half, others, { fromMs: commitDeadline - 20, untilMs: revealDeadline })
    const { id } = await submit()
    const job = await net.untilJob(net.client('creator-1'), id, isAccepted)
    await assertDoneOnce(t, job, rogue)
    const auctions = await Promise.all(nodes.map(async ({ client }) => await client.auction(epoch).catch(() => undefined)))
    const ranking = nodes.filter((_, at) => auctions[at]?.solutions.some(({ solver }) => solver === rogue.account)).map(({ name }) => name)
    t.comment(`epoch ${epoch}: ranked by ${ranking.join(' ')}; ${job.deals.map(({ epoch, state, provider, solver }) => `${epoch} ${state} at ${provider}${solver === rogue.account ? ' by its solution' : ''}`).join()}`)
    // A provider of the other half may have taken it over from the creator, with its evidence; a mediator is told nothing.
    isHalf = half.every((name) => ranking.includes(name)) && !ranking.includes('mediator-1')
  }
})

// The last one: a minute after openBy the creator accuses the solver, which locks a stake of its own for as long as that may answer.
t.test('a solver is killed between its promise and the commit of the batch: nothing was locked, and another solver\'s deal does the job', async (t) => {
  const rogue = await startRogue(t, 'dies-when-bound')
  const job = await untilKilled(t, rogue)
  t.ok(job.deals.some(({ solver, state }) => solver === rogue.account && state === 'Cancelled'))
  t.not(job.deals.at(-1)?.solver, rogue.account)
  await assertDoneOnce(t, job, rogue)
})

t.test('no connection left the machine', async (t) => {
  t.equal(await net.sandbox.strays(), '')
})
