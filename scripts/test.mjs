// `npm test [-- FILE...]`: the Solidity tests, then tap over every test file, the end-to-end tests last. The loopback hook is loaded in every process.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const files = process.argv.slice(2)
const hook = pathToFileURL(join(root, 'test', 'support', 'loopback.mjs')).href
// Two hundred processes load much the same code: the first compiles it.
const env = { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${hook}`.trim() }

/** What failed, for the last line: it may lie thousands of lines above. */
const failed = []
if (files.length === 0) {
  const forge = spawnSync('node', ['scripts/forge.mjs', 'test'], { cwd: root, stdio: 'inherit' })
  if (forge.status !== 0) failed.push('forge test')
}
// tap builds itself for its plugins on the first run, but starts that run's tests with the loaders of the set that came installed.
const excluded = [...readFileSync(join(root, '.taprc'), 'utf8').matchAll(/"!(.+)"/g)].map(([, plugin]) => plugin)
const built = readFileSync(join(root, 'node_modules', '@tapjs', 'test', 'test-built', 'dist', 'esm', 'index.js'), 'utf8')
if (excluded.some((plugin) => built.includes(plugin))) spawnSync('tap', ['build'], { cwd: root, stdio: 'inherit' })
const folder = mkdtempSync(join(tmpdir(), 'lilynode-test-'))
const run = (args) => {
  const save = join(folder, 'failed')
  const { status } = spawnSync('tap', ['run', `--save=${save}`, ...args], { cwd: root, stdio: 'inherit', env })
  const names = existsSync(save) ? readFileSync(save, 'utf8').split('\n').filter((name) => name !== '') : []
  rmSync(save, { force: true })
  if (status !== 0) failed.push(...names.length > 0 ? names : ['tap run'])
}
if (files.length > 0) run(files)
else {
  // A mesh of eight processes needs both cores to keep the time of its auction: those tests run one after the other.
  const all = readdirSync(join(root, 'test'), { recursive: true }).filter((name) => name.endsWith('.test.ts')).sort().map((name) => join('test', name))
  const isEndToEnd = (name) => name.startsWith(join('test', 'e2e'))
  run(all.filter((name) => !isEndToEnd(name)))
  // But for kills, which waits for deadlines on chain most of its time: what drives no auction of eight processes runs beside it.
  const [kills, ...beside] = ['kills', 'networks', 'bad-input'].map((name) => join('test', 'e2e', `${name}.test.ts`))
  run(['--jobs=2', kills, ...beside])
  run(['--jobs=1', ...all.filter((name) => isEndToEnd(name) && name !== kills && !beside.includes(name))])
}
rmSync(folder, { recursive: true })
console.log(failed.length === 0 ? 'all tests passed' : `FAILED: ${failed.join(', ')}`)
process.exit(failed.length === 0 ? 0 : 1)
