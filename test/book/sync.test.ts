import t from 'tap'
import { RECONCILE } from '../../src/book/options.ts'
import type { Session } from '../../src/book/reconcile.ts'
import { createSync } from '../../src/book/sync.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createSeededRandom } from '../../src/core/random.ts'

const EQUAL: Session = { received: 0, sent: 0, missing: 0, extra: 0, records: 0, bytes: 0, isCut: false, differing: new Set(), unshared: [] }
const PEERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']

t.test('every peer is asked in turn, a few in each interval, and nodes that start together do not ask together', async (t) => {
  const clock = createManualClock()
  const firstAt: number[] = []
  const turns: string[][] = []
  for (const seed of [1, 2, 3]) {
    let asked: string[] = []
    const started = clock.now()
    let isGreeting = true
    const sync = createSync({
      mesh: { peers: () => PEERS.map((peerId) => ({ peerId, address: '', direction: 'outbound', score: 0, connectedAtMs: 0 })), onPeer: () => () => undefined },
      clock, random: createSeededRandom(seed), logger: silentLogger,
      run: async (peerId) => {
        if (!isGreeting && asked.length === 0 && turns.length === 3 * (seed - 1)) firstAt.push(clock.now() - started)
        asked.push(peerId)
        return EQUAL
      }
    })
    const rest = async (): Promise<void> => { for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => { setImmediate(resolve) }) }
    sync.start()
    clock.advance(0)
    await rest()
    t.same(asked.sort(), PEERS, 'all that are connected at the start')
    isGreeting = false
    for (let interval = 0; interval < 3; interval++) {
      asked = []
      for (let ms = 0; ms < 2 * RECONCILE.intervalMs && asked.length === 0; ms += 1000) {
        clock.advance(1000)
        await rest()
      }
      turns.push(asked)
    }
    await sync.stop()
  }
  for (let seed = 0; seed < 3; seed++) {
    const mine = turns.slice(3 * seed, 3 * seed + 3)
    t.ok(mine.every((asked) => asked.length === RECONCILE.peersPerInterval), JSON.stringify(mine))
    t.same([...new Set(mine.flat())].sort(), PEERS, 'three intervals reach ten peers')
  }
  t.ok(firstAt.every((ms) => ms <= RECONCILE.intervalMs))
  t.ok(new Set(firstAt).size > 1, String(firstAt))
})
