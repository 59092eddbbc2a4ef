import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { registerKey } from '../../../src/book/register.ts'
import { until } from '../../support/lilynode.ts'
import { signRecord, T0, testSigner } from '../../support/records.ts'
import { openTestView } from '../../support/view.ts'

const alice = testSigner(1)
const offer = signRecord(alice, 'offer')

t.test('the reader in README.md works', async (t) => {
  const view = await openTestView(t, { minDead: 1, deadShare: 0 })
  await view.replica.publish(offer)
  const example = /```js\n([^]*?)```/.exec(readFileSync('README.md', 'utf8'))?.[1] ?? ''
  const folder = t.testdir({ 'reader.mjs': example, 'api.json': JSON.stringify({ url: view.url, token: view.token }) })
  const child = spawn(process.execPath, [join(folder, 'reader.mjs'), join(folder, 'api.json')], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => {
    const ended = once(child, 'exit')
    if (child.kill()) await ended
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => { text += chunk.toString() })
  const expected = ['add', 'update', 'update', 'add'].map((action) => `${action} ${registerKey(offer)}\n`)
  await until(() => text === expected[0])
  for (const seq of [T0 + 1, T0 + 2]) {
    const before = text
    await view.replica.publish(signRecord(alice, 'offer', { seq }))
    view.flush()
    await until(() => text !== before)
  }
  await until(() => text === expected.join(''))
})

t.test('neither Yjs nor the WebSocket server is loaded before a reader comes', async (t) => {
  const script = `
    const { registerHooks } = await import('node:module')
    const asked = []
    registerHooks({ resolve: (name, context, next) => { asked.push(name); return next(name, context) } })
    for (const file of ['api/server.ts', 'api/view/endpoint.ts', 'node/facade.ts', 'cli/commands/book.ts']) await import(process.argv[1] + file)
    console.log(JSON.stringify(asked.filter((name) => /^(ws|yjs|lib0|y-protocols)/.test(name))))`
  const source = new URL('../../../src/', import.meta.url).href
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script, source])
  t.strictSame(JSON.parse(stdout), [])
})
