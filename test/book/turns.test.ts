import t from 'tap'
import { createTurns } from '../../src/book/turns.ts'

t.test('keys take turns, each key\'s callers in order, whoever asked most', async (t) => {
  const turns = createTurns()
  const order: string[] = []
  const ask = async (key: string, n: number): Promise<void> => {
    await turns.wait(key)
    order.push(`${key}${n}`)
  }
  await Promise.all([ask('a', 1), ask('a', 2), ask('a', 3), ask('a', 4), ask('b', 1), ask('c', 1), ask('b', 2)])
  t.equal(order.join(' '), 'a1 a2 b1 c1 a3 b2 a4', 'the first finds nobody waiting')
  await ask('a', 5)
  t.equal(order.at(-1), 'a5', 'and it begins again after it was idle')
})

t.test('the event loop turns between two callers', async (t) => {
  const turns = createTurns()
  const order: string[] = []
  const tick = (): void => { order.push('turn'); if (order.length < 8) setImmediate(tick) }
  setImmediate(tick)
  await Promise.all(['a', 'b', 'a'].map(async (key) => { await turns.wait(key); order.push('caller') }))
  t.match(order.join(' '), /caller.* turn .*caller.* turn .*caller/)
})

t.test('who comes while nobody waits does not wait for the next turn', async (t) => {
  const turns = createTurns()
  for (const name of ['at first', 'after it was idle']) {
    const order: string[] = []
    setImmediate(() => { order.push('turn') })
    await turns.wait('a')
    order.push('caller')
    t.strictSame(order, ['caller'], name)
    // The loop that serves the waiting comes to an end.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => { setImmediate(resolve) })
  }
})
