import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { noSignal, startExecutor, toRequest } from '../compliance.ts'
import { hello } from '../fixtures/programs.ts'
import { withEntry } from '../fixtures/subject.ts'

const hostile = withEntry(join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'hostile-child.ts'))

t.test('a hostile child cannot make the node believe, hold or do more than the job allows', async (t) => {
  const executor = await startExecutor(t, hostile)
  for (const [trick, code] of [
    ['garbage', 'EXEC_BAD_FRAME'], ['huge-frame', 'EXEC_BAD_FRAME'], ['unknown-kind', 'EXEC_BAD_FRAME'], ['too-much-stdout', 'EXEC_BAD_FRAME'],
    ['escaping-path', 'EXEC_BAD_FRAME'], ['absolute-path', 'EXEC_BAD_FRAME'], ['huge-file', 'EXEC_BAD_FRAME'], ['many-files', 'EXEC_BAD_FRAME'], ['same-file', 'EXEC_BAD_FRAME'], ['short-file', 'EXEC_BAD_FRAME'],
    ['bad-report', 'EXEC_BAD_FRAME'], ['no-json', 'EXEC_BAD_FRAME'], ['empty-stdout', 'EXEC_BAD_FRAME'], ['exit', 'EXEC_CHILD_CRASHED'], ['early', 'EXEC_CHILD_CRASHED']
  ] as const) {
    await t.rejects(executor.run(toRequest(hello, { args: [trick] }), { signal: noSignal }), { code }, trick)
  }
})

t.test('a message of a child reaches the user as one printable line', async (t) => {
  const executor = await startExecutor(t, hostile)
  const outcome = await executor.run(toRequest(hello, { args: ['ugly-message'] }), { signal: noSignal })
  t.equal(outcome.message.length, 500)
  t.match(outcome.message, /^a\?b\?\[31mc/)
})
