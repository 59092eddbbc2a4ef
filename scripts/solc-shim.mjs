#!/usr/bin/env node
// Lets forge use npm's solc: there is no native compiler for every machine, and the registry is the
// only place we download from. Answers the two calls forge makes, --version and --standard-json.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const solc = createRequire(import.meta.url)('solc')
const args = process.argv.slice(2)

if (args.includes('--version')) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`)
} else {
  const takesValue = ['--base-path', '--include-path', '--allow-paths']
  const file = args.find((arg, i) => !arg.startsWith('-') && !takesValue.includes(args[i - 1]))
  process.stdout.write(solc.compile(readFileSync(file ?? 0, 'utf8'))) // forge inlines all sources
}
