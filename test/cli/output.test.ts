import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const BINARY = fileURLToPath(new URL('../../bin/lilynode', import.meta.url))

t.test('a reader that goes away is no error of the command', async (t) => {
  const child = spawn(process.execPath, [BINARY, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => { stderr += String(chunk) })
  const [code] = await once(child, 'close') as [number | null]
  t.same([code, stderr], [0, ''])
})

t.test('output that cannot be written is one', async (t) => {
  const child = spawn(process.execPath, [BINARY, 'version'], { stdio: ['ignore', openSync('/dev/full', 'w'), 'ignore'] })
  const [code] = await once(child, 'close') as [number | null]
  t.equal(code, 8)
})
