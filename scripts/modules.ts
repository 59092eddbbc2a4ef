/**
 * Builds the example modules from their AssemblyScript sources, or with `--check` compares the committed .wasm files with
 * a fresh build and exits 1 where they differ. The compiler is pinned by the lock file and its output is deterministic.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const SHIM = 'node_modules/@assemblyscript/wasi-shim/asconfig.json'

interface ModuleSource { readonly name: string, readonly options: readonly string[] }

/** No debug names, no source paths: the bytes depend on source and compiler alone. */
const MODULES: readonly ModuleSource[] = [
  { name: 'cowsay', options: ['--config', SHIM, '--optimizeLevel', '3', '--shrinkLevel', '2', '--converge', '--runtime', 'minimal'] },
  { name: 'noop', options: ['--optimizeLevel', '3', '--shrinkLevel', '2', '--converge', '--runtime', 'stub', '--noExportMemory'] }
]

/** The bytes of a fresh build. A process of its own for each: the compiler keeps libraries between builds. Throws with its words. */
function build (source: ModuleSource, folder: string): Uint8Array {
  const out = join(folder, `${source.name}.wasm`)
  const args = ['node_modules/assemblyscript/bin/asc.js', `modules/${source.name}/${source.name}.ts`, '--outFile', out, ...source.options]
  const asc = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (asc.status !== 0) throw new Error(`${source.name} does not compile:\n${asc.stdout}${asc.stderr}`)
  return readFileSync(out)
}

const folder = mkdtempSync(join(tmpdir(), 'lilynode-modules-'))
const check = process.argv.includes('--check')
for (const source of MODULES) {
  const path = join(root, 'modules', source.name, `${source.name}.wasm`)
  const fresh = build(source, folder)
  if (!check) {
    writeFileSync(path, fresh)
    process.stdout.write(`${source.name}.wasm ${fresh.length} bytes\n`)
  } else if (!readFileSync(path).equals(fresh)) {
    process.stderr.write(`modules/${source.name}/${source.name}.wasm differs from its source; run: npm run modules\n`)
    process.exitCode = 1
  }
}
rmSync(folder, { recursive: true })
