import { request } from 'node:http'
import t from 'tap'
import { until } from '../../support/lilynode.ts'
import { openSocket, openTestView, presentRoom, type TestView } from '../../support/view.ts'

/** Asks for an upgrade by hand; resolves to the refusal, or to 101. */
async function ask (t: { teardown: (stop: () => unknown) => void }, view: TestView, path: string, headers: Record<string, string> = {}): Promise<{ status: number | undefined, code?: string }> {
  const asked = request(`${view.url}${path}`, { headers: { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': Buffer.alloc(16).toString('base64'), ...headers } })
  t.teardown(() => { asked.destroy() })
  asked.end()
  return await new Promise((resolve, reject) => {
    asked.on('error', reject)
    asked.on('upgrade', () => { resolve({ status: 101 }) })
    asked.on('response', async (response) => {
      const body = Buffer.concat(await response.toArray()).toString()
      resolve({ status: response.statusCode, code: (JSON.parse(body) as { error: { code: string } }).error.code })
    })
  })
}

t.test('a missing or wrong token is refused before the upgrade', async (t) => {
  const view = await openTestView(t)
  for (const query of ['', '?token=', '?token=wrong', '?token=a+tokem', '?token=a+token+', '?Token=a+token', '?x=a+token']) {
    t.strictSame(await ask(t, view, `/v1/view/current${query}`), { status: 401, code: 'API_UNAUTHORISED' }, query)
  }
  t.strictSame(await ask(t, view, '/v1/view/current', { authorization: `Bearer ${view.token}` }), { status: 401, code: 'API_UNAUTHORISED' })
  t.equal((await ask(t, view, '/v1/view/current?token=a+token')).status, 101)
  const { status } = await fetch(`${view.url}/v1/jobs?token=a+token`)
  t.equal(status, 401, 'no other request takes the token from its URL')
})

t.test('pages of other sites are refused, those of this machine are not', async (t) => {
  const view = await openTestView(t)
  const from = async (origin: string): Promise<number | undefined> => (await ask(t, view, '/v1/view/current?token=a+token', { origin })).status
  for (const origin of ['https://example.com', 'http://127.0.0.1.example.com', 'http://localhost.example.com', 'http://rebound.test:1234', 'null', 'file://', '']) t.equal(await from(origin), 403, origin)
  for (const origin of ['http://localhost:5173', 'http://127.0.0.1', 'https://localhost', 'http://[::1]:80']) t.equal(await from(origin), 101, origin)
})

t.test('there is no other WebSocket', async (t) => {
  const view = await openTestView(t)
  for (const path of ['/v1/view', '/v1/view/', '/v1/view/a/b', '/v1/jobs', '/', '/v1/view/../jobs']) t.strictSame(await ask(t, view, `${path}?token=a+token`), { status: 404, code: 'API_NO_ROUTE' }, path)
})

t.test('one reader too many is refused, and let in when another leaves', async (t) => {
  const view = await openTestView(t, { maxReaders: 2 })
  const room = await presentRoom(t, view)
  const first = await openSocket(t, view, room)
  await openSocket(t, view, room)
  t.strictSame(await ask(t, view, `/v1/view/${room}?token=a+token`), { status: 503, code: 'API_FULL' })
  first.close()
  await until(async () => (await ask(t, view, `/v1/view/${room}?token=a+token`)).status === 101)
})
