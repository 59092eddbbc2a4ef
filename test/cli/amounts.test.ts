import t from 'tap'
import { CodedError } from '../../src/core/errors.ts'
import { formatLily } from '../../src/wire/amount.ts'
import { parseLily } from '../../src/cli/amounts.ts'
import { parseStrategy } from '../../src/cli/commands/run-request.ts'
import { EXIT, exitCodeOf } from '../../src/cli/exit-codes.ts'
import { createOutput, formatError, formatTable } from '../../src/cli/output.ts'

t.test('LILY goes to nLILY and back without rounding', (t) => {
  for (const [text, amount] of [['1', 1e9], ['1.5', 1_500_000_000], ['0.000000001', 1], ['9007199.254740991', Number.MAX_SAFE_INTEGER], ['0', 0]] as const) {
    t.equal(parseLily(text), amount)
    t.equal(formatLily(amount), text)
  }
  t.equal(formatLily(-1_500_000_000), '-1.5')
  for (const bad of ['', '-1', '1.0000000001', '1e3', 'x', '9007199.254740992', '.5']) t.throws(() => parseLily(bad), { code: 'USAGE_AMOUNT' }, bad)
  t.end()
})

t.test('verification strategies', (t) => {
  t.same(parseStrategy('receipt'), { strategy: 'receipt', auditBp: 0 })
  t.same(parseStrategy('audit:0.25'), { strategy: 'audit', auditBp: 2500 })
  t.same(parseStrategy('audit:1'), { strategy: 'audit', auditBp: 10_000 })
  for (const bad of ['audit', 'audit:2', 'audit:1.5', 'audit:-1', 'tee', '']) t.throws(() => parseStrategy(bad), { code: 'USAGE_VERIFY' }, bad)
  t.end()
})

t.test('codes map to the documented exit codes', (t) => {
  const exits: Array<[string, number]> = [
    ['USAGE_NUMBER', EXIT.usage], ['REGISTRY_BAD_INPUT', EXIT.usage], ['REGISTRY_UNKNOWN_MODULE', EXIT.notFound], ['JOB_UNKNOWN', EXIT.notFound], ['JOB_UNFUNDED', EXIT.money],
    ['CHAIN_UNREACHABLE', EXIT.unreachable], ['CLI_NO_NODE', EXIT.unreachable], ['STORE_LOCKED', EXIT.conflict], ['API_PORT_IN_USE', EXIT.conflict], ['CHAIN_PORT_IN_USE', EXIT.conflict],
    ['MESH_PORT_IN_USE', EXIT.conflict], ['JOB_TIMED_OUT', EXIT.timedOut], ['JOB_EXPIRED', EXIT.timedOut], ['CONFIG_NETWORK_MISSING', EXIT.notFound], ['CONFIG_NETWORK_INVALID', EXIT.usage]
  ]
  for (const [code, exit] of exits) t.equal(exitCodeOf(new CodedError(code, '')), exit, code)
  t.equal(exitCodeOf(new Error('x')), EXIT.internal)
  t.end()
})

t.test('output is one document with --json, text without; progress is for people only', (t) => {
  let out = ''
  let err = ''
  const write = { stdout: (text: string | Uint8Array) => { out += Buffer.from(text as string).toString('latin1') }, stderr: (text: string | Uint8Array) => { err += Buffer.from(text as string).toString('latin1') } }
  const json = createOutput({ json: true, ...write })
  json.result({ a: 1 }, 'text')
  json.progress('hidden')
  t.same([out, err], ['{"a":1}\n', ''])
  out = ''
  const human = createOutput({ json: false, ...write })
  human.result({ a: 1 }, () => 'text')
  human.progress('shown')
  t.same([out, err], ['text\n', 'shown\n'])
  out = err = ''
  json.streams(Buffer.from('out'), Buffer.from('err'))
  t.same([out, err], ['', ''], 'a program\'s own streams are no document')
  human.streams(Uint8Array.of(0xff, 0x00), Uint8Array.of(0xfe))
  t.same([out, err], ['\xff\0', '\xfe'], 'byte for byte')
  t.equal(formatTable([['A', 'BB'], ['long', 'x']]), 'A     BB\nlong  x')
  t.end()
})

t.test('an error shows code, message and what to do', (t) => {
  const error = new CodedError('X_Y', 'broken', { hint: 'Mend it.', data: { n: 1 } })
  t.equal(formatError(error, false), 'lilynode: X_Y: broken\n  Mend it.\n')
  t.same(JSON.parse(formatError(error, true)), { error: { code: 'X_Y', message: 'broken', hint: 'Mend it.', data: { n: 1 } } })
  t.end()
})
