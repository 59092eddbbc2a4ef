import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { JobView } from '../../src/api/facade.ts'
import { isTerminal, type DealState } from '../../src/deal/states.ts'
import { possibleCosts } from '../support/costs.ts'
import { openTestDevnet, untilMet, type TestDevnet } from '../support/devnet.ts'
import { countingModule, roundsFor, writeGuest } from '../support/guests.ts'
import { killAll, until } from '../support/lilynode.ts'

// Two minutes on an idle machine; half of it are deadlines on chain.
t.setTimeout(900_000)

let net: TestDevnet
/** A job of three seconds on an idle machine, and the same with more time than a restart on a slow one takes. */
let long: string[]
let patient: string[]
t.before(async () => {
  net = await openTestDevnet(t, { name: 'kills' })
  const guest = await writeGuest(net.sandbox.root, 'long', countingModule(roundsFor(3_000)))
  // The deadline on chain is ten seconds after the limit.
  long = ['run', guest, '--run-seconds', '15']
  patient = ['run', guest, '--run-seconds', '60']
})
const cowsay = ['run', 'cowsay:v0.0.4', '-i', 'Message=moo'] as const
const isAccepted = (job: JobView): boolean => job.state === 'ResultsAccepted' && job.result !== undefined
const isBound = (job: JobView): boolean => ['DealAgreed', 'Running'].includes(job.deals.at(-1)?.state ?? '')
const nameOf = (account: string | undefined): string => net.devnet().nodes.find((node) => node.account === account)?.name ?? `no member has ${String(account)}`

t.test('the provider dies while it runs: timed out on chain, done by the other one, nobody lifts a finger', async (t) => {
  const creator = net.client('creator-1')
  const before = await creator.balance()
  const command = net.spawn(...long)
  const job = await until(async () => (await creator.jobs()).find((each) => each.deals.at(-1)?.state === 'Running'))
  // The first, but for a machine so loaded that an earlier one was not started in time.
  const at = job.deals.length - 1
  const first = nameOf(job.deals[at]?.provider)
  await net.kill(first)
  const result = await command.ended
  t.equal(result.code, 0, result.stderr)
  const done = result.json<JobView & { stdout: string }>()
  t.match(done, { id: job.id, stdout: 'done\n', result: { exitCode: 0, reason: 'exited' } })
  t.ok(done.attempt > at)
  t.equal(done.deals[at]?.state, 'TimedOut')
  t.not(nameOf(done.deals.at(-1)?.provider), first, 'another provider did it')
  const settled = await net.untilJob(creator, job.id, (job) => isAccepted(job) && job.deals.every(({ state }) => isTerminal(state as DealState)))
  const after = await creator.balance()
  t.equal(after.locked, 0, 'nothing of the creator\'s stays locked')
  t.ok(settled.deals[at]?.transactions.some(({ name }) => name === 'timedOut' || name === 'timeout-submit'), 'the deadline was called')
  const possible = possibleCosts(settled.deals, net.devnet().network.deal)
  t.ok(possible.includes(before.free + before.session - after.free - after.session), 'price and fee of the lost deal came back, with the claim fee')
  await net.reopen()
})

t.test('the provider dies while it runs and comes back in time: the same deal is finished', async (t) => {
  const { id } = (await net.lilynode(...patient, '--detach')).json<JobView>()
  const bound = await net.untilJob(net.client('creator-1'), id, (job) => job.deals.at(-1)?.state === 'Running')
  const deal = bound.deals.at(-1)
  await net.kill(nameOf(deal?.provider))
  await net.reopen()
  const job = await net.untilJob(net.client('creator-1'), id, isAccepted)
  t.equal(job.deals.at(-1)?.dealId, deal?.dealId)
  t.match(job.result, { exitCode: 0 })
})

t.test('the creator dies after its deal is open: the result is there when it comes back, and the command that waits for it gets it', async (t) => {
  const before = (await net.client('creator-1').jobs()).length
  const command = net.spawn(...patient)
  const { id, deals: bound } = await until(async () => (await net.client('creator-1').jobs()).slice(before).find(isBound))
  await net.kill('creator-1')
  await net.reopen()
  const waited = await command.ended
  t.equal(waited.code, 0, waited.stderr)
  t.match(waited.json(), { id, stdout: 'done\n' })
  const job = await net.untilJob(net.client('creator-1'), id, isAccepted)
  t.match(job.result, { exitCode: 0 })
  t.same(job.deals.map(({ dealId }) => dealId), bound.map(({ dealId }) => dealId), 'the deal from before')
  t.equal(await readFile(join(job.result?.path ?? '', 'stdout'), 'utf8'), 'done\n')
})

t.test('the creator dies with an offer that nobody consented to: matched after the restart', async (t) => {
  const { id } = await net.client('creator-1').submit({ module: 'cowsay:v0.0.4', inputs: { Message: 'again' } })
  await net.kill('creator-1')
  await net.reopen()
  const job = await net.untilJob(net.client('creator-1'), id, isAccepted)
  t.match(await readFile(join(job.result?.path ?? '', 'stdout'), 'utf8'), /again/)
})

t.test('the solver dies after it committed the batch: the provider is paid all the same, by the statement that it holds', async (t) => {
  const command = net.spawn(...patient)
  const before = (await net.client('creator-1').jobs()).length
  const { id, deals } = await until(async () => (await net.client('creator-1').jobs()).slice(before).find((job) => job.deals.at(-1)?.state === 'Running'))
  const deal = deals.at(-1)
  t.match(deal?.transactions, [{ name: 'commit', from: deal?.solver }])
  await net.kill(nameOf(deal?.solver))
  t.equal((await command.ended).code, 0)
  const job = await net.untilJob(net.client('creator-1'), id, isAccepted)
  t.match(job.deals.at(-1)?.transactions.at(-1), { name: 'settle', from: deal?.provider, leaves: 1 })
  await net.reopen()
})

t.test('the bootstrap node dies: jobs still run', async (t) => {
  await net.kill('bootstrap')
  const result = await net.lilynode(...cowsay)
  t.equal(result.code, 0, result.stderr)
  t.match(result.json(), { stdout: /moo/ })
})

t.test('one solver dies: the other one carries on', async (t) => {
  await net.kill('solver-1')
  // On a loaded machine it is late for an epoch now and then, and a floor solution stands in: for every job only if it is dead too.
  const opened: string[] = []
  while (opened.length < 5 && !opened.includes('solver-2')) {
    const result = await net.lilynode(...cowsay)
    t.equal(result.code, 0, result.stderr)
    opened.push(nameOf(result.json<JobView>().deals.at(-1)?.solver))
  }
  t.ok(opened.includes('solver-2'), `opened by ${opened.join(', ')}`)
})

t.test('both solvers die: another node posts the floor solution and opens the deal', async (t) => {
  await net.kill('solver-2')
  const result = await net.lilynode(...cowsay)
  t.equal(result.code, 0, result.stderr)
  const deal = result.json<JobView>().deals.at(-1)
  t.match(nameOf(deal?.solver), /^(provider|mediator)-\d$/)
  const auction = await net.client('creator-1').auction(deal?.epoch ?? 0)
  t.match(auction.solutions.find((solution) => solution.winner), { fallback: true, solver: deal?.solver })
})

t.test('everything dies in the middle of a job, the chain with it: started again it finishes that job, knows the old ones and runs a new one', async (t) => {
  await net.reopen()
  const { id } = (await net.lilynode(...patient, '--detach')).json<JobView>()
  await net.untilJob(net.client('creator-1'), id, isBound)
  const before = await net.client('creator-1').jobs()
  await killAll(net.sandbox.root)
  await net.reopen()
  await untilMet(net)
  const result = await net.lilynode(...cowsay)
  t.equal(result.code, 0, result.stderr)
  t.match(result.json(), { stdout: /moo/ })
  t.match(await net.untilJob(net.client('creator-1'), id, isAccepted), { result: { exitCode: 0 } })
  const after = (await net.lilynode('jobs')).json<JobView[]>()
  t.same(after.slice(0, -2).map(({ id, result }) => [id, result?.cid]), before.slice(0, -1).map(({ id, result }) => [id, result?.cid]), 'the jobs of before, with their results')
})

t.test('after all of this every ledger adds up to what the chain holds', async (t) => {
  for (const { name } of net.devnet().nodes) {
    const ledger = await until(async () => await net.client(name).ledger().then((view) => view.isEqual ? view : undefined))
    t.ok(ledger.isEqual, `${name}: ${ledger.entries.length} entries`)
  }
})

t.test('no connection left the machine', async (t) => {
  t.equal(await net.sandbox.strays(), '')
})
