import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { NODE_FLAGS } from '../support/node-flags.ts'

const BINARY = fileURLToPath(new URL('../../bin/lilynode', import.meta.url))
/** Loaded by every Node on the way: the last is the one that runs the program. */
const TELL = `--import=data:text/javascript,${encodeURIComponent('console.error(JSON.stringify(process.execArgv))')}`

/** What Node runs a command with. */
async function flagsOf (...args: readonly string[]): Promise<string[]> {
  const { stderr } = await promisify(execFile)(process.execPath, [BINARY, ...args], { env: { ...process.env, NODE_OPTIONS: TELL } })
  return JSON.parse(stderr.trim().split('\n').at(-1) ?? '[]') as string[]
}

t.test('a service runs with V8\'s flags of bin/node-flags.json, a command without', async (t) => {
  t.same(await flagsOf('start', '--help'), NODE_FLAGS)
  t.same(await flagsOf('version'), [])
})
