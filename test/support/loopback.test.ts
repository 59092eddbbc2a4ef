import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

const hook = join(import.meta.dirname, 'loopback.mjs')

/** Runs `code` in a child whose only link to the hook is NODE_OPTIONS; its stdout, and what the hook logged. */
function run (code: string, folder: string): { out: string, logged: Array<{ api: string, target: string }> } {
  const log = join(folder, 'log')
  // A file, not -e: workers of a process run with -e do not wait for preloads.
  writeFileSync(join(folder, 'main.mjs'), code)
  const child = spawnSync(process.execPath, [join(folder, 'main.mjs')], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: `--import=${hook}`, LILY_LOOPBACK_LOG: log }, timeout: 20_000 })
  return { out: child.stdout.trim() + child.stderr.trim(), logged: existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').map((line) => JSON.parse(line)) : [] }
}
const attempt = (expression: string): string => `try { await (${expression}); console.log('went through') } catch (error) { console.log((error.cause ?? error).code ?? error.message) }`

for (const [name, expression, target] of [
  ['net.connect to an address', "(await import('node:net')).connect(80, '192.0.2.1')", '192.0.2.1'],
  ['net.connect to an IPv6 address', "(await import('node:net')).connect({ port: 80, host: '2001:db8::1' })", '2001:db8::1'],
  ['tls', "(await import('node:tls')).connect({ port: 443, host: '192.0.2.1' })", '192.0.2.1'],
  ['fetch', "fetch('http://192.0.2.1/')", '192.0.2.1'],
  ['http', "(await import('node:http')).get('http://192.0.2.1/')", '192.0.2.1'],
  ['udp', "(await import('node:dgram')).createSocket('udp4').send('x', 53, '192.0.2.1')", '192.0.2.1'],
  ['a name lookup', "(await import('node:dns/promises')).lookup('example.org')", 'example.org'],
  ['a named import of lookup', "(await import('node:dns')).lookup('example.org', () => {})", 'example.org'],
  ['a resolver', "(await import('node:dns/promises')).resolve4('example.org')", 'resolver for example.org']
] as const) {
  t.test(`${name} is refused and logged`, async (t) => {
    const { out, logged } = run(attempt(expression) + '; process.exit(0)', t.testdir())
    t.equal(out, 'ERR_LOOPBACK_ONLY')
    t.match(logged, [{ target }])
  })
}

t.test('worker threads and grandchildren are held too', async (t) => {
  const folder = t.testdir({ 'worker.mjs': "import net from 'node:net'; net.connect(80, '192.0.2.1')" })
  const worker = run(`const { Worker } = await import('node:worker_threads'); new Worker(${JSON.stringify(join(folder, 'worker.mjs'))}).on('error', (error) => console.log(/loopback only/.exec(error.message)[0]))`, folder)
  t.equal(worker.out, 'loopback only')
  const child = run(`const { execFileSync } = await import('node:child_process'); try { execFileSync(process.execPath, ['-e', "fetch('http://192.0.2.1')"], { stdio: 'pipe' }) } catch (error) { console.log(/loopback only/.exec(String(error.stderr))[0]) }`, folder)
  t.equal(child.out, 'loopback only')
})

t.test('this machine is reached by address, by name and by unix socket', async (t) => {
  const server = createServer((_request, response) => { response.end('ok') })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const { port } = server.address() as AddressInfo
  // The path of a unix socket ends at 108 characters.
  const folder = mkdtempSync(join(tmpdir(), 'lily-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  const { execFile } = await import('node:child_process')
  const code = `
    const net = await import('node:net')
    console.log(await (await fetch('http://127.0.0.1:${port}')).text())
    await new Promise((resolve) => net.connect(${port}, 'localhost').on('connect', function () { this.destroy(); resolve() }).on('error', resolve))
    await new Promise((resolve) => { const s = net.createServer().listen(${JSON.stringify(join(folder, 's'))}, () => { net.connect(${JSON.stringify(join(folder, 's'))}, function () { this.destroy(); s.close(resolve) }) }) })
    console.log('done')`
  const out = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ['--input-type=module', '-e', code], { env: { ...process.env, NODE_OPTIONS: `--import=${hook}` } }, (error, stdout) => { if (error === null) resolve(stdout); else reject(error) })
  })
  t.equal(out.trim(), 'ok\ndone')
})
