// `npm run build`: src/ with its libraries as a few JavaScript files in dist/. A node then loads 20 files instead of 1,300:
// it starts in two thirds of the CPU time and holds 20 MB less; a job's process starts in a quarter of the time.
import { readFile, rename, rm } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions, type Plugin } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'src')
/** Built aside and moved whole, so that a command started meanwhile finds the old build or the new one. */
const target = join(root, 'dist')
const partial = join(root, 'dist.partial')

/** A source that asks where it lies gets the place in dist/ that it has in src/: bundled, it lies in a file at the top of dist/. */
const ownPlace: Plugin = {
  name: 'own-place',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      if (!path.startsWith(source)) return undefined
      const place = `./${relative(source, path).replace(/\.ts$/, '.js')}`
      const text = await readFile(path, 'utf8')
      return { loader: 'ts', contents: text.replaceAll('import.meta.url', `new URL(${JSON.stringify(place)}, import.meta.url).href`) }
    })
  }
}

const common: BuildOptions = {
  absWorkingDir: root, bundle: true, platform: 'node', format: 'esm', target: 'node22', legalComments: 'linked', logLevel: 'warning',
  // Native libraries look for their binary beside themselves, HiGHS for its WebAssembly.
  external: ['classic-level', 'secp256k1', 'highs'],
  // CommonJS libraries among the dependencies ask for Node's modules by `require`.
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' }
}

await rm(partial, { recursive: true, force: true })
await build({ ...common, entryPoints: [join(source, 'cli', 'main.ts')], outdir: partial, splitting: true, plugins: [ownPlace] })
// Programs of their own, each one file: a job's process may read nothing but its folder.
for (const program of ['exec/wasm/child', 'match/lp-worker', 'match/price-worker', 'match/highs-worker', 'book/signature-worker']) {
  const { banner: _, ...plain } = common
  await build({ ...(program.endsWith('child') ? plain : common), entryPoints: [join(source, `${program}.ts`)], outfile: join(partial, `${program}.js`) })
}
await rm(target, { recursive: true, force: true })
await rename(partial, target)
process.stdout.write(`built ${basename(target)}/\n`)
