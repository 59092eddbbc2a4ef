/**
 * Changes one operator or drops one statement or check of the contracts at a time and runs the Solidity tests on it: a mutant that they
 * let live is printed, unless scripts/mutants.json says why it may. `node scripts/mutate.ts [--seed 1] [--count 20 | --all] [--units]
 * [--results FILE] [Vault Market ...]`; exits 1 when one lives. A source is compiled once with all its mutants in it, 5 to 60 s; then a
 * mutant that is killed takes some 2 s, one that lives half a minute, or 2 s with --units, which leaves out the stateful tests. Verdicts
 * are appended to FILE as they come; what FILE calls killed is not tried again, so a run that was cut short goes on where it was. Tests
 * of gas and of sizes do not count.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createSeededRandom } from '../src/core/random.ts'
import { codeOf } from './mutate/compile.ts'
import { type Mutant, mutatedSource } from './mutate/mutants.ts'

type Verdict = 'killed' | 'ALIVE' | 'may live'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values, positionals } = parseArgs({ options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '20' }, all: { type: 'boolean', default: false }, units: { type: 'boolean', default: false }, results: { type: 'string' } }, allowPositionals: true })

/** The deployed contract that a source is part of. */
const DEPLOYED: Readonly<Record<string, string>> = {
  Vault: 'Vault', Sessions: 'Vault', Market: 'Market', DealLedger: 'Market', Court: 'Court', CourtBase: 'Court', CourtAnnex: 'Court', Mediators: 'Court',
  BatchLedger: 'Batches', Faults: 'Batches', Vouchers: 'Vouchers', Relayed: 'Vouchers'
}
/** The tests that are about a deployed contract, tried before all others. */
const NEAR: Readonly<Record<string, string>> = {
  Vault: 'VaultTest|SessionsTest|BatchesTest', Market: 'DirectTest|TimeoutsTest|BatchesTest', Court: 'MediationTest|PanelsTest', Batches: 'BatchesTest|FaultsTest', Vouchers: 'VouchersTest'
}
const names = positionals.length > 0 ? positionals : Object.keys(DEPLOYED)

/** What was looked at and may live, with the reason. */
const explained = JSON.parse(readFileSync(join(root, 'scripts/mutants.json'), 'utf8')) as Array<{ file: string, within: string, before: string, after: string, why: string }>
const keyOf = ({ file, within, before, after }: Omit<Mutant, 'number' | 'line'>): string => JSON.stringify([file, within, before, after])
const mayLive = new Set(explained.map(keyOf))

/** Whether the tests notice mutant `number`; one that runs without an end is stopped by the gas of a test. */
function isNoticed (copy: string, contract: string, number: number): boolean {
  const env = {
    ...process.env, FOUNDRY_BLOCK_PREVRANDAO: `0x${number.toString(16).padStart(64, '0')}`, FOUNDRY_CODE_SIZE_LIMIT: '1000000', FOUNDRY_GAS_LIMIT: '5000000000',
    FOUNDRY_FUZZ_RUNS: '16', FOUNDRY_INVARIANT_RUNS: '16', FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT: '0'
  }
  const stages = [['--match-contract', `^(${NEAR[contract]})$`], ['--no-match-contract', 'Gas|Invariant'], ['--match-contract', 'Invariant']]
  return stages.slice(0, values.units ? 2 : 3).some((only) =>
    spawnSync('node', ['scripts/forge.mjs', 'test', '--fail-fast', ...only], { cwd: copy, stdio: 'ignore', env }).status !== 0)
}

/** Puts the contract with all its mutants where the tests load it from. */
function deploy (copy: string, contract: string, code: string): void {
  const path = join(copy, `contracts/out/${contract}.sol/${contract}.json`)
  const artifact = JSON.parse(readFileSync(path, 'utf8')) as { bytecode: { object: string } }
  writeFileSync(path, JSON.stringify({ ...artifact, bytecode: { ...artifact.bytecode, object: `0x${code}` } }))
}

/** What forge asks for at every start; to load the compiler for it takes longer than most tests. Nothing is compiled in the copy. */
const compilerVersion = spawnSync('node', ['scripts/solc-shim.mjs', '--version'], { cwd: root, encoding: 'utf8' }).stdout

/** The mutants of `names` to try: all, or as many as asked for, drawn by the seed. */
function chosen (): Set<string> {
  const keys = [...new Set(names.flatMap((name) => mutatedSource(name).mutants.map(keyOf)))]
  if (values.all) return new Set(keys)
  const random = createSeededRandom(Number(values.seed))
  const ranked = keys.map((key) => ({ key, rank: random.below(2 ** 30) })).sort((left, right) => left.rank - right.rank)
  return new Set(ranked.slice(0, Number(values.count)).map(({ key }) => key))
}

/** What FILE calls killed, by key and number. */
function killedBefore (): Set<string> {
  if (values.results === undefined || !existsSync(values.results)) return new Set()
  const lines = readFileSync(values.results, 'utf8').split('\n').filter((line) => line !== '')
  return new Set(lines.map((line) => JSON.parse(line) as { verdict: Verdict, id: string }).filter(({ verdict }) => verdict === 'killed').map(({ id }) => id))
}

function verdictOf (copy: string, contract: string, mutant: Mutant, known: ReadonlySet<string>): Verdict {
  if (mayLive.has(keyOf(mutant))) return 'may live'
  const id = `${mutant.number} ${keyOf(mutant)}`
  if (known.has(id)) return 'killed'
  const verdict = isNoticed(copy, contract, mutant.number) ? 'killed' : 'ALIVE'
  if (values.results !== undefined) appendFileSync(values.results, `${JSON.stringify({ verdict, id, line: mutant.line })}\n`)
  if (verdict === 'ALIVE') console.log(`ALIVE ${mutant.file}:${mutant.line} (${mutant.within}) ${mutant.before}  ->  ${mutant.after || 'dropped'}`)
  return verdict
}

/** Tries the mutants of one source that are wanted; returns how many live without a reason. */
function tryAll (name: string, wanted: ReadonlySet<string>, known: ReadonlySet<string>): number {
  const contract = DEPLOYED[name]
  if (contract === undefined) throw new Error(`${name} is none of ${Object.keys(DEPLOYED).join(', ')}`)
  const { file, source, mutants } = mutatedSource(name)
  const own = mutants.filter((mutant) => wanted.has(keyOf(mutant)))
  const tally: Record<Verdict, number> = { killed: 0, 'may live': 0, ALIVE: 0 }
  const copy = mkdtempSync(join(tmpdir(), 'lilynode-mutants-'))
  try {
    for (const folder of ['contracts', 'scripts', 'protocol', 'node_modules/@openzeppelin']) cpSync(join(root, folder), join(copy, folder), { recursive: true, preserveTimestamps: true })
    // Links to sources would give them other names than forge's cache has, and all would be compiled anew.
    for (const tool of ['.bin', '@foundry-rs', 'solc']) symlinkSync(join(root, 'node_modules', tool), join(copy, 'node_modules', tool))
    writeFileSync(join(copy, 'scripts/solc-shim.mjs'), `#!/bin/sh\necho '${compilerVersion}'\n`)
    deploy(copy, contract, codeOf(contract, file, source))
    if (isNoticed(copy, contract, 0)) throw new Error(`the tests of contracts/ fail on ${name} without any mutant`)
    for (const mutant of own) tally[verdictOf(copy, contract, mutant, known)]++
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
  console.log(`${name.padEnd(12)} ${own.length} of ${mutants.length} tried: ${tally.killed} killed, ${tally['may live']} may live, ${tally.ALIVE} alive`)
  return tally.ALIVE
}

if (spawnSync('node', ['scripts/forge.mjs', 'build'], { cwd: root, stdio: 'inherit' }).status !== 0) throw new Error('contracts/ does not compile')
const wanted = chosen()
const known = killedBefore()
const alive = names.reduce((sum, name) => sum + tryAll(name, wanted, known), 0)
process.exitCode = alive === 0 ? 0 : 1
