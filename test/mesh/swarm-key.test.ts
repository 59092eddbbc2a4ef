import t from 'tap'
import { createLogger } from '../../src/core/logger.ts'
import type { Mesh } from '../../src/mesh/mesh.ts'
import { soon, startNode, text, untilGrafted, untilPeers, TOPIC } from './nodes.ts'

const KEY = 'ab'.repeat(32)
const OTHER_KEY = 'cd'.repeat(32)

for (const [name, listen] of [['TCP', '/ip4/127.0.0.1/tcp/0'], ['WebSockets', '/ip4/127.0.0.1/tcp/0/ws']] as const) {
  t.test(`nodes with the same key meet over ${name}`, async (t) => {
    const first = await startNode(t, { psk: KEY, listen: [listen] })
    const second = await startNode(t, { psk: KEY, listen: [listen], bootstrap: first.mesh.addresses() })
    await untilPeers(first.mesh, (peers) => peers.includes(second.mesh.peerId))
    const got = new Promise<Uint8Array>((resolve) => {
      first.mesh.topics.subscribe(TOPIC, { maxBytes: 100, validate: (data) => { resolve(data); return 'accept' } })
    })
    second.mesh.topics.subscribe(TOPIC, { maxBytes: 100, validate: () => 'accept' })
    await untilGrafted(second.mesh, TOPIC, 1)
    await second.mesh.topics.publish(TOPIC, text('inside'))
    t.same(await got, text('inside'))
  })

  t.test(`a node with another key, or with none, does not get in over ${name}, and is told why`, async (t) => {
    const inside = await startNode(t, { psk: KEY, listen: [listen] })
    const [address = ''] = inside.mesh.addresses()
    const [wrong, none, outside] = await Promise.all([startNode(t, { psk: OTHER_KEY }), startNode(t), startNode(t, { listen: [listen] })])
    const attempts: ReadonlyArray<[mesh: Mesh, to: string]> = [[wrong.mesh, address], [none.mesh, address], [inside.mesh, outside.mesh.addresses()[0] ?? '']]
    await Promise.all(attempts.map(async ([mesh, to]) => { await t.rejects(mesh.connect(to, { signal: soon() }), { code: 'MESH_UNREACHABLE', hint: /psk/ }) }))
    t.same([inside, wrong, none, outside].map((node) => node.mesh.peers().length), [0, 0, 0, 0])
  })
}

t.test('a node with another key than its bootstrap node says so once, without the key, and goes on trying', async (t) => {
  const inside = await startNode(t, { psk: KEY })
  const lines: string[] = []
  const { promise: told, resolve } = Promise.withResolvers<string>()
  const { promise: again, resolve: triedAgain } = Promise.withResolvers<void>()
  const log = createLogger({ level: 'debug', now: Date.now, write: (line) => {
    lines.push(line)
    if (line.includes('no understanding')) resolve(line)
    if (lines.filter((each) => each.includes('dial failed')).length === 3) triedAgain()
  } })
  await startNode(t, { psk: OTHER_KEY, bootstrap: inside.mesh.addresses(), log })
  t.match(JSON.parse(await told), { level: 'warn', address: inside.mesh.addresses()[0], hint: /psk/ })
  await again
  t.equal(lines.filter((line) => line.includes('no understanding')).length, 1)
  t.notOk(lines.some((line) => line.includes(OTHER_KEY)))
})

t.test('a key of another form is refused without being shown', async (t) => {
  for (const psk of ['', 'ab', 'AB'.repeat(32), `${KEY}00`]) {
    const error: unknown = await startNode(t, { psk }).catch((thrown: unknown) => thrown)
    t.match(error, { code: 'MESH_PSK', hint: /openssl/ })
    t.notOk(psk.length > 2 && JSON.stringify(error).includes(psk))
  }
})
