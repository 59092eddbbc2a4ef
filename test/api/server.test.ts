import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import t from 'tap'
import { createApiServer } from '../../src/api/server.ts'
import type { JobView, LedgerPage, NodeFacade } from '../../src/api/facade.ts'
import { findRoute, isOver } from '../../src/api/routes.ts'
import type { ServedNetwork } from '../../src/api/served-network.ts'
import { createNodeClient } from '../../src/cli/node-client.ts'
import { CodedError } from '../../src/core/errors.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { NO_VIEW } from '../support/no-view.ts'

const job = (change: Partial<JobView> = {}): JobView => ({ id: '0x1', module: 'a:b', state: 'DealNegotiating', attempt: 0, limit: 1, createdAtMs: 0, deals: [], ...change })
let listener: ((job: JobView) => void) | undefined
/** A facade that answers what these tests ask; the routes are what is tested. */
const facade = {
  jobs: () => [job()],
  job: (id: string) => { if (id !== '0x1') throw new CodedError('JOB_UNKNOWN', `no job ${id}`, { hint: 'Look.' }); return job() },
  deposit: async (amount: number) => ({ name: 'deposit', hash: '0x', gas: amount, from: '0x' }),
  ledger: async () => ({ entries: Array.from({ length: 2001 }, (_, place) => ({ id: `entry ${place}` })) }),
  submit: async () => { throw new Error('secret detail') },
  watch: (_id: string, listen: (job: JobView) => void) => { listener = listen; return () => { listener = undefined } }
} as unknown as NodeFacade

const server = createApiServer({ networks: new Map([['test', { facade, view: NO_VIEW }]]), logger: silentLogger }, { port: 0, token: 'token' })
const ask = async (path: string, init: RequestInit = {}): Promise<Response> => await fetch(`${server.url()}${path}`, { ...init, headers: { authorization: 'Bearer token', ...init.headers } })

t.before(async () => { await server.start() })
t.teardown(async () => { await server.stop() })

t.test('nothing is answered without the token', async (t) => {
  for (const authorization of ['', 'Bearer wrong', 'Bearer tokentoken']) {
    const response = await fetch(`${server.url()}/v1/jobs`, { headers: { authorization } })
    t.equal(response.status, 401)
    t.match(await response.json(), { error: { code: 'API_UNAUTHORISED' } })
  }
})

t.test('a request is for the network that it names, and for the first when it names none', async (t) => {
  const on = (id: string): ServedNetwork => ({ facade: { jobs: () => [job({ id })] } as unknown as NodeFacade, view: NO_VIEW })
  const both = createApiServer({ networks: new Map([['north', on('0xa')], ['south', on('0xb')]]), logger: silentLogger }, { port: 0, token: 'token' })
  t.teardown(both.stop)
  await both.start()
  const ask = async (query: string): Promise<Response> => await fetch(`${both.url()}/v1/jobs${query}`, { headers: { authorization: 'Bearer token' } })
  for (const [query, id] of [['', '0xa'], ['?network=north', '0xa'], ['?network=south', '0xb']] as const) t.match(await (await ask(query)).json(), [{ id }], query)
  for (const query of ['?network=east', '?network=', '?network=South']) {
    const refused = await ask(query)
    t.equal(refused.status, 404)
    t.match(await refused.json(), { error: { code: 'API_NO_NETWORK', data: { networks: ['north', 'south'] } } }, query)
  }
  const view = await fetch(`${both.url()}/v1/view/current?network=east&token=token`, { headers: { authorization: 'Bearer token' } })
  t.equal(view.status, 404)
})

t.test('routes, parameters and errors', async (t) => {
  t.same(await (await ask('/v1/jobs')).json(), [job()])
  const missing = await ask('/v1/jobs/0x2')
  t.equal(missing.status, 404)
  t.same(await missing.json(), { error: { code: 'JOB_UNKNOWN', message: 'no job 0x2', hint: 'Look.', data: {} } })
  t.equal((await ask('/v1/nowhere')).status, 404)
  t.equal((await ask('/v1/jobs', { method: 'DELETE' })).status, 404)
  t.throws(() => findRoute('GET', '/v1/jobs/1/2/3'), { code: 'API_NO_ROUTE' })
})

t.test('the ledger comes in pages, and the client reads them all', async (t) => {
  const page = async (path: string): Promise<LedgerPage> => await (await ask(path)).json() as LedgerPage
  const [first, last] = [await page('/v1/ledger'), await page('/v1/ledger/2000')]
  t.same([first.total, first.entries.length, first.entries[0]?.id, last.total, last.entries.length, last.entries[0]?.id], [2001, 1000, 'entry 0', 2001, 1, 'entry 2000'])
  t.same((await page('/v1/ledger/2001')).entries, [])
  for (const bad of ['-1', '1.5', 'x']) t.match(await (await ask(`/v1/ledger/${bad}`)).json(), { error: { code: 'API_BAD_REQUEST', data: { from: bad } } })
  const { entries } = await createNodeClient({ url: server.url(), token: 'token' }).ledger()
  t.same(entries.map(({ id }) => id), Array.from({ length: 2001 }, (_, place) => `entry ${place}`))
})

t.test('bodies are checked', async (t) => {
  const post = async (body: string): Promise<unknown> => await (await ask('/v1/deposit', { method: 'POST', body })).json()
  t.match(await post('{"amount":5}'), { gas: 5 })
  for (const bad of ['{', '{"amount":-1}', '{"amount":1.5}', '{"amount":"5"}', '{}', '{"amount":1,"x":1}']) t.match(await post(bad), { error: { code: 'API_BAD_REQUEST' } }, bad)
})

t.test('an unexpected fault is a 500 that names no code of ours', async (t) => {
  const response = await ask('/v1/jobs', { method: 'POST', body: '{}' })
  t.equal(response.status, 500)
  t.match(await response.json(), { error: { code: 'INTERNAL' } })
})

t.test('events stream each change and end when the job is over', async (t) => {
  const response = await ask('/v1/jobs/0x1/events')
  const reader = response.body?.getReader()
  const read = async (): Promise<string> => new TextDecoder().decode((await reader?.read())?.value)
  t.match(JSON.parse(await read()), { state: 'DealNegotiating' })
  listener?.(job({ state: 'ResultsAccepted', result: { cid: 'c', path: 'p', exitCode: 0, reason: 'exited', guestMs: 1 } }))
  t.match(JSON.parse(await read()), { state: 'ResultsAccepted' })
  t.equal((await reader?.read())?.done, true)
})

t.test('a stream is left when its reader goes away', async (t) => {
  const leaving = new AbortController()
  const response = await ask('/v1/jobs/0x1/events', { signal: leaving.signal })
  const lines = response.body?.getReader()
  await lines?.read()
  t.ok(listener)
  leaving.abort()
  await t.rejects(async () => { await lines?.read() })
  while (listener !== undefined) await new Promise((resolve) => { setImmediate(resolve) })
})

t.test('a client that offers another protocol with a plain request is answered', async (t) => {
  const asked = request(`${server.url()}/v1/jobs`, { headers: { authorization: 'Bearer token', connection: 'upgrade, http2-settings', upgrade: 'h2c', 'http2-settings': '' } })
  asked.end()
  const [response] = await once(asked, 'response') as [IncomingMessage]
  t.equal(response.statusCode, 200)
  response.resume()
})

t.test('a job is over when paid and here, cancelled, or given up', (t) => {
  t.equal(isOver(job({ state: 'ResultsAccepted' })), false, 'paid, but the result is not here yet')
  t.equal(isOver(job({ state: 'Cancelled' })), true)
  t.equal(isOver(job({ state: 'TimedOut', problem: { code: 'JOB_EXPIRED', message: '' } })), true)
  t.equal(isOver(job({ state: 'TimedOut' })), false, 'a deal timed out; the job is matched again')
  t.end()
})

t.test('a used port is named', async (t) => {
  const port = Number(new URL(server.url()).port)
  await t.rejects(createApiServer({ networks: new Map([['test', { facade, view: NO_VIEW }]]), logger: silentLogger }, { port, token: 'x' }).start(), { code: 'API_PORT_IN_USE', data: { port } })
})
