import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Bench, BenchOptions, Figure, Sizes } from './figure.ts'

/**
 * `npm run bench -- NAME [--json] [--quick] [--seed N] [--trace DIR] [--profile DIR] [--out DIR] [--nodes N] [--records N] [--seconds N] [--inputs N]`:
 * one benchmark, correctness first, then time. Exit 1 when a goal is missed, 2 for an unknown name or size, or when the build is older than the sources.
 */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  book: async () => (await import('./book.ts')).benchBook,
  e2e: async () => (await import('./e2e.ts')).benchE2e,
  flood: async () => (await import('./flood.ts')).benchFlood,
  startup: async () => (await import('./startup.ts')).benchStartup,
  settle: async () => (await import('./settle.ts')).benchSettle,
  month: async () => (await import('./month.ts')).benchMonth,
  gas: async () => (await import('./gas.ts')).benchGas,
  gossip: async () => (await import('./gossip.ts')).benchGossip,
  reconcile: async () => (await import('./reconcile.ts')).benchReconcile,
  crdts: async () => (await import('./crdts.ts')).benchCrdts,
  match: async () => (await import('./match.ts')).benchMatch,
  allocation: async () => (await import('./allocation.ts')).benchAllocation,
  growth: async () => (await import('./growth.ts')).benchGrowth,
  arrivals: async () => (await import('./arrivals.ts')).benchArrivals,
  certificate: async () => (await import('./certificate.ts')).benchCertificate,
  auction: async () => (await import('./auction.ts')).benchAuction,
  replay: async () => (await import('./replay.ts')).benchReplay,
  strategy: async () => (await import('./strategy.ts')).benchStrategy,
  fuzz: async () => (await import('./fuzz.ts')).benchFuzz
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' }, trace: { type: 'string' }, profile: { type: 'string' }, out: { type: 'string' },
    nodes: { type: 'string' }, records: { type: 'string' }, seconds: { type: 'string' }, inputs: { type: 'string' }
  }
})
const name = positionals[0] ?? ''
const load = BENCHES[name]
if (load === undefined) {
  process.stderr.write(`bench: "${name}" is none of ${Object.keys(BENCHES).join(', ')}\n`)
  process.exit(2)
}
// Nodes that a benchmark starts would run their sources, which start slower and take more memory.
const { isBuilt } = await import(new URL('../bin/freshness.mjs', import.meta.url).href) as { isBuilt: (root: string) => boolean }
if (!isBuilt(fileURLToPath(new URL('..', import.meta.url)))) {
  process.stderr.write('bench: dist/ is older than src/; run "npm run build" first\n')
  process.exit(2)
}
const sizes: Sizes = {}
for (const size of ['nodes', 'records', 'seconds', 'inputs'] as const) {
  const given = values[size]
  if (given === undefined) continue
  if (!/^[1-9]\d*$/.test(given)) {
    process.stderr.write(`bench: --${size} takes a whole number above zero, not "${given}"\n`)
    process.exit(2)
  }
  sizes[size] = Number(given)
}
const options: BenchOptions = {
  seed: Number(values.seed), sizes, quick: values.quick, progress: (text) => { process.stderr.write(`${text}\n`) },
  ...(values.trace === undefined ? {} : { trace: values.trace }), ...(values.profile === undefined ? {} : { profile: values.profile }), ...(values.out === undefined ? {} : { out: values.out })
}
const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'cpu'}, ${Math.round(totalmem() / 2 ** 30)} GiB, node ${process.versions.node}`
const figures: Figure[] = await (await load())(options)
if (values.json) {
  process.stdout.write(`${JSON.stringify({ bench: name, machine, seed: options.seed, figures })}\n`)
} else {
  process.stdout.write(`${name} on ${machine}, seed ${options.seed}\n`)
  for (const { name: label, value, unit, goal, ok, baseline } of figures) {
    const against = baseline === undefined ? '' : `   baseline ${baseline.value} ${unit} (${baseline.name})`
    process.stdout.write(`${ok ? 'ok    ' : 'MISSED'} ${label.padEnd(46)} ${String(value).padStart(10)} ${unit.padEnd(6)} ${goal === undefined ? '' : `goal ${goal}`}${against}\n`)
  }
}
process.exit(figures.every((figure) => figure.ok) ? 0 : 1)
