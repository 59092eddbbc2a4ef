/** npm's solc, for the syntax of one source and the creation code of one deployed contract. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Node } from './sites.ts'

interface Solc { compile: (input: string, callbacks: { import: (path: string) => { contents: string } }) => string }
interface Output {
  readonly errors?: ReadonlyArray<{ readonly severity: string, readonly formattedMessage: string }>
  readonly sources: Readonly<Record<string, { readonly ast: Node }>>
  readonly contracts: Readonly<Record<string, Readonly<Record<string, { readonly evm: { readonly bytecode: { readonly object: string } } }>>>>
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const solc = createRequire(import.meta.url)('solc') as Solc
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

function compile (file: string, contents: (path: string) => string, selected: object): Output {
  const settings = {
    evmVersion: 'cancun', viaIR: true, optimizer: { enabled: true, runs: 1 }, metadata: { bytecodeHash: 'none', appendCBOR: false },
    remappings: ['@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/'], outputSelection: { [file]: selected }
  }
  const input = JSON.stringify({ language: 'Solidity', sources: { [file]: { content: contents(file) } }, settings })
  const output = JSON.parse(solc.compile(input, { import: (path) => ({ contents: contents(path) }) })) as Output
  const wrong = output.errors?.filter(({ severity }) => severity === 'error') ?? []
  if (wrong.length > 0) throw new Error(wrong.map(({ formattedMessage }) => formattedMessage).join('\n'))
  return output
}

export function syntaxOf (file: string): Node {
  const found = compile(file, read, { '': ['ast'] }).sources[file]
  if (found === undefined) throw new Error(`solc gave no syntax tree of ${file}`)
  return found.ast
}

/** Creation code of `contract`, in hex, where the file `changed` is `source`. */
export function codeOf (contract: string, changed: string, source: string): string {
  const file = `contracts/src/${contract}.sol`
  const found = compile(file, (path) => path === changed ? source : read(path), { [contract]: ['evm.bytecode.object'] }).contracts[file]?.[contract]
  if (found === undefined) throw new Error(`solc gave no code of ${contract}`)
  return found.evm.bytecode.object
}
