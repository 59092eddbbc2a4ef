/**
 * Changes one operator or drops one check of the contracts at a time, in a copy, and runs the Solidity tests on it: a mutant that they
 * let live is printed, unless scripts/mutants.json says why it may. `node scripts/mutate.ts [--seed 1] [--count 20 | --all --from 0]
 * [Vault Market ...]`; exits 1 when one lives. The tests that are about the contract come first, the rest only for what outlives them:
 * some 10 s of CPU for a mutant that is killed, a minute for one that lives.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createSeededRandom } from '../src/core/random.ts'

interface Mutant { readonly name: string, readonly file: string, readonly line: number, readonly before: string, readonly after: string }

const root = fileURLToPath(new URL('..', import.meta.url))
const { values, positionals } = parseArgs({ options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '20' }, all: { type: 'boolean', default: false }, from: { type: 'string', default: '0' } }, allowPositionals: true })
const names = positionals.length > 0 ? positionals : ['Vault', 'Market', 'DealLedger', 'Court', 'CourtBase', 'CourtAnnex', 'Mediators', 'BatchLedger', 'Sessions', 'Faults', 'Vouchers', 'Relayed']

/** Contracts of contracts/test that are about a source, tried first; for all others every unit test is. */
const NEAR: Readonly<Record<string, string>> = {
  Vault: 'VaultTest|SessionsTest|BatchesTest|FaultsTest|VouchersTest', Sessions: 'SessionsTest|BatchesTest', Vouchers: 'VouchersTest', Relayed: 'VouchersTest|DirectoryTest',
  Market: 'DirectTest|TimeoutsTest|BatchesTest', DealLedger: 'DirectTest|TimeoutsTest|BatchesTest|MediationTest|StatesTest', BatchLedger: 'BatchesTest', Faults: 'FaultsTest'
}

/** What was looked at and may live, with the reason. */
const explained = JSON.parse(readFileSync(join(root, 'scripts/mutants.json'), 'utf8')) as Array<{ file: string, before: string, after: string, why: string }>
const reasonFor = ({ file, before, after }: Mutant): string | undefined => explained.find((known) => known.file === file && known.before === before.trim() && known.after === after.trim())?.why

/** What is written, and what a careless author could have written. */
const SWAPS: ReadonlyArray<readonly [RegExp, string]> = [
  [/ <= /, ' < '], [/ < /, ' <= '], [/ >= /, ' > '], [/ > /, ' >= '], [/ == /, ' != '], [/ != /, ' == '], [/ && /, ' || '], [/ \|\| /, ' && '],
  [/ \+ /, ' - '], [/ - /, ' + '], [/ \+= /, ' -= '], [/ -= /, ' += '], [/ \|= /, ' = '], [/\? (.+?) : (.+?);/, '? $2 : $1;'],
  [/^( +)(if \(.*\) revert .*|_require\w+\(.*\));$/, '$1// dropped'], [/^( +)(VAULT|MARKET)\.\w+\(.*\);$/, '$1// dropped'], [/^( +)_(set|debit|resolve|pool)\(.*\);$/, '$1// dropped']
]

function mutantsOf (name: string): Mutant[] {
  const file = `contracts/src/${name}.sol`
  const lines = readFileSync(join(root, file), 'utf8').split('\n')
  const first = lines.findIndex((line) => /^(abstract )?contract /.test(line)) + 1
  return lines.flatMap((before, index) => {
    if (index < first || /^ *(\/\/|\/\*|for \(|event|error|import|mapping)|constant/.test(before)) return []
    return SWAPS.flatMap(([from, to]) => from.test(before) ? [{ name, file, line: index + 1, before, after: before.replace(from, to) }] : [])
  })
}

/** Whether the tests notice. A mutant that does not compile counts as noticed. */
function isKilled (copy: string, { name, file, line, after }: Mutant): boolean {
  const original = readFileSync(join(root, file), 'utf8')
  const lines = original.split('\n')
  lines[line - 1] = after
  writeFileSync(join(copy, file), lines.join('\n'))
  const near = NEAR[name]
  const stages = [...(near === undefined ? [] : [['--match-contract', `^(${near})$`]]), ['--no-match-contract', 'Invariant'], ['--match-contract', 'Invariant']]
  const killed = stages.some((only) => spawnSync('node', ['scripts/forge.mjs', 'test', '--fail-fast', ...only], { cwd: copy, stdio: 'ignore', env: { ...process.env, FOUNDRY_INVARIANT_RUNS: '16', FOUNDRY_FUZZ_RUNS: '32' } }).status !== 0)
  writeFileSync(join(copy, file), original)
  return killed
}

function main (): number {
  const random = createSeededRandom(Number(values.seed))
  const all = names.flatMap(mutantsOf)
  const chosen = values.all ? all.slice(Number(values.from)) : all.map((mutant) => ({ mutant, rank: random.below(2 ** 30) })).sort((left, right) => left.rank - right.rank).slice(0, Number(values.count)).map(({ mutant }) => mutant)
  const copy = mkdtempSync(join(tmpdir(), 'lilynode-mutants-'))
  let alive = 0
  try {
    for (const folder of ['contracts', 'scripts', 'protocol']) cpSync(join(root, folder), join(copy, folder), { recursive: true, preserveTimestamps: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    for (const mutant of chosen) {
      const why = reasonFor(mutant)
      const killed = why === undefined && isKilled(copy, mutant)
      if (!killed && why === undefined) alive++
      console.log(`${killed ? 'killed' : why === undefined ? 'ALIVE ' : `may live (${why})`} ${mutant.file}:${mutant.line} ${mutant.before.trim()}  ->  ${mutant.after.trim()}`)
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
  console.log(`${chosen.length} of ${all.length} mutants tried, ${alive} alive`)
  return alive === 0 ? 0 : 1
}

process.exitCode = main()
