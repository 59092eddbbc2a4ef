import { BroadcastChannel } from 'node:worker_threads'
import t from 'tap'
import { createManualClock } from '../../src/core/clock.ts'
import { createLogger } from '../../src/core/logger.ts'
import { createSearchThread } from '../../src/match/search-thread.ts'
import type { SearchRequest } from '../../src/match/search-messages.ts'

const logger = createLogger({ level: 'warn', write: () => undefined, now: Date.now })
/** Says it to the worker, or nothing; resolves to its thread when it has heard of that or of a search that it is to be late with. */
function heard (channel: BroadcastChannel, said?: 'answer' | 'again'): Promise<number> {
  return new Promise((resolve) => {
    channel.onmessage = (event) => { resolve((event as unknown as { data: number }).data) }
    if (said !== undefined) channel.postMessage(said)
  })
}

t.test('a worker that is late with its first search is kept for the next; one that is late with another is not', async (t) => {
  const channel = new BroadcastChannel('late-worker')
  t.teardown(() => { channel.close() })
  const clock = createManualClock()
  const stop = new AbortController()
  const thread = createSearchThread({ logger }, { workerUrl: new URL('./late-worker.mjs', import.meta.url) })
  const run = async (seed: number): Promise<number | undefined> => (await thread.run({ budgetMs: 0, sentMs: 0, seed } as SearchRequest, { deadlineMs: clock.now() + 100, signal: stop.signal, clock }, () => undefined))?.rounds
  const runLate = async (): Promise<number | undefined> => {
    const begun = heard(channel)
    const found = run(1)
    await begun
    clock.advance(1_000)
    return await found
  }

  t.equal(await runLate(), undefined, 'nothing in time')
  const late = await heard(channel, 'answer')
  // What it answered before is with us when it has heard again.
  await heard(channel, 'again')
  t.equal(await run(0), late, 'the late one is kept')
  t.equal(await run(0), late, 'and when it is in time')
  t.equal(await runLate(), undefined)
  const other = await run(0)
  t.not(other, late, 'another worker: the one before had ended a search and was late')
  t.equal(await run(0), other)
  stop.abort(new Error('over'))
})
