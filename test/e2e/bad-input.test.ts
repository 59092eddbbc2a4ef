import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { JobView } from '../../src/api/facade.ts'
import { chainPortOf } from '../../src/cli/commands/devnet.ts'
import { openTestDevnet, type TestDevnet } from '../support/devnet.ts'
import type { CommandResult } from '../support/lilynode.ts'

t.setTimeout(600_000)

let net: TestDevnet
t.before(async () => { net = await openTestDevnet(t, { name: 'bad', providers: 1, solvers: 1 }) })

interface Expected { code: string, exit: number, hint?: boolean }
/** The command fails with the code, on stderr alone, as text and with --json. */
function fails (name: string, expected: Expected, command: () => Promise<{ args: string[], env?: Record<string, string> }> | { args: string[], env?: Record<string, string> }): void {
  t.test(`${name}: ${expected.code}, exit ${expected.exit}`, { timeout: 90_000 }, async (t) => {
    const { args, env = {} } = await command()
    const ended = async (...more: string[]): Promise<CommandResult> => {
      const command = net.sandbox.start([...args, ...more], { env })
      t.teardown(() => command.child.kill('SIGKILL'))
      return await command.ended
    }
    const json = await ended('--json')
    t.equal(json.code, expected.exit, json.stderr)
    t.equal(json.stdout, '', 'nothing on stdout')
    const error = json.error()
    t.equal(error.code, expected.code)
    t.ok(error.message.length > 10, error.message)
    const text = await ended()
    t.equal(text.code, expected.exit)
    t.equal(text.stdout, '')
    t.ok(text.stderr.includes(`lilynode: ${expected.code}: `), text.stderr)
    t.notMatch(text.stderr, /\n {4}at /, 'no stack trace')
  })
}
const creator = (): string => join(net.root, 'creator-1')
/** A folder of its own for a node that should not come up. */
const fresh = (name: string): string => join(net.sandbox.root, name)
const run = (...args: string[]): { args: string[] } => ({ args: ['run', ...args, '--data', creator()] })
const start = (folder: string, ...args: string[]): { args: string[] } => ({ args: ['start', '--role', 'creator', '--network', net.networkPath, '--data', folder, '--log-level', 'silent', ...args] })
/** The network file with a change, as a new file. */
async function networkWith (name: string, change: Record<string, unknown>): Promise<string> {
  const path = join(net.sandbox.root, `${name}.json`)
  await writeFile(path, JSON.stringify({ ...net.devnet().network, ...change }))
  return path
}

fails('an unknown command', { code: 'USAGE_INVALID', exit: 2 }, () => ({ args: ['dance'] }))
fails('an unknown flag', { code: 'USAGE_INVALID', exit: 2 }, () => run('cowsay:v0.0.4', '--colour', 'red'))
fails('a missing argument', { code: 'USAGE_INVALID', exit: 2 }, () => run())
fails('a number that is none', { code: 'USAGE_NUMBER', exit: 2 }, () => run('cowsay:v0.0.4', '--run-seconds', 'long'))
fails('an amount that is none', { code: 'USAGE_AMOUNT', exit: 2 }, () => run('cowsay:v0.0.4', '--max-price', '-1'))
fails('an address that is none', { code: 'USAGE_ADDRESS', exit: 2 }, () => run('cowsay:v0.0.4', '--target', '0x12'))
fails('a strategy that is none', { code: 'USAGE_VERIFY', exit: 2 }, () => run('cowsay:v0.0.4', '--verify', 'audit:2'))
fails('a time-out that is none', { code: 'USAGE_NUMBER', exit: 2 }, () => run('cowsay:v0.0.4', '--timeout', '0'))
fails('an output folder that is a file', { code: 'USAGE_OUTPUT', exit: 2 }, async () => {
  const path = join(net.sandbox.root, 'a-file')
  await writeFile(path, 'taken')
  return run('cowsay:v0.0.4', '-o', path)
})
fails('an output folder that holds something', { code: 'USAGE_OUTPUT', exit: 2 }, () => run('cowsay:v0.0.4', '-o', net.sandbox.root))
fails('an output folder without a name', { code: 'USAGE_OUTPUT', exit: 2 }, () => run('cowsay:v0.0.4', '-o', ''))
fails('a data folder that cannot be', { code: 'CLI_FILE', exit: 8 }, () => ({ args: ['start', '--role', 'creator', '--network', net.networkPath, '--log-level', 'silent', '--data', '/dev/null/x'] }))
fails('an unknown role', { code: 'USAGE_ROLE', exit: 2 }, () => ({ args: ['start', '--role', 'king', '--data', fresh('king')] }))
fails('a reachability that is none', { code: 'USAGE_CHOICE', exit: 2 }, () => ({ args: ['start', '--role', 'creator', '--reachability', 'perhaps', '--data', fresh('reach')] }))
fails('an address to announce that is none', { code: 'USAGE_ANNOUNCE', exit: 2 }, () => ({ args: ['start', '--role', 'creator', '--announce', 'node.example:4001', '--data', fresh('announce')] }))
fails('an unknown engine', { code: 'USAGE_CHOICE', exit: 2 }, () => ({ args: ['start', '--role', 'solver', '--engine', 'magic', '--network', net.networkPath, '--data', fresh('engine')] }))
fails('an unknown log level', { code: 'USAGE_CHOICE', exit: 2 }, () => start(fresh('level'), '--log-level', 'loud'))
fails('an input that is no pair', { code: 'USAGE_INPUT', exit: 2 }, () => run('cowsay:v0.0.4', '-i', 'moo'))
fails('an input folder that is not there', { code: 'USAGE_INPUT', exit: 2 }, () => run('cowsay:v0.0.4', '--input', '/nowhere'))
fails('an input that the module does not take', { code: 'REGISTRY_BAD_INPUT', exit: 2 }, () => run('cowsay:v0.0.4', '-i', 'Massage=moo'))
fails('an input that is too long', { code: 'REGISTRY_BAD_INPUT', exit: 2 }, () => run('cowsay:v0.0.4', '-i', `Message=${'m'.repeat(5000)}`))
fails('an unknown module', { code: 'REGISTRY_UNKNOWN_MODULE', exit: 3 }, () => run('cowsay:v9'))
fails('a module name that is none', { code: 'REGISTRY_BAD_REFERENCE', exit: 2 }, () => run('Cow Say'))
fails('a file that is not there', { code: 'JOB_MODULE_UNAVAILABLE', exit: 3 }, () => run('./nowhere.wasm'))
fails('a .wasm that is not WASM', { code: 'JOB_NOT_WASM', exit: 2 }, async () => {
  const path = join(net.sandbox.root, 'text.wasm')
  await writeFile(path, 'echo hi\n')
  return run(path)
})
fails('an unknown job', { code: 'JOB_UNKNOWN', exit: 3 }, () => ({ args: ['job', '0x123456789', '--data', creator()] }))
fails('no node in the folder', { code: 'CLI_NO_NODE', exit: 5 }, () => ({ args: ['jobs', '--data', fresh('empty')] }))
fails('a node without the role', { code: 'ROLE_NOT_RUNNING', exit: 2 }, () => ({ args: ['run', 'cowsay:v0.0.4', '--data', join(net.root, 'bootstrap')] }))
fails('more than is free', { code: 'NODE_NOT_FREE', exit: 4 }, () => ({ args: ['withdraw', '999999', '--data', creator()] }))
fails('a session action that there is none', { code: 'USAGE_CHOICE', exit: 2 }, () => ({ args: ['session', 'stop', '--data', creator()] }))
fails('a session of a node that keeps none', { code: 'ROLE_NOT_RUNNING', exit: 2 }, () => ({ args: ['session', '--data', join(net.root, 'bootstrap')] }))
fails('an unknown network file', { code: 'CONFIG_NETWORK_MISSING', exit: 3 }, () => ({ args: ['run', 'cowsay:v0.0.4', '--network', '/nowhere.json', '--data', fresh('nowhere')] }))
fails('a network file that is no JSON', { code: 'CONFIG_NETWORK_INVALID', exit: 2 }, async () => {
  const path = join(net.sandbox.root, 'text.json')
  await writeFile(path, 'rpc = here')
  return { args: ['start', '--role', 'creator', '--network', path, '--data', fresh('text')] }
})
fails('a network file with a wrong field', { code: 'CONFIG_NETWORK_INVALID', exit: 2 }, async () => ({ args: ['start', '--role', 'creator', '--network', await networkWith('wrong', { rpcUrls: [] }), '--data', fresh('wrong')] }))
fails('a market that the network does not have', { code: 'CONFIG_MARKET', exit: 2 }, () => start(fresh('market'), '--markets', 'default,rendr'))
fails('a fault outside a devnet', { code: 'NODE_FAULT_REFUSED', exit: 2 }, async () => ({ args: ['start', '--role', 'resource-provider', '--log-level', 'silent', '--fault', 'wrong-result', '--network', await networkWith('public', { devnet: false }), '--data', fresh('public')] }))
fails('an unknown fault', { code: 'NODE_FAULT_REFUSED', exit: 2 }, () => ({ args: ['start', '--role', 'resource-provider', '--fault', 'sleep', '--network', net.networkPath, '--data', fresh('sleep')] }))
fails('a key that is garbage', { code: 'IDENTITY_KEY_INVALID', exit: 4 }, () => ({ ...start(fresh('garbage')), env: { WEB3_PRIVATE_KEY: 'not a key' } }))
fails('a key file that is garbage', { code: 'IDENTITY_KEY_INVALID', exit: 4 }, async () => {
  await mkdir(fresh('garbage-file'))
  await writeFile(join(fresh('garbage-file'), 'account.key'), 'not a key\n')
  return start(fresh('garbage-file'))
})
fails('a key file that was there and is gone', { code: 'IDENTITY_KEY_MISSING', exit: 4 }, async () => {
  await mkdir(fresh('lost'))
  await writeFile(join(fresh('lost'), 'account.json'), '{"address":"0x0000000000000000000000000000000000000001"}\n')
  return start(fresh('lost'))
})
fails('a delegation that is none', { code: 'IDENTITY_DELEGATION', exit: 4 }, async () => {
  const path = join(net.sandbox.root, 'delegation.json')
  await writeFile(path, '{}')
  return { args: ['start', '--role', 'module-provider', '--delegation', path, '--network', net.networkPath, '--log-level', 'silent', '--data', fresh('operator')] }
})
fails('a delegation for another node', { code: 'IDENTITY_DELEGATION', exit: 4 }, () => ({ args: ['start', '--role', 'module-provider', '--delegation', join(net.root, 'bootstrap', 'delegation.json'), '--network', net.networkPath, '--log-level', 'silent', '--data', fresh('impostor')] }))
fails('a role that an operator cannot have', { code: 'NODE_OPERATOR_ROLE', exit: 2 }, () => start(fresh('operator-creator'), '--delegation', join(net.root, 'bootstrap', 'delegation.json')))
fails('a peer id that is none', { code: 'USAGE_PEER', exit: 2 }, () => ({ args: ['delegate', `0x${'1'.repeat(40)}`, '--peer', 'me', '--network', net.networkPath, '--data', fresh('cold')] }))
fails('an unfunded account', { code: 'JOB_UNFUNDED', exit: 4 }, () => ({ args: ['run', 'cowsay:v0.0.4', '--network', net.networkPath, '--data', fresh('poor')] }))
fails('an unreachable chain', { code: 'CHAIN_UNREACHABLE', exit: 5 }, async () => ({ args: ['start', '--role', 'creator', '--network', await networkWith('unreachable', { rpcUrls: [`http://127.0.0.1:${await chainPortOf('/nowhere')}`] }), '--data', fresh('unreachable')] }))
fails('a chain without the contracts', { code: 'DEPLOYMENT_MISSING', exit: 5 }, async () => {
  const { deployment } = net.devnet().network
  const market = `0x${'9'.repeat(40)}`
  return { args: ['start', '--role', 'creator', '--network', await networkWith('reset', { deployment: { ...deployment, contracts: { ...deployment.contracts, market } } }), '--data', fresh('reset')] }
})
fails('a second node on the same folder', { code: 'STORE_LOCKED', exit: 8 }, () => start(creator()))
fails('a used API port', { code: 'API_PORT_IN_USE', exit: 8 }, () => start(fresh('api-port'), '--api-port', new URL(net.client('creator-1').url).port))
fails('a used port for peers', { code: 'MESH_PORT_IN_USE', exit: 8 }, async () => start(fresh('mesh-port'), '--listen', ((await net.client('bootstrap').status()).addresses[0] ?? '').replace(/\/p2p\/.*/, '')))
fails('a used chain port', { code: 'CHAIN_PORT_IN_USE', exit: 8 }, () => ({ args: ['devnet', '--chain-port', new URL(net.devnet().chain.rpcUrl).port, '--data', fresh('second-net')] }))
fails('a chain port used by something else', { code: 'CHAIN_PORT_IN_USE', exit: 8 }, async () => {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const address = server.address()
  return { args: ['chain', '--port', String(typeof address === 'object' ? address?.port : 0), '--data', fresh('third-net')] }
})
fails('a corrupt datastore', { code: 'STORE_CORRUPT', exit: 8 }, async () => {
  const folder = fresh('corrupt')
  const other = net.sandbox.start(['start', '--role', 'creator', '--network', net.networkPath, '--data', folder])
  await other.says('ready: ')
  other.child.kill('SIGTERM')
  await other.ended
  const store = join(folder, 'datastore')
  for (const name of await readdir(store)) if (name === 'CURRENT' || name.startsWith('MANIFEST')) await writeFile(join(store, name), 'garbage')
  return start(folder)
})

t.test('an account without money is told what it needs', async (t) => {
  const result = await net.sandbox.run(['start', '--role', 'resource-provider', '--deposit', '500', '--network', net.networkPath, '--data', fresh('beggar'), '--json', '--log-level', 'silent'])
  t.equal(result.code, 4, result.stderr)
  t.match(result.error(), { code: 'NODE_UNFUNDED', data: { need: 500_000_000_000 } })
})

t.test('a price nobody accepts: run says by how much while it waits, --timeout lets go of it, explain says the same, cancel ends it', async (t) => {
  const result = await net.sandbox.run(['run', 'cowsay:v0.0.4', '--max-price', '0.000001', '--timeout', '12', '--data', join(net.root, 'creator-1')])
  t.equal(result.code, 7, result.stderr)
  t.match(result.stderr, /waiting +no match yet: nearest 0x\w+: raise the limit by [\d.]+ LILY/)
  t.match(result.stderr, /JOB_TIMED_OUT/)
  const id = /submitted +(0x\w+)/.exec(result.stderr)?.[1] ?? ''
  t.match((await net.lilynode('job', id)).json(), { state: 'DealNegotiating', deals: [] })
  const explained = (await net.lilynode('explain', id)).json<{ summary: string[] }>()
  t.match(explained.summary.join('\n'), /LILY/, 'the nearest miss in money')
  t.comment(explained.summary.join('\n'))
  const { offers } = (await net.lilynode('book')).json<{ offers: Array<{ id: string }> }>()
  const idle = (await net.lilynode('explain', '--offer', offers[0]?.id.slice(0, 14) ?? '')).json<{ id: string, total: number, summary: string[] }>()
  t.match(idle, { id: offers[0]?.id, summary: [/jobs in the book/] }, 'an offer says why it is idle')
  const nobody = await net.lilynode('explain', '--offer', '0x00000000')
  t.equal(nobody.code, 3)
  t.match(nobody.error(), { code: 'OFFER_UNKNOWN' })
  t.match((await net.lilynode('cancel', id)).json(), { state: 'Cancelled' })
  const again = await net.lilynode('cancel', id)
  t.equal(again.code, 2)
  t.match(again.error(), { code: 'JOB_OVER' })
})

t.test('after all that the mesh still runs a job, and nothing left the machine', async (t) => {
  const result = await net.lilynode('run', 'cowsay:v0.0.4')
  t.equal(result.code, 0, result.stderr)
  t.equal((result.json<JobView>()).state.length > 0, true)
  t.equal(await net.sandbox.strays(), '')
})
