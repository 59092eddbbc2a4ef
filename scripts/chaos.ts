// `npm run chaos -- [--seed N] [--nodes 20] [--seconds 120] [--partition 60]`: a fleet of processes on loopback, each a real mesh
// and book, under load, kill -9, restarts and a partition; then every book must be equal and hold whatever was acknowledged.
// Prints the schedule and the verdict. Exit 0 when all of it holds, 1 when not, 2 for flags that make no sense.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createFleet } from './chaos/fleet.ts'
import { runSchedule } from './chaos/run.ts'
import { planChaos } from './chaos/schedule.ts'
import { judge } from './chaos/verdict.ts'

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, nodes: { type: 'string', default: '20' }, seconds: { type: 'string', default: '120' }, partition: { type: 'string', default: '60' } } })
const numberOf = (flag: keyof typeof values, least: number): number => {
  const value = Number(values[flag])
  if (Number.isSafeInteger(value) && value >= least) return value
  process.stderr.write(`chaos: --${flag} is a whole number from ${least} on\n`)
  process.exit(2)
}
const plan = { seed: numberOf('seed', 0), nodes: numberOf('nodes', 2), seconds: numberOf('seconds', 1), partition: numberOf('partition', 0) }
const tell = (text: string): void => { process.stdout.write(`${text}\n`) }

const steps = planChaos(plan)
const count = (...names: string[]): number => steps.filter((step) => names.includes(step.do)).length
tell(`chaos seed ${plan.seed}: ${plan.nodes} nodes, ${plan.seconds} s and a partition of ${plan.partition} s; ${count('put')} jobs, ${count('cancel')} cancels, ${count('kill')} kills`)
const root = await mkdtemp(join(tmpdir(), 'lilynode-chaos-'))
const fleet = await createFleet({ root, size: plan.nodes })
// Ctrl-C leaves no process behind.
process.once('SIGINT', () => { void fleet.stop().then(() => { process.exit(1) }) })
let isWhole = false
try {
  for (let number = 0; number < plan.nodes; number++) await fleet.start(number)
  tell(`        ${plan.nodes} nodes are up`)
  const run = await runSchedule(fleet, steps, tell)
  tell(`        ${run.acknowledged} statements acknowledged, ${run.unanswered} fell on a node that was down or killed over them`)
  const { ok, lines } = await judge(fleet, run.newest)
  for (const line of lines) tell(line)
  isWhole = ok
} catch (error) {
  tell(`FAILED ${error instanceof Error ? error.message : String(error)}`)
} finally {
  await fleet.stop()
  await rm(root, { recursive: true, force: true, maxRetries: 3 })
}
process.exit(isWhole ? 0 : 1)
