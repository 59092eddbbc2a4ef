// Brings the checkout to a runnable state with nothing but system Node (18 or newer) and npm: installs the locked
// dependencies when the lock file changed, and makes sure the project's own Node is there. Node built-ins only.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isBuilt } from './freshness.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const marker = join(root, 'node_modules', '.lilynode-setup.json')
const lockHash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex')

function readMarker () {
  try {
    return JSON.parse(readFileSync(marker, 'utf8'))
  } catch {
    return {}
  }
}

function fail (code, message) {
  process.stderr.write(`lilynode setup: ${message}\n`)
  process.exit(code)
}

if (readMarker().lockHash !== lockHash) {
  process.stderr.write('lilynode setup: installing the locked dependencies (once; about a minute) ...\n')
  const started = Date.now()
  // Engine warnings are expected: npm runs on the system's Node, the project on its own.
  const install = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (install.status !== 0) fail(1, `npm ci ended with ${install.status ?? install.signal ?? install.error?.message}. Run it by hand to see why: npm ci`)
  writeFileSync(marker, JSON.stringify({ lockHash, installMs: Date.now() - started, installedAt: Date.now() }))
  process.stderr.write(`lilynode setup: done in ${((Date.now() - started) / 1000).toFixed(0)} s\n`)
}

const bundled = join(root, 'node_modules', '.bin', 'node')
const probe = spawnSync(existsSync(bundled) ? bundled : process.execPath, ['-p', 'process.versions.node'], { encoding: 'utf8' })
const [major = 0, minor = 0] = (probe.stdout ?? '').trim().split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  fail(10, `needs Node 22.19 or newer and found ${probe.stdout?.trim() || 'none'}: install Node 24 (this platform has no bundled one)`)
}

if (!isBuilt(root)) {
  // With the project's own Node, which runs the script's TypeScript.
  const built = spawnSync(existsSync(bundled) ? bundled : process.execPath, [join(root, 'scripts', 'build.ts')], { cwd: root, stdio: ['ignore', 'ignore', 2] })
  if (built.status !== 0) fail(1, 'the sources do not build: see above, then "npm run build"')
}
