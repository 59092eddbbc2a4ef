import { readFileSync } from 'node:fs'
import t from 'tap'
import { bytesToHex, hexToBytes, sha256, type Hex } from 'viem'
import type { z } from 'zod'
import { decodeCbor, encodeCbor } from '../../src/wire/cbor.ts'
import { decodeHello, encodeHello } from '../../src/wire/hello.ts'
import { jobOfferShape } from '../../src/wire/job-offer.ts'
import { moduleRecordShape } from '../../src/wire/module-record.ts'
import { resourceOfferShape } from '../../src/wire/resource-offer.ts'
import { decodeResultManifest, encodeResultManifest } from '../../src/wire/result-manifest.ts'

interface Vector { document: Record<string, unknown>, cbor: Hex, digest?: Hex }
const read = <T>(path: string): T => JSON.parse(readFileSync(new URL(`../../protocol/${path}`, import.meta.url), 'utf8')) as T
const vectors = read<Record<'job' | 'offer' | 'module' | 'resultManifest' | 'hello', Vector>>('vectors/documents.json')

t.test('bodies of records: the vectors are what the shapes take, byte for byte', async (t) => {
  const shapes: ReadonlyArray<[keyof typeof vectors, z.ZodType, string]> = [['job', jobOfferShape, 'job-offer'], ['offer', resourceOfferShape, 'resource-offer'], ['module', moduleRecordShape, 'module-record']]
  for (const [name, shape, page] of shapes) {
    const { document, cbor } = vectors[name]
    t.same(shape.parse(document), document, name)
    t.equal(bytesToHex(encodeCbor(document)), cbor)
    t.same(decodeCbor(hexToBytes(cbor), 16_384), document)
    const { required } = read<{ required: string[] }>(`schemas/${page}.json`)
    t.same([...required].sort(), Object.keys(document).sort(), 'the schema asks for exactly these fields')
    for (const field of required) t.equal(shape.safeParse(Object.fromEntries(Object.entries(document).filter(([key]) => key !== field))).success, false, `${name} without ${field}`)
    t.equal(shape.safeParse({ ...document, extra: 1 }).success, false, `${name} with a field too many`)
  }
})

t.test('every field of the offers stands on its page', async (t) => {
  for (const [name, page] of [['job', 'job-offer'], ['offer', 'resource-offer']] as const) {
    const text = readFileSync(new URL(`../../protocol/${page}.md`, import.meta.url), 'utf8')
    for (const field of Object.keys(vectors[name].document)) t.match(text, new RegExp(`^\\| ${field} \\|`, 'm'), `${page}.md: ${field}`)
  }
})

t.test('a result manifest and a hello go to their bytes and back', async (t) => {
  const { resultManifest, hello } = vectors
  const decoded = decodeResultManifest(hexToBytes(resultManifest.cbor))
  t.same(decoded, resultManifest.document)
  t.same(encodeResultManifest(decoded), { bytes: hexToBytes(resultManifest.cbor), digest: resultManifest.digest })
  t.equal(sha256(resultManifest.cbor), resultManifest.digest)
  const said = decodeHello(hexToBytes(hello.cbor))
  t.same(said, hello.document)
  t.equal(bytesToHex(encodeHello(said)), hello.cbor)
  t.throws(() => decodeHello(new Uint8Array(5000)), { code: 'WIRE_TOO_LARGE' })
  t.throws(() => decodeHello(encodeCbor({ roles: [] })), { code: 'WIRE_INVALID' })
})
