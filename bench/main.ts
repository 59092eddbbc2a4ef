import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import type { Bench, BenchOptions, Figure } from './figure.ts'

/**
 * `npm run bench -- NAME [--json] [--seed N] [--trace DIR]`: one benchmark, correctness first, then time.
 * Exit 1 when a goal is missed, 2 for an unknown name.
 */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  book: async () => (await import('./book.ts')).benchBook,
  e2e: async () => (await import('./e2e.ts')).benchE2e,
  flood: async () => (await import('./flood.ts')).benchFlood,
  startup: async () => (await import('./startup.ts')).benchStartup,
  gas: async () => (await import('./gas.ts')).benchGas
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' }, trace: { type: 'string' } }
})
const name = positionals[0] ?? ''
const load = BENCHES[name]
if (load === undefined) {
  process.stderr.write(`bench: "${name}" is none of ${Object.keys(BENCHES).join(', ')}\n`)
  process.exit(2)
}
const options: BenchOptions = { seed: Number(values.seed), progress: (text) => { process.stderr.write(`${text}\n`) }, ...(values.trace === undefined ? {} : { trace: values.trace }) }
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
