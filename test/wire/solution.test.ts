import fc from 'fast-check'
import t from 'tap'
import { encodeCbor } from '../../src/wire/cbor.ts'
import { MAX_DEVICES } from '../../src/wire/devices.ts'
import type { Hash } from '../../src/wire/shapes.ts'
import { decodeSolution, encodeSolution, MAX_SOLUTION_BYTES, shortId, type Match, type Solution } from '../../src/wire/solution.ts'

const hash = (number: number): Hash => `0x${number.toString(16).padStart(16, '0').padEnd(64, 'f')}`
const anyDevices = fc.oneof({ arbitrary: fc.constant<number[]>([]), weight: 2 }, fc.uniqueArray(fc.nat(MAX_DEVICES - 1), { maxLength: MAX_DEVICES }))
const anySolution: fc.Arbitrary<Solution> = fc.record({
  epoch: fc.nat(), engine: fc.stringMatching(/^[a-z0-9-]{1,32}$/),
  matches: fc.uniqueArray(fc.record({ job: fc.integer({ min: 1, max: 30 }).map(hash), offer: fc.integer({ min: 1, max: 9 }).map(hash), devices: anyDevices }), { maxLength: 20, selector: ({ job, offer }) => `${job}${offer}` })
})
const texts = (matches: readonly Match[]): string[] => matches.map(({ job, offer, devices }) => `${shortId(offer)} ${shortId(job)} ${devices.join()}`)
const encode = (matches: Match[]): Uint8Array => encodeSolution({ epoch: 7, engine: 'x', matches })

t.test('a solution has one encoding, whatever the order of its matches, and comes back with short ids', async () => {
  fc.assert(fc.property(anySolution, (solution) => {
    const bytes = encodeSolution(solution)
    const back = decodeSolution(bytes)
    return Buffer.compare(bytes, encodeSolution({ ...solution, matches: [...solution.matches].reverse() })) === 0 && Buffer.compare(bytes, encodeSolution(back)) === 0 &&
      back.epoch === solution.epoch && back.engine === solution.engine && texts(back.matches).join('|') === texts(solution.matches).sort().join('|')
  }), { seed: 1 })
})

t.test('5,000 jobs with a GPU each on 1,500 offers fit; 1,000,000 bytes of jobs do not', async (t) => {
  const book = (jobs: number, offers: number, devices: number[]): Match[] => Array.from({ length: jobs }, (_, at) => ({ job: hash(at + 1), offer: hash(1 + at % offers), devices }))
  const full = encode(book(5000, 1500, [3]))
  t.ok(full.length <= MAX_SOLUTION_BYTES, `${full.length} bytes`)
  t.equal(decodeSolution(full).matches.length, 5000)
  t.ok(encode(book(3500, 1500, [0, 1, 2])).length <= MAX_SOLUTION_BYTES)
  t.throws(() => encode(book(8000, 20, [])), { code: 'WIRE_TOO_LARGE' })
  t.throws(() => encode(book(70_000, 1, [])), { code: 'WIRE_TOO_LARGE' })
  t.throws(() => decodeSolution(new Uint8Array(MAX_SOLUTION_BYTES + 1)), { code: 'WIRE_TOO_LARGE' })
})

t.test('what is not in the one form is refused', async (t) => {
  const id = (number: number): Uint8Array => Buffer.from(shortId(hash(number)).slice(2), 'hex')
  const jobs = (...numbers: number[]): Uint8Array => Uint8Array.from(Buffer.concat(numbers.map(id)))
  const offers = (...rows: Array<[number, number]>): Uint8Array => Uint8Array.from(Buffer.concat(rows.flatMap(([number, count]) => [id(number), Uint8Array.of(count >> 8, count & 255)])))
  const refused = (columns: Uint8Array[], code: string): void => { t.throws(() => decodeSolution(encodeCbor([1, 7, 'x', ...columns])), { code }) }
  t.same(decodeSolution(encodeCbor([1, 7, 'x', offers([1, 1], [2, 1]), jobs(1, 2), Uint8Array.of(0, 64)])).matches.map(({ devices }) => devices), [[], [63]])
  refused([offers([2, 1], [1, 1]), jobs(1, 2), Uint8Array.of(0, 0)], 'WIRE_NOT_CANONICAL')
  refused([offers([1, 1], [1, 1]), jobs(1, 2), Uint8Array.of(0, 0)], 'WIRE_NOT_CANONICAL')
  refused([offers([1, 2]), jobs(2, 1), Uint8Array.of(0, 0)], 'WIRE_NOT_CANONICAL')
  refused([offers([1, 2]), jobs(1, 1), Uint8Array.of(0, 0)], 'WIRE_NOT_CANONICAL')
  refused([offers([1, 0]), jobs(), Uint8Array.of()], 'WIRE_INVALID')
  refused([offers([1, 1]), jobs(1, 2), Uint8Array.of(0, 0)], 'WIRE_INVALID')
  refused([offers([1, 3]), jobs(1, 2), Uint8Array.of(0, 0)], 'WIRE_INVALID')
  refused([offers([1, 1]), jobs(1), Uint8Array.of(0, 0)], 'WIRE_INVALID')
  refused([offers([1, 1]), jobs(1), Uint8Array.of()], 'WIRE_INVALID')
  refused([offers([1, 1]), jobs(1).subarray(1), Uint8Array.of(0)], 'WIRE_INVALID')
  for (const devices of [[65, 1], [66, 1], [66, 1, 1], [66, 1, 64], [129], [255]]) refused([offers([1, 1]), jobs(1), Uint8Array.from(devices)], 'WIRE_INVALID')
  t.throws(() => decodeSolution(encodeCbor([2, 7, 'x', offers(), jobs(), jobs()])), { code: 'WIRE_INVALID' })
  t.throws(() => decodeSolution(encodeCbor([1, 7, 'X y', offers(), jobs(), jobs()])), { code: 'WIRE_INVALID' })
  t.throws(() => decodeSolution(encodeCbor([1, 7, 'x', offers(), jobs(), jobs(), 99])), { code: 'WIRE_INVALID' }, 'a score has no place')
  t.throws(() => encode([{ job: hash(1), offer: hash(1), devices: [] }, { job: hash(1), offer: hash(1), devices: [1] }]), { code: 'WIRE_INVALID' })
  for (const devices of [[64], [-1], [0.5], [1, 1]]) t.throws(() => encode([{ job: hash(1), offer: hash(1), devices }]), { code: 'WIRE_INVALID' })
})

t.test('foreign bytes give coded errors only', async () => {
  const valid = encode([1, 2, 3].map((at) => ({ job: hash(at), offer: hash(at % 2), devices: [at, at + 1].slice(at - 1) })))
  const changed = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat(20) }).map(({ at, byte, cut }) => {
    const bytes = Uint8Array.from(valid).subarray(0, valid.length - cut)
    bytes[at % bytes.length] = byte
    return bytes
  })
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), changed), (bytes) => {
    try {
      return Buffer.compare(encodeSolution(decodeSolution(bytes)), bytes) === 0
    } catch (error) {
      return (error as { code?: string }).code?.startsWith('WIRE_') === true
    }
  }), { numRuns: 2000, seed: 2 })
})
