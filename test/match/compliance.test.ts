import { fileURLToPath } from 'node:url'
import t from 'tap'
import { silentLogger } from '../../src/core/logger.ts'
import { createEngine } from '../../src/match/engines.ts'
import { testEngine } from './compliance.ts'

const PYTHON = fileURLToPath(new URL('../../examples/engine-python/engine.py', import.meta.url))
const CHOICES: ReadonlyArray<[choice: string, runs: number]> = [['floor', 50], ['lp', 3], ['price', 15], ['highs', 6], ['price,floor', 6], [PYTHON, 3]]

for (const [choice, runs] of CHOICES) testEngine(t, choice.split('/').at(-1) ?? choice, await createEngine({ logger: silentLogger }, choice), runs)

t.test('an engine that does not exist is refused with those that do', async (t) => {
  await t.rejects(createEngine({ logger: silentLogger }, 'price,magic'), { code: 'ENGINE_UNKNOWN', message: /"magic".*floor, lp, price, highs/ })
})
