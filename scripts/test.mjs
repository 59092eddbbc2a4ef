// `npm test [-- FILE...]`: the Solidity tests, then tap over every test file, the end-to-end tests last. The loopback hook is loaded in every process.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const files = process.argv.slice(2)
const hook = pathToFileURL(join(root, 'test', 'support', 'loopback.mjs')).href
// Two hundred processes load much the same code: the first compiles it.
const env = { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${hook}`.trim() }

let failed = 0
if (files.length === 0) {
  const forge = spawnSync('node', ['scripts/forge.mjs', 'test'], { cwd: root, stdio: 'inherit' })
  if (forge.status !== 0) failed = 1
}
// tap builds itself for its plugins on the first run, but starts that run's tests with the loaders of the set that came installed.
const excluded = [...readFileSync(join(root, '.taprc'), 'utf8').matchAll(/"!(.+)"/g)].map(([, plugin]) => plugin)
const built = readFileSync(join(root, 'node_modules', '@tapjs', 'test', 'test-built', 'dist', 'esm', 'index.js'), 'utf8')
if (excluded.some((plugin) => built.includes(plugin))) spawnSync('tap', ['build'], { cwd: root, stdio: 'inherit' })
const run = (args) => spawnSync('tap', ['run', ...args], { cwd: root, stdio: 'inherit', env }).status ?? 1
if (files.length > 0) process.exit(run(files))
// A mesh of eight processes needs both cores to keep the time of its auction: those tests run one after the other.
const all = readdirSync(join(root, 'test'), { recursive: true }).filter((name) => name.endsWith('.test.ts')).sort().map((name) => join('test', name))
const isEndToEnd = (name) => name.startsWith(join('test', 'e2e'))
if (run(all.filter((name) => !isEndToEnd(name))) !== 0) failed = 1
// But for kills, which waits for deadlines on chain most of its time: what drives no auction of eight processes runs beside it.
const [kills, ...beside] = ['kills', 'networks', 'bad-input'].map((name) => join('test', 'e2e', `${name}.test.ts`))
if (run(['--jobs=2', kills, ...beside]) !== 0) failed = 1
if (run(['--jobs=1', ...all.filter((name) => isEndToEnd(name) && name !== kills && !beside.includes(name))]) !== 0) failed = 1
process.exit(failed)
