import t from 'tap'
import { noSignal, runExecutorCompliance, startExecutor, toRequest } from '../compliance.ts'
import { endlessStartSection, trap } from '../fixtures/programs.ts'
import { compliancePrograms, plain } from '../fixtures/subject.ts'

await runExecutorCompliance(t, { name: 'process', create: plain, programs: compliancePrograms })

t.test('a loop in the start section is stopped too', async (t) => {
  // Without output there is nothing to wait for: the machine's own clock.
  const executor = await startExecutor(t, plain)
  t.match(await executor.run(toRequest(endlessStartSection, { limits: { wallMs: 150 } }), { signal: noSignal }), { reason: 'timeout' })
})

t.test('a trap is told with its cause', async (t) => {
  const executor = await startExecutor(t, plain)
  t.match(await executor.run(toRequest(trap), { signal: noSignal }), { reason: 'trapped', exitCode: 134, message: 'the program trapped: unreachable' })
})
