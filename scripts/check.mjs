// `npm run check`: everything that must hold before a commit, each as its own step, all failures shown.
import { spawnSync } from 'node:child_process'

const steps = [
  ['types', 'tsc', ['--noEmit', '-p', '.']],
  ['lint and import direction', 'eslint', ['.', '--max-warnings', '0']],
  ['dependencies', 'knip', []],
  ['contracts are built', 'node', ['scripts/contracts.ts', '--check']],
  ['modules are built', 'node', ['scripts/modules.ts', '--check']],
  ['vectors are current', 'node', ['scripts/vectors.ts', '--check']]
]
let failed = 0
for (const [name, command, args] of steps) {
  const started = Date.now()
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) failed++
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`)
}
process.exit(failed === 0 ? 0 : 1)
