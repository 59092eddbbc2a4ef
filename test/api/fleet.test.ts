import t from 'tap'
import type { NodeFacade } from '../../src/api/facade.ts'
import { FLEET_ROUTES } from '../../src/api/fleet.ts'
import { createApiServer } from '../../src/api/server.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { FleetError } from '../../src/fleet/errors.ts'
import { cardOf, rosterOf } from '../support/fleets.ts'
import { NO_VIEW } from '../support/no-view.ts'

const asked: unknown[] = []
const view = { version: 1, nodes: [] }
/** A fleet that notes what it is asked; the routes are what is tested. */
const fleet = {
  view: () => view,
  use: async (roster: { version: number }) => { asked.push(['use', roster.version]) },
  setState: async (node: string, state: string) => {
    if (node === 'nobody') throw new FleetError('FLEET_UNKNOWN_NODE', 'no node "nobody" in the fleet', { hint: 'List them.' })
    asked.push([node, state])
  },
  setPrice: async (node: string | undefined, priceBp: number | null) => { asked.push([node, priceBp]) },
  encodeState: () => new Uint8Array([1, 2])
}
const server = createApiServer({ networks: new Map([['test', { facade: { fleet } as unknown as NodeFacade, view: NO_VIEW }]]), logger: silentLogger }, { port: 0, token: 'token' })
const ask = async (path: string, body?: unknown): Promise<unknown> => await (await fetch(`${server.url()}/v1/fleet${path}`, { headers: { authorization: 'Bearer token' }, ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }) })).json()

t.before(async () => { await server.start() })
t.teardown(async () => { await server.stop() })

t.test('the fleet is shown and changed, and each change answered with it', async (t) => {
  t.same(await ask(''), view)
  t.same(await ask('/document'), { update: 'AQI=' })
  t.same(await ask('/state', { node: 'gpu-1', state: 'drain' }), view)
  t.same(await ask('/price', { node: 'gpu-1', priceBp: 8000 }), view)
  t.same(await ask('/price', { priceBp: null }), view)
  t.same(await ask('/roster', { roster: rosterOf([cardOf(1)]) }), view)
  t.same(asked, [['gpu-1', 'drain'], ['gpu-1', 8000], [undefined, null], ['use', 1]])
})

t.test('what the fleet refuses keeps its code, and what no fleet is asked never gets there', async (t) => {
  const before = asked.length
  t.match(await ask('/state', { node: 'nobody', state: 'open' }), { error: { code: 'FLEET_UNKNOWN_NODE', hint: 'List them.' } })
  const bad: ReadonlyArray<[string, unknown]> = [
    ['/state', {}], ['/state', { node: 'a', state: 'gone' }], ['/state', { node: '', state: 'open' }], ['/state', { node: 'a', state: 'open', more: 1 }],
    ['/price', {}], ['/price', { priceBp: 0 }], ['/price', { priceBp: 0.5 }], ['/price', { priceBp: 1_000_001 }], ['/roster', {}], ['/roster', { roster: { version: 1 } }]
  ]
  for (const [path, body] of bad) t.match(await ask(path, body), { error: { code: 'API_BAD_REQUEST', hint: /api\.md/ } }, `${path} ${JSON.stringify(body)}`)
  t.equal(asked.length, before)
  t.equal(FLEET_ROUTES.length, 5)
})
