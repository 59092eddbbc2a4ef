import t from 'tap'
import { bindInputs, manifestForFile } from '../../src/registry/manifest.ts'
import { inputsTree, parseInputs } from '../../src/registry/inputs.ts'
import { parseModuleReference, resolveName } from '../../src/registry/resolve.ts'
import type { Entry } from '../../src/book/book.ts'
import { encodeCbor } from '../../src/wire/cbor.ts'
import type { ModuleManifest } from '../../src/wire/module-record.ts'
import { bodyHash, encodeRecord, type SignedRecord } from '../../src/wire/record.ts'
import { address, CID, hash } from '../deal/deals.ts'

const entry = (account: number, name: string, tag: string, seq: number, manifest = CID): Entry => {
  const body = encodeCbor({ name, tag, manifest })
  const record: SignedRecord = { kind: 'module', account: address(account), operator: address(account), slot: 2 ** 31, seq, bodyHash: bodyHash(body), id: hash(seq), body, signature: '0x' }
  return { record, firstSeenMs: 0, bytes: encodeRecord(record) }
}

t.test('a reference is a file, a manifest CID or a name', (t) => {
  t.same(parseModuleReference('cowsay:v0.0.4'), { kind: 'name', name: 'cowsay', tag: 'v0.0.4' })
  t.same(parseModuleReference('cowsay'), { kind: 'name', name: 'cowsay', tag: 'latest' })
  t.same(parseModuleReference(`${address(0xab).toUpperCase().replace('0X', '0x')}/cowsay:v1`), { kind: 'name', name: 'cowsay', tag: 'v1', publisher: address(0xab) })
  t.same(parseModuleReference('./a/b.wasm'), { kind: 'file', path: './a/b.wasm' })
  t.same(parseModuleReference(CID), { kind: 'manifest', cid: CID })
  for (const bad of ['', 'UPPER:v1', 'a b', 'x:y:z', '0x12/cowsay:v1']) t.throws(() => parseModuleReference(bad), { code: 'REGISTRY_BAD_REFERENCE' }, bad)
  t.end()
})

t.test('a name means what a trusted publisher says, and nobody else', (t) => {
  const other = CID.replace('bafkreigh', 'bafkreiaa')
  const entries = [entry(9, 'cowsay', 'v0.0.4', 100, other), entry(1, 'cowsay', 'v0.0.4', 1)]
  t.equal(resolveName({ name: 'cowsay', tag: 'v0.0.4' }, entries, [address(1)]), CID, 'a stranger with a newer record of the same name is not asked')
  t.equal(resolveName({ name: 'cowsay', tag: 'v0.0.4', publisher: address(9) }, entries, [address(1)]), other, 'unless he is named')
  t.throws(() => resolveName({ name: 'cowsay', tag: 'v9' }, entries, [address(1)]), { code: 'REGISTRY_UNKNOWN_MODULE', hint: 'Known here: cowsay:v0.0.4.' })
  t.throws(() => resolveName({ name: 'nope', tag: 'v1' }, [], [address(1)]), { code: 'REGISTRY_UNKNOWN_MODULE' })
  t.end()
})

t.test('latest is the record with the highest seq', (t) => {
  const other = CID.replace('bafkreigh', 'bafkreiaa')
  t.equal(resolveName({ name: 'cowsay', tag: 'latest' }, [entry(1, 'cowsay', 'v1', 5), entry(1, 'cowsay', 'v2', 9, other)], [address(1)]), other)
  t.end()
})

const manifest: ModuleManifest = {
  name: 'cowsay', tag: 'v1', engine: 'wasm', wasm: CID, args: ['cowsay', '--say={{Message}}', '{{Missing}}'], open: false,
  inputs: { Message: { default: 'moo', maxBytes: 8 }, Name: { maxBytes: 8 } }, resources: { cpuMilli: 1, memoryMiB: 1, diskMiB: 0 }, runSeconds: 1
}

t.test('inputs fill the templates; unknown, missing and long ones are named', (t) => {
  t.same(bindInputs(manifest, { Name: 'x' }), { args: ['cowsay', '--say=moo', ''], env: { Message: 'moo', Name: 'x' } })
  t.same(bindInputs(manifest, { Name: 'x', Message: '{{Name}}' }).args[1], '--say={{Name}}', 'a value is not a template')
  t.throws(() => bindInputs(manifest, {}), { code: 'REGISTRY_BAD_INPUT', data: { name: 'Name' } })
  t.throws(() => bindInputs(manifest, { Name: 'x', Other: 'y' }), { code: 'REGISTRY_BAD_INPUT', data: { name: 'Other' } })
  t.throws(() => bindInputs(manifest, { Name: 'ééééé' }), { code: 'REGISTRY_BAD_INPUT', data: { name: 'Name' } }, 'bytes count, not letters')
  const open = manifestForFile('a', CID, [])
  for (const [name, value] of [['', 'x'], ['A=B', 'x'], ['A\0', 'x'], ['A', 'x\0y']] as const) t.throws(() => bindInputs(open, { [name]: value }), { code: 'REGISTRY_BAD_INPUT', data: { name } }, `${JSON.stringify(name)}: no environment could hold it`)
  t.throws(() => bindInputs(manifestForFile('a', CID, ['a\0b']), {}), { code: 'REGISTRY_BAD_INPUT' })
  t.same(bindInputs(manifestForFile('a', CID, ['-v']), { ANY: '1' }), { args: ['a', '-v'], env: { ANY: '1' } })
  t.end()
})

t.test('an input directory comes back as it was, and equal inputs give equal bytes', (t) => {
  const files = new Map([['a/b.txt', Uint8Array.from([1])]])
  const tree = inputsTree({ b: '2', a: '1' }, files)
  t.same(inputsTree({ a: '1', b: '2' }, files), tree)
  t.same(parseInputs(tree), { values: { a: '1', b: '2' }, files })
  for (const bad of ['', '[]x', '3', '{"a":1}']) t.throws(() => parseInputs(new Map([['inputs.json', new TextEncoder().encode(bad)]])), { code: 'REGISTRY_BAD_INPUT' }, bad)
  t.throws(() => parseInputs(new Map()), { code: 'REGISTRY_BAD_INPUT' })
  t.end()
})
