import { readFileSync, readdirSync } from 'node:fs'
import t from 'tap'

/** Codes as they are written in the sources: first argument of an error, or a code in a table of results. */
const CODE = /'((?:WIRE|BOOK|MATCH|AUCTION|DEAL|EXEC|VERIFY|REGISTRY|IDENTITY|MESH|STORE|CHAIN|DEPLOYMENT|CONFIG|ROLE|JOB|OFFER|API|NODE|CLI|USAGE|DEVNET|DEMO|FLEET|ENGINE|CARRY|VOUCHER)_[A-Z0-9_]+)'/g
/** Prefixes that exit codes are mapped by, and names that are no errors. */
const NOT_CODES = new Set(['DEAL_PROTOCOL'])
/** Printed by bin/lilynode, which is plain JavaScript. */
const ELSEWHERE = new Set(['NODE_TOO_OLD'])

const page = readFileSync('protocol/errors.md', 'utf8')
const documented = new Set([...page.matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]+)`/g)].map((match) => match[1] as string))
const used = new Set<string>()
for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.ts') || file.includes('bindings') || file.endsWith('exit-codes.ts')) continue
  for (const match of readFileSync(`src/${file}`, 'utf8').matchAll(CODE)) if (!NOT_CODES.has(match[1] as string)) used.add(match[1] as string)
}

t.test('every code in the sources stands in protocol/errors.md', (t) => {
  t.same([...used].filter((code) => !documented.has(code)).sort(), [])
  t.end()
})

t.test('every code in protocol/errors.md is used', (t) => {
  t.same([...documented].filter((code) => !used.has(code) && !ELSEWHERE.has(code)).sort(), [])
  t.end()
})
