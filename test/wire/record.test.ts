import t from 'tap'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { bytesToHex, hexToBytes } from 'viem'
import { decodeCbor, encodeCbor } from '../../src/wire/cbor.ts'
import { WireError } from '../../src/wire/errors.ts'
import { jobOfferShape } from '../../src/wire/job-offer.ts'
import { decodeBatch, encodeBatch, MAX_BATCH_RECORDS } from '../../src/wire/record-batch.ts'
import { decodeBody, decodeRecord, encodeRecord, MAX_RECORD_BYTES } from '../../src/wire/record.ts'
import { recoverAddress, recoverSigner } from '../../src/wire/signature.ts'
import { delegate, DOMAIN, fieldsOf, jobBody, signRecord, testSigner } from '../support/records.ts'

const alice = testSigner(1)
const operator = testSigner(2)
const job = signRecord(alice, 'job')
const delegated = signRecord(operator, 'job', { account: alice.address, delegation: delegate(alice, operator.address) })

function codeOf (work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof WireError) return error.code
    throw error
  }
}
const decodeItems = (items: unknown[]): string | undefined => codeOf(() => decodeRecord(DOMAIN, encodeCbor(items)))

t.test('a record survives its encoding, with and without delegation', async (t) => {
  for (const record of [job, delegated, signRecord(alice, 'cancel'), signRecord(alice, 'module')]) {
    const bytes = encodeRecord(record)
    t.strictSame(fieldsOf(decodeRecord(DOMAIN, bytes)), record)
    t.strictSame(encodeRecord(decodeRecord(DOMAIN, bytes)), bytes)
  }
})

t.test('what is taken is taken to the byte: changed, cut short or longer it is another record, or refused', async () => {
  for (const record of [job, delegated, signRecord(alice, 'cancel')]) {
    const bytes = encodeRecord(record)
    fc.assert(fc.property(fc.nat(bytes.length), fc.nat(255), fc.constantFrom('cut', 'more', 'changed'), (at, byte, how) => {
      const changed = how === 'cut' ? bytes.slice(0, at) : Uint8Array.from([...bytes.slice(0, at), byte, ...bytes.slice(how === 'more' ? at : at + 1)])
      try {
        return Buffer.from(encodeRecord(decodeRecord(DOMAIN, changed))).equals(changed)
      } catch (error) {
        return error instanceof WireError
      }
    }), { numRuns: 2000, seed: 1, examples: [[bytes.length, 0, 'more'], [bytes.length - 1, 0, 'cut']] })
  }
})

t.test('a signature of another length is nobody\'s, whatever was looked at before', async (t) => {
  const digest = Buffer.from(job.id.slice(2), 'hex')
  const signature = Buffer.from(job.signature.slice(2), 'hex')
  t.equal(recoverAddress(digest, signature), alice.address)
  for (const other of [signature.subarray(0, 63), Buffer.concat([signature, Buffer.alloc(1)]), Buffer.alloc(0)]) t.equal(recoverAddress(digest, other), undefined, `${other.length} bytes`)
})

t.test('an altered signature leaves the id as it is', async (t) => {
  const altered = encodeRecord({ ...job, signature: `0x${'12'.repeat(64)}` })
  t.equal(decodeRecord(DOMAIN, altered).id, job.id)
})

t.test('every other field, the body and the deployment are bound by the id', async (t) => {
  const changes = [{ slot: 1 }, { seq: job.seq + 1 }, { kind: 'offer' as const }, { account: operator.address }, { operator: operator.address }, { body: Uint8Array.of(0xa0) }]
  for (const change of changes) t.not(decodeRecord(DOMAIN, encodeRecord({ ...job, ...change })).id, job.id, JSON.stringify(change))
  t.not(decodeRecord({ ...DOMAIN, chainId: 1 }, encodeRecord(job)).id, job.id)
})

t.test('fields out of their range are refused', async (t) => {
  const items = decodeCbor(encodeRecord(job), MAX_RECORD_BYTES) as unknown[]
  const withItem = (index: number, value: unknown): unknown[] => items.map((item, at) => at === index ? value : item)
  t.equal(decodeItems(items), undefined, 'untouched')
  const bad: Array<[number, unknown]> = [
    [0, 2], [1, 0], [1, 9], [1, 256], [2, new Uint8Array(19)], [2, 'x'], [3, new Uint8Array(21)], [4, 2 ** 32], [4, -1], [5, -1], [5, 1.5], [5, 2n ** 60n],
    [6, 'text'], [7, new Uint8Array(63)], [7, null]
  ]
  for (const [index, value] of bad) t.equal(decodeItems(withItem(index, value)), 'WIRE_INVALID', `item ${index} = ${String(value)}`)
  t.equal(decodeItems(items.slice(0, 7)), 'WIRE_INVALID', 'too few')
  t.equal(decodeItems([...items, null]), 'WIRE_INVALID', 'a delegation of null')
  t.equal(decodeItems([...items, { ...delegated.delegation, extra: 1 }]), 'WIRE_INVALID', 'a delegation with more fields')
  t.equal(decodeItems([...items, delegated.delegation, 1]), 'WIRE_INVALID', 'too many')
  t.equal(codeOf(() => decodeRecord(DOMAIN, new Uint8Array(MAX_RECORD_BYTES + 1))), 'WIRE_TOO_LARGE')
})

t.test('nothing but WireError escapes from mutated records and bodies', async (t) => {
  const bytes = encodeRecord(delegated)
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat(bytes.length), (edits, cut) => {
    const mutated = Uint8Array.from(bytes)
    for (const [at, byte] of edits) mutated[at] = byte
    codeOf(() => decodeBody(jobOfferShape, decodeRecord(DOMAIN, mutated)))
    codeOf(() => decodeRecord(DOMAIN, mutated.subarray(0, cut)))
  }), { numRuns: 1500, seed: 4 })
  t.pass('no other error')
})

t.test('a body of the shape passes, one with a field too many, too few or too long does not', async (t) => {
  const { jobNumber, ...less } = jobBody()
  const cases: Array<[unknown, string | undefined]> = [
    [jobBody(), undefined], [{ ...jobBody(), more: 1 }, 'WIRE_INVALID'], [less, 'WIRE_INVALID'], [{ ...jobBody(), limit: -1 }, 'WIRE_INVALID'],
    [{ ...jobBody(), mediators: Array.from({ length: 33 }, () => alice.address) }, 'WIRE_INVALID'], [{ ...jobBody(), mediators: [alice.address.toUpperCase()] }, 'WIRE_INVALID'],
    [jobNumber, 'WIRE_INVALID'], [null, 'WIRE_INVALID']
  ]
  for (const [body, code] of cases) t.equal(codeOf(() => decodeBody(jobOfferShape, { ...job, body: encodeCbor(body) })), code)
  t.equal(codeOf(() => decodeBody(jobOfferShape, { ...job, body: new Uint8Array(0) })), 'WIRE_MALFORMED')
})

t.test('a batch carries records of one deployment only', async (t) => {
  const bytes = encodeRecord(job)
  t.strictSame(decodeBatch(DOMAIN, encodeBatch(DOMAIN, [bytes, bytes])), [bytes, bytes])
  t.equal(codeOf(() => decodeBatch({ ...DOMAIN, chainId: 1 }, encodeBatch(DOMAIN, [bytes]))), 'WIRE_DOMAIN')
  t.equal(codeOf(() => decodeBatch(DOMAIN, encodeBatch(DOMAIN, []))), 'WIRE_INVALID')
  t.equal(codeOf(() => decodeBatch(DOMAIN, encodeBatch(DOMAIN, Array.from({ length: MAX_BATCH_RECORDS + 1 }, () => Uint8Array.of(0))))), 'WIRE_INVALID')
  t.equal(codeOf(() => decodeBatch(DOMAIN, encodeBatch(DOMAIN, [new Uint8Array(MAX_RECORD_BYTES + 1)]))), 'WIRE_TOO_LARGE')
})

t.test('protocol/vectors/record.json', async (t) => {
  const { domain, records } = JSON.parse(readFileSync(new URL('../../protocol/vectors/record.json', import.meta.url), 'utf8'))
  for (const vector of records) {
    const record = decodeRecord(domain, hexToBytes(vector.encoded))
    t.equal(record.id, vector.id, vector.name)
    t.equal(record.bodyHash, vector.bodyHash)
    t.equal(bytesToHex(encodeRecord(record)), vector.encoded)
    if (record.kind !== 'equivocation') t.equal(recoverSigner(record.id, record.signature), vector.operator)
  }
})
