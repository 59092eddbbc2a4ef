// `npm run check`: everything that must hold before a commit, each as its own step, two at a time, all failures shown.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const steps = [
  ['contracts are built', 'node', ['scripts/contracts.ts', '--check']],
  ['lint and import direction', 'eslint', ['.', '--max-warnings', '0']],
  ['types', 'tsc', ['--noEmit', '-p', '.']],
  ['dependencies', 'knip', []],
  ['modules are built', 'node', ['scripts/modules.ts', '--check']],
  ['vectors are current', 'node', ['scripts/vectors.ts', '--check']]
]
let failed = 0
/** What a step says is shown when it ends, so that two do not mix. */
async function run (name, command, args) {
  const started = Date.now()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { said.push(chunk) })
  const [status] = await once(child, 'close')
  if (status !== 0) failed++
  process.stdout.write(`${Buffer.concat(said)}${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`)
}
const left = [...steps]
await Promise.all([1, 2].map(async () => { for (let step = left.shift(); step !== undefined; step = left.shift()) await run(...step) }))
process.exit(failed === 0 ? 0 : 1)
