import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import { createSystemClock } from '../../../src/core/clock.ts'
import { importsOfNodeOptions } from '../../../src/exec/wasm/launcher.ts'
import { noSignal, runExecutorCompliance, startExecutor, toRequest } from '../compliance.ts'
import { hello } from '../fixtures/programs.ts'
import { compliancePrograms, create, withEntry } from '../fixtures/subject.ts'

const fixtures = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures')
const curious = withEntry(join(fixtures, 'curious-child.ts'))

const probe = create({ warm: 0 })({ clock: createSystemClock() })
await probe.start()
await probe.stop()
t.test('with bwrap', { skip: probe.isolation() === 'bwrap' ? false : 'bwrap is not installed or not permitted here' }, async (t) => {
  await runExecutorCompliance(t, { name: 'bwrap', create: create({ warm: 1 }), programs: compliancePrograms })
})

t.test('a child has an empty environment, reads nothing but its folder, and cannot start programs', async (t) => {
  const executor = await startExecutor(t, curious)
  const outcome = await executor.run(toRequest(hello), { signal: noSignal })
  t.same(JSON.parse(outcome.message), { env: [], read: 'ERR_ACCESS_DENIED', spawn: 'ERR_ACCESS_DENIED', worker: 'ERR_ACCESS_DENIED', write: 'ERR_ACCESS_DENIED' })
})

t.test('a file that NODE_OPTIONS imports is active in children, and nothing else of it', async (t) => {
  const before = process.env.NODE_OPTIONS
  process.env.NODE_OPTIONS = `--import ${pathToFileURL(join(fixtures, 'hook.mjs')).href} --max-http-header-size=9000`
  t.teardown(() => {
    if (before === undefined) delete process.env.NODE_OPTIONS
    else process.env.NODE_OPTIONS = before
  })
  const executor = await startExecutor(t, curious)
  const outcome = await executor.run(toRequest(hello), { signal: noSignal })
  t.match(JSON.parse(outcome.message), { env: [], hooked: true })
})

t.test('of NODE_OPTIONS only imports of single files are taken', async (t) => {
  const hook = join(fixtures, 'hook.mjs')
  t.same(importsOfNodeOptions(`--import=${pathToFileURL(hook).href} --import ${hook} --require /x.js --import tap --import=file:///a/node_modules/b/c.mjs -r x`), [hook, hook])
  t.same(importsOfNodeOptions(''), [])
})
