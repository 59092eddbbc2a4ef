import { join } from 'node:path'
import t from 'tap'
import type { JobView } from '../../src/api/facade.ts'
import { kill, openSandbox, processesOf, until, type RunningCommand, type Sandbox } from '../support/lilynode.ts'

// A minute on an idle machine.
t.setTimeout(400_000)

let sandbox: Sandbox
let folder: string
t.before(async () => {
  sandbox = await openSandbox('devnet')
  t.teardown(sandbox.close)
  folder = join(sandbox.root, 'net')
})

interface Ready { event: 'ready', root: string, network: string, rpcUrl: string, contracts: Record<string, string>, nodes: Array<{ name: string, role: string, account: string, api: string, pid: number }> }
const start = (...flags: string[]): RunningCommand => sandbox.start(['devnet', '--data', folder, '--providers', '1', '--solvers', '1', '--units', '2', '--json', ...flags])
async function untilReady (command: RunningCommand): Promise<Ready> {
  await command.says('"ready"')
  return JSON.parse(command.stdout().split('\n')[0] ?? '') as Ready
}
const cowsay = ['run', 'cowsay:v0.0.4', '-i', 'Message=moo', '--json'] as const
const namesOf = (ready: Ready): string[] => ready.nodes.map(({ name }) => name)

t.test('devnet says when it is ready and where everything is; Ctrl-C stops all of it; started again it goes on', async (t) => {
  const command = start()
  const first = await untilReady(command)
  t.match(first, { root: folder, rpcUrl: /^http:\/\/127\.0\.0\.1:\d+$/, network: join(folder, 'network.json'), contracts: { token: /^0x/, vault: /^0x/, market: /^0x/, court: /^0x/, batches: /^0x/ } })
  t.same(namesOf(first), ['bootstrap', 'provider-1', 'solver-1', 'mediator-1', 'creator-1'])
  const ran = await sandbox.run([...cowsay, '--data', folder])
  t.equal(ran.code, 0, ran.stderr)
  t.match(ran.json(), { stdout: /moo/ }, 'the folder of the devnet stands for its creator')

  const { modules } = (await sandbox.run(['book', '--json', '--data', folder])).json<{ modules: Array<{ account: string }> }>()
  const cold = (await sandbox.run(['keys', '--json', '--data', join(folder, 'publisher')])).json<{ address: string }>()
  t.same(modules.map(({ account }) => account), [cold.address, cold.address], 'the modules belong to an account that no node holds the key of')
  const operator = (await sandbox.run(['keys', '--json', '--data', join(folder, 'bootstrap')])).json<{ address: string }>()
  t.not(operator.address, cold.address)

  command.child.kill('SIGINT')
  const ended = await command.ended
  t.equal(ended.code, 0, ended.stderr)
  t.same(processesOf(sandbox.root), [], 'nothing runs on')

  const again = start()
  const second = await untilReady(again)
  t.same(second.nodes.map(({ name, account }) => [name, account]), first.nodes.map(({ name, account }) => [name, account]), 'the same accounts')
  t.same(second.contracts, first.contracts, 'on the same chain')
  const jobs = (await sandbox.run(['jobs', '--json', '--data', folder])).json<JobView[]>()
  t.match(jobs, [{ id: ran.json<JobView>().id, state: 'ResultsAccepted' }], 'the job of before is there')

  kill(again.child.pid ?? 0)
  await again.ended
  await until(() => processesOf(sandbox.root).length > 0)
  const orphaned = await sandbox.run([...cowsay, '--data', folder])
  t.equal(orphaned.code, 0, `the mesh does not need the process that started it: ${orphaned.stderr}`)

  const taken = start()
  const third = await untilReady(taken)
  t.same(third.nodes.map(({ pid }) => pid), second.nodes.map(({ pid }) => pid), 'a new one takes over what runs')
  const another = await sandbox.run(['devnet', '--data', folder, '--json'])
  t.equal(another.code, 8)
  t.match(another.error(), { code: 'DEVNET_KEPT', data: { pid: taken.child.pid } }, 'one command keeps a devnet')

  const stopped = await sandbox.run(['devnet', '--stop', '--data', folder, '--json'])
  t.equal(stopped.code, 0, stopped.stderr)
  t.match(stopped.json(), { stopped: true, processes: third.nodes.length + 1 })
  const told = await taken.ended
  t.equal(told.code, 5)
  t.match(told.error(), { code: 'DEVNET_ENDED' }, 'the one that kept it says that it is gone')
  t.equal(told.stdout.split('\n').filter((line) => line.includes('"ended"')).length, third.nodes.length + 1, 'and named each member')
  t.same(processesOf(sandbox.root), [], 'nothing runs on')
  t.match((await sandbox.run(['devnet', '--stop', '--data', folder, '--json'])).error(), { code: 'DEVNET_NONE' })
})

t.test('stopped while it comes up, it leaves nothing', async (t) => {
  const command = start()
  await until(() => processesOf(folder).length > 3)
  command.child.kill('SIGINT')
  const ended = await command.ended
  t.equal(ended.code, 130, ended.stderr)
  t.same(processesOf(sandbox.root), [])
})

t.test('no connection left the machine', async (t) => {
  t.equal(await sandbox.strays(), '')
})
