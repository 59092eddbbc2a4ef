import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { NodeStatus } from '../../src/api/facade.ts'
import { runBook } from '../../src/cli/commands/book.ts'
import { createOutput } from '../../src/cli/output.ts'
import { until } from '../support/lilynode.ts'
import { signRecord, testSigner, T0 } from '../support/records.ts'
import { openTestView, type TestView } from '../support/view.ts'
import type { ViewOptions } from '../../src/api/view/options.ts'

const alice = testSigner(1)
const offer = signRecord(alice, 'offer')
interface Line { event: string, id?: string, records?: number }
type Test = { teardown: (stop: () => unknown) => void, testdir: () => string }

/** `lilynode book --follow` against a real server, with what it printed so far. */
async function follow (t: Test, options: Partial<ViewOptions> = {}, json = true): Promise<{ view: TestView, text: () => string, lines: () => Line[], leaving: AbortController, ended: Promise<number> }> {
  const view = await openTestView(t, options, { status: async () => ({}) as NodeStatus })
  await view.replica.publish(offer)
  const root = t.testdir()
  await writeFile(join(root, 'api.json'), JSON.stringify({ url: view.url, token: view.token, pid: 1 }))
  let text = ''
  const leaving = new AbortController()
  const output = createOutput({ json, stdout: (part) => { text += String(part) }, stderr: () => undefined })
  const ended = runBook({ args: [], flags: { follow: true }, output, signal: leaving.signal, root })
  ended.catch(() => undefined)
  await until(() => text.includes('ready') || text.includes('following'))
  return { view, leaving, ended, text: () => text, lines: () => text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Line) }
}

t.test('book --follow tells what is there, then what comes, changes and goes', async (t) => {
  const { view, lines, leaving, ended } = await follow(t)
  t.match(lines(), [{ event: 'added', kind: 'offer', id: offer.id }, { event: 'ready', records: 1 }])
  const [job, renewed] = [signRecord(alice, 'job', { slot: 1 }), signRecord(alice, 'offer', { seq: T0 + 1 })]
  for (const record of [job, renewed, signRecord(alice, 'cancel', { slot: 1, seq: T0 + 1 })]) {
    await view.replica.publish(record)
    const before = lines().length
    view.flush()
    await until(() => lines().length > before)
  }
  t.match(lines().slice(2), [{ event: 'added', kind: 'job', id: job.id }, { event: 'changed', kind: 'offer', id: renewed.id }, { event: 'removed', kind: 'job', id: job.id }])
  leaving.abort(new Error('left'))
  await t.rejects(ended, { message: 'left' })
})

t.test('a roll of the view is no news, but what changed meanwhile is', async (t) => {
  const { view, lines } = await follow(t, { minDead: 0, deadShare: 0 })
  const last = signRecord(alice, 'job', { slot: 3 })
  await view.replica.publish(signRecord(alice, 'offer', { seq: T0 + 1 }))
  await view.replica.publish(signRecord(alice, 'offer', { seq: T0 + 2 }))
  await view.replica.publish(last)
  view.flush()
  await until(() => lines().some(({ id }) => id === last.id))
  t.strictSame(lines().map(({ event }) => event).sort(), ['added', 'added', 'changed', 'ready'])
  await view.replica.publish(signRecord(alice, 'job', { slot: 4 }))
  await until(() => view.listeners() === 1)
  view.flush()
  await until(() => lines().length === 5)
})

t.test('people see signs, and the end of the node is an error with advice', async (t) => {
  const { view, text, ended } = await follow(t, {}, false)
  await view.replica.publish(signRecord(alice, 'offer', { seq: T0 + 1 }))
  view.flush()
  await until(() => text().includes('~  offer'))
  t.match(text(), /^\+ {2}offer .*\n-- following; Ctrl-C ends\n~ {2}offer /)
  await view.stop()
  await t.rejects(ended, { code: 'API_UNREACHABLE', hint: /node\.log/ })
})
