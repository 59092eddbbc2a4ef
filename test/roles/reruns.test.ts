import t, { type Test } from 'tap'
import { createReruns, RERUN_LIMITS, type Reruns } from '../../src/roles/reruns.ts'
import { hash } from '../deal/deals.ts'
import { namedSigner } from '../support/chain.ts'

const [loud, other] = [namedSigner('loud').address, namedSigner('other').address]

/** All that hangs on promises alone has happened. */
const settled = async (): Promise<void> => { await new Promise((resolve) => { setImmediate(resolve) }) }

/** Runs that last until they are told to end. */
function scene (t: Test): { reruns: Reruns, stop: () => void, running: number[], ask: (id: number, isDisputed?: boolean, creator?: `0x${string}`) => Promise<void>, end: (id: number) => Promise<void> } {
  const stopping = new AbortController()
  t.teardown(() => { stopping.abort() })
  const reruns = createReruns({ signal: stopping.signal })
  const running: number[] = []
  const ends = new Map<number, () => void>()
  return {
    reruns, running, stop: () => { stopping.abort(new Error('the node is stopping')) },
    ask: async (id, isDisputed = false, creator = namedSigner(`creator ${id}`).address) => await reruns.run({ dealId: hash(id), creator, isDisputed }, async () => {
      running.push(id)
      const { promise, resolve } = Promise.withResolvers<undefined>()
      ends.set(id, () => { resolve(undefined) })
      await promise
    }),
    end: async (id) => {
      running.splice(running.indexOf(id), 1)
      ends.get(id)?.()
      await settled()
    }
  }
}

t.test('one creator has so many deals looked at, however many peers ask; others and its disputes are taken', async (t) => {
  const { ask, running } = scene(t)
  const mine = Array.from({ length: RERUN_LIMITS.ofCreator }, (_, id) => ask(id, false, loud))
  await t.rejects(ask(90, false, loud), { code: 'ROLE_MEDIATOR_FULL', data: { creator: loud, own: RERUN_LIMITS.ofCreator } })
  const taken = [...mine, ask(91, true, loud), ask(92, false, other)]
  await settled()
  t.same(running, [0, 1, 2, 91], 'three audits at once, and the dispute')
  for (const each of taken) each.catch(() => undefined)
})

t.test('audits fill their own room, and not that of disputes, which go first', async (t) => {
  const { ask, running, end } = scene(t)
  const { undisputed, disputed } = RERUN_LIMITS
  for (let id = 0; id < undisputed; id++) ask(id).catch(() => undefined)
  await t.rejects(ask(100), { code: 'ROLE_MEDIATOR_FULL' })
  for (let id = 200; id < 200 + disputed; id++) ask(id, true).catch(() => undefined)
  await t.rejects(ask(300, true), { code: 'ROLE_MEDIATOR_FULL' })
  await settled()
  t.same(running, [0, 1, 2, 200])
  await end(0)
  t.same(running, [1, 2, 200, 201])
  ask(100).catch(() => undefined)
})

t.test('a deal that is disputed while it waits goes first from then on', async (t) => {
  const { ask, running, end, reruns } = scene(t)
  for (const id of [0, 1, 2, 3, 4]) ask(id).catch(() => undefined)
  await settled()
  reruns.urge(hash(4))
  await settled()
  t.same(running, [0, 1, 2, 4])
  await end(1)
  t.same(running, [0, 2, 4, 3])
})

t.test('what waits when the node stops is refused, what runs ends by itself', async (t) => {
  const { ask, end, stop } = scene(t)
  const [first, , , fourth] = [ask(0), ask(1), ask(2), ask(3)]
  const refused = t.rejects(fourth as Promise<void>, { message: 'the node is stopping' })
  await settled()
  stop()
  await refused
  await end(0)
  await first
  await t.rejects(ask(5), { message: 'the node is stopping' })
})
