import t from 'tap'
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { bytesToHex, hexToBytes } from 'viem'
import { BookError } from '../../src/book/errors.ts'
import { absorbFrame, answerFrame, firstFrame } from '../../src/book/negentropy.ts'
import { createItemSet, encodeVarint, type Item } from '../../src/book/negentropy-items.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import type { Hash } from '../../src/wire/shapes.ts'

const LIMIT = 60_000
const idOf = (n: number): Hash => `0x${createHash('sha256').update(String(n)).digest('hex')}`
const itemsOf = (numbers: readonly number[], perTimestamp = 3): Item[] => numbers.map((n) => ({ timestamp: 1000 + Math.floor(n / perTimestamp), id: idOf(n) }))
const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

function runSession (ours: Item[], theirs: Item[], maxBytes = LIMIT): { have: Hash[], need: Hash[], rounds: number, bytes: number, largest: number } {
  const [a, b] = [createItemSet(ours), createItemSet(theirs)]
  const have = new Set<Hash>()
  const need = new Set<Hash>()
  const result = { rounds: 0, bytes: 0, largest: 0 }
  for (let frame: Uint8Array | undefined = firstFrame(a); frame !== undefined; result.rounds++) {
    if (result.rounds > 200) throw new Error('no end')
    const answer = answerFrame(b, frame, maxBytes)
    result.bytes += frame.length + answer.length
    result.largest = Math.max(result.largest, frame.length, answer.length)
    const progress = absorbFrame(a, answer, maxBytes)
    for (const id of progress.have) have.add(id)
    for (const id of progress.need) need.add(id)
    frame = progress.next
  }
  return { have: [...have].sort(), need: [...need].sort(), ...result }
}

t.test('finds exactly the differences of any two sets, whatever the frame limit and however many share a timestamp', async (t) => {
  const sets = fc.record({ ours: fc.uniqueArray(fc.nat(600), { maxLength: 400 }), theirs: fc.uniqueArray(fc.nat(600), { maxLength: 400 }), common: fc.nat(800), perTimestamp: fc.constantFrom(1, 3, 1_000_000), limit: fc.constantFrom(4096, 5000, 9000, LIMIT) })
  fc.assert(fc.property(sets, ({ ours, theirs, common, perTimestamp, limit }) => {
    const shared = range(common).map((n) => n + 10_000)
    const result = runSession(itemsOf([...ours, ...shared], perTimestamp), itemsOf([...theirs, ...shared], perTimestamp), limit)
    t.strictSame(result.have, ours.filter((n) => !theirs.includes(n)).map(idOf).sort())
    t.strictSame(result.need, theirs.filter((n) => !ours.includes(n)).map(idOf).sort())
    t.ok(result.largest <= limit, `frame of ${result.largest}`)
  }), { numRuns: 60, seed: 5 })
})

t.test('fingerprints are those of the specification', async (t) => {
  const items = itemsOf(range(50))
  const set = createItemSet(items)
  const sorted = range(50).map((index) => set.hexAt(index))
  for (const [begin, end] of [[0, 0], [0, 1], [3, 17], [0, 50]] as const) {
    const sum = sorted.slice(begin, end).reduce((total, id) => total + BigInt(bytesToHex(hexToBytes(id).reverse())), 0n) % 2n ** 256n
    const little = hexToBytes(`0x${sum.toString(16).padStart(64, '0')}`).reverse()
    t.strictSame(set.fingerprint(begin, end), new Uint8Array(createHash('sha256').update(little).update(encodeVarint(end - begin)).digest().subarray(0, 16)))
  }
  t.strictSame([...encodeVarint(0)], [0])
  t.strictSame([...encodeVarint(300)], [0x82, 0x2c])
})

t.test('10,000 equal records are proven equal in one round and under 1 KB', async (t) => {
  const items = itemsOf(range(10_000))
  const { rounds, bytes, have, need } = runSession(items, items)
  t.equal(rounds, 1)
  t.ok(bytes < 1000, `${bytes} bytes`)
  t.strictSame([have, need], [[], []])
})

t.test('malformed frames throw BOOK_RECONCILE on both sides and nothing else', async (t) => {
  const set = createItemSet(itemsOf(range(200)))
  const good = [firstFrame(createItemSet(itemsOf(range(150)))), answerFrame(set, firstFrame(createItemSet([])), LIMIT)]
  const random = createSeededRandom(9)
  let refused = 0
  for (let run = 0; run < 4000; run++) {
    const frame = Uint8Array.from(good[run % 2] as Uint8Array).subarray(0, random.below(400) + 1)
    for (let edit = 0; edit < 3; edit++) frame[random.below(frame.length)] = random.below(256)
    for (const side of [answerFrame, absorbFrame]) {
      try {
        side(set, frame, LIMIT)
      } catch (error) {
        refused++
        if (!(error instanceof BookError) || error.code !== 'BOOK_RECONCILE') throw error
      }
    }
  }
  t.ok(refused > 1000, `${refused} refused`)
  for (const bytes of [[], [0x61, 0x00, 0x00, 0x07], [0x61, 0x01, 0x21], [0x61, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], [0x61, 0x05, 0x00, 0x02, 0xff, 0xff, 0x7f], [0x61, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00]]) {
    t.throws(() => answerFrame(set, Uint8Array.from(bytes), LIMIT), { code: 'BOOK_RECONCILE' })
  }
})

t.test('another version is answered with ours, and such an answer ends the session', async (t) => {
  const set = createItemSet(itemsOf(range(3)))
  t.strictSame([...answerFrame(set, Uint8Array.of(0x62, 1, 2, 3), LIMIT)], [0x61])
  t.throws(() => absorbFrame(set, Uint8Array.of(0x62), LIMIT), { code: 'BOOK_RECONCILE' })
})

t.test('protocol/vectors/reconcile.json', async (t) => {
  const vectors = JSON.parse(readFileSync(new URL('../../protocol/vectors/reconcile.json', import.meta.url), 'utf8'))
  const items = (numbers: number[]): Item[] => numbers.map((n) => ({ timestamp: 1000 + Math.floor(n / 3), id: `0x${createHash('sha256').update(`item ${n}`).digest('hex')}` }))
  for (const { name, ours, theirs, maxBytes, frames, need } of vectors.sessions) {
    const [a, b] = [createItemSet(items(ours)), createItemSet(items(theirs))]
    t.equal(bytesToHex(firstFrame(a)), frames[0].query, name)
    const found: Hash[] = []
    for (const { query, answer } of frames) {
      t.equal(bytesToHex(answerFrame(b, hexToBytes(query), maxBytes)), answer, name)
      found.push(...absorbFrame(a, hexToBytes(answer), maxBytes).need)
    }
    t.strictSame(found.sort(), need, name)
  }
})
