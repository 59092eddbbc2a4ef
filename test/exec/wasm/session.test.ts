import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { noSignal, startExecutor, toRequest } from '../compliance.ts'
import { hello } from '../fixtures/programs.ts'
import { withEntry } from '../fixtures/subject.ts'

const hostile = withEntry(join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'hostile-child.ts'))

t.test('a hostile child cannot make the node believe, hold or do more than the job allows', async (t) => {
  const executor = await startExecutor(t, hostile)
  for (const [trick, message] of [
    ['garbage', 'a frame of'], ['huge-frame', 'a frame of'], ['unknown-kind', 'kind 99'], ['too-much-stdout', 'stdout'],
    ['escaping-path', 'another shape'], ['absolute-path', 'another shape'], ['huge-file', 'more outputs'], ['many-files', 'more outputs'], ['same-file', 'twice'], ['short-file', 'cut off'],
    ['bad-report', 'another shape'], ['no-json', 'JSON'], ['empty-stdout', '0 bytes of stdout'], ['exit', 'without a report (0)'], ['early', 'without a report (SIGABRT)']
  ] as const) {
    const outcome = await executor.run(toRequest(hello, { args: [trick] }), { signal: noSignal })
    t.match({ reason: outcome.reason, exitCode: outcome.exitCode, kept: outcome.stdout.length + outcome.outputs.size }, { reason: 'trapped', exitCode: 134, kept: 0 }, trick)
    t.ok(outcome.message.includes(message), `${trick}: ${outcome.message}`)
  }
})

t.test('a message of a child reaches the user as one printable line', async (t) => {
  const executor = await startExecutor(t, hostile)
  const outcome = await executor.run(toRequest(hello, { args: ['ugly-message'] }), { signal: noSignal })
  t.equal(outcome.message.length, 500)
  t.match(outcome.message, /^a\?b\?\[31mc/)
})
