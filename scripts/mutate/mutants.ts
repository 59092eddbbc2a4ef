/**
 * All mutants of a source in one: each stands beside what is written, and the block's `prevrandao` says which one runs; 0 is none. So a
 * source is compiled once. The contracts themselves never read that field.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { syntaxOf } from './compile.ts'
import { type Site, sitesOf } from './sites.ts'

/** `number` is what `prevrandao` must be, `within` the function, `before` and `after` what is written and what runs instead; empty: nothing. */
export interface Mutant { readonly number: number, readonly file: string, readonly line: number, readonly within: string, readonly before: string, readonly after: string }

/** A source with all its mutants in it. */
export interface Mutated { readonly file: string, readonly source: string, readonly mutants: readonly Mutant[] }

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Read as if it were pure, since pure functions have mutants too. */
const SWITCH = `
function _isMutantRead(uint256 number) view returns (bool) {
    return block.prevrandao == number;
}

function _isMutant(uint256 number) pure returns (bool) {
    function(uint256) view returns (bool) read = _isMutantRead;
    function(uint256) pure returns (bool) asPure;
    assembly ("memory-safe") {
        asPure := read
    }
    return asPure(number);
}
`

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()

export function mutatedSource (name: string): Mutated {
  const file = `contracts/src/${name}.sol`
  const source = readFileSync(join(root, file))
  const sites = sitesOf(syntaxOf(file), source)
  const numbered = numberSites(sites)
  const mutants = numbered.flatMap(({ site, first }) => site.others.map((other, index) => ({
    number: first + index, file, line: source.subarray(0, site.start).toString().split('\n').length, within: site.within,
    before: oneLine(source.subarray(site.start, site.end).toString()), after: oneLine(other)
  })))
  return { file, source: written(source, 0, source.length, numbered) + SWITCH, mutants }
}

interface Numbered { readonly site: Site, readonly first: number }

function numberSites (sites: readonly Site[]): Numbered[] {
  let next = 1
  return sites.map((site) => {
    const first = next
    next += site.others.length
    return { site, first }
  })
}

/** The text from `start` to `end` with the mutants of `sites`, which come outer before inner. */
function written (source: Buffer, start: number, end: number, sites: readonly Numbered[]): string {
  const inside = sites.filter(({ site }) => site.start >= start && site.end <= end)
  const outermost = inside[0]
  if (outermost === undefined) return source.subarray(start, end).toString()
  const { site } = outermost
  const rest = inside.slice(1)
  return source.subarray(start, site.start).toString() + withMutants(outermost, written(source, site.start, site.end, rest)) + written(source, site.end, end, rest)
}

function withMutants ({ site, first }: Numbered, original: string): string {
  const parts = site.others.map((other, index) => site.isStatement
    ? `if (_isMutant(${first + index})) { ${other === '' ? '' : `${other};`} } else `
    : `_isMutant(${first + index}) ? (${other}) : `)
  return site.isStatement ? `${parts.join('')}${original}` : `(${parts.join('')}(${original}))`
}
