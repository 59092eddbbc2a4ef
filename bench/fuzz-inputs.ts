import type { Random } from '../src/core/random.ts'
import { decodeCbor, encodeCbor } from '../src/wire/cbor.ts'

/** Heads of CBOR that promise more than follows, never end, or do not exist; and values at the edges of what numbers hold. */
const HEADS = [
  [0x9f], [0xbf], [0x5f], [0xff], [0xf7], [0xf8, 0x20], [0xc0], [0x1c], [0x5b, 255, 255, 255, 255, 255, 255, 255, 255], [0x9b, 0, 0, 0, 0, 127, 255, 255, 255],
  [0xbb, 0, 0, 0, 1, 0, 0, 0, 0], [0x1b, 0, 31, 255, 255, 255, 255, 255, 255], [0x1b, 0, 32, 0, 0, 0, 0, 0, 0], [0x3b, 255, 255, 255, 255, 255, 255, 255, 255],
  [0xfb, 127, 248, 0, 0, 0, 0, 0, 0], [0xf9, 128, 0], [0x62, 0xc3, 0x28], [0x69, ...Buffer.from('__proto__')]
]
/** What a field is replaced by. */
const VALUES = [null, true, 0, -1, 1, 255, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, 1.5, '', 'a', 'x'.repeat(200), [], [[[]]], {}, { a: 1 }, new Uint8Array(0), new Uint8Array(32), new Uint8Array(64).fill(255), new Uint8Array(5000)]
const MAX_DEPTH = 40
/** Larger than any message. */
const OVERSIZE_BYTES = 300_000

/** Hostile inputs made from valid ones. The same random stream gives the same inputs. */
export function createMutator (random: Random): (corpus: readonly Uint8Array[]) => Uint8Array {
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)] as T
  const short = (): Uint8Array => random.bytes(random.below(random.below(8) === 0 ? 600 : 40))
  const kinds: ReadonlyArray<(bytes: Uint8Array, other: Uint8Array) => Uint8Array> = [
    () => short(),
    (bytes) => bytes.subarray(0, random.below(bytes.length)),
    (bytes) => {
      const flipped = Uint8Array.from(bytes)
      for (let flips = 1 + random.below(8); flips > 0; flips--) {
        const at = random.below(flipped.length)
        flipped[at] = (flipped[at] as number) ^ (1 << random.below(8))
      }
      return flipped
    },
    (bytes, other) => Buffer.concat([bytes.subarray(0, random.below(bytes.length)), other.subarray(random.below(other.length))]),
    (bytes) => {
      const depth = 1 + random.below(MAX_DEPTH)
      return Buffer.concat([Buffer.from(Array.from({ length: depth }, () => pick([[0x81], [0x81], [0xa1, 0x60]])).flat()), bytes])
    },
    (bytes) => {
      const at = random.below(bytes.length)
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(pick(HEADS)), bytes.subarray(at + random.below(9))])
    },
    (bytes) => encodeCbor(replaceField(decodeOr(bytes), random, pick)),
    (bytes) => encodeCbor(replaceField(decodeOr(bytes), random, pick)),
    (bytes) => Buffer.concat([bytes, short()])
  ]
  return (corpus) => {
    if (random.below(2000) === 0) return new Uint8Array(OVERSIZE_BYTES).fill(random.below(256))
    return pick(kinds)(pick(corpus), pick(corpus))
  }
}

/** The value of valid bytes; a byte string of what is not CBOR (frames). */
function decodeOr (bytes: Uint8Array): unknown {
  try {
    return decodeCbor(bytes, OVERSIZE_BYTES)
  } catch {
    return [bytes]
  }
}

/** Another value in one place, at any depth; or one item more, or one less. What comes out is canonical, so it gets past the decoder. */
function replaceField (value: unknown, random: Random, pick: <T>(list: readonly T[]) => T): unknown {
  const isDeep = random.below(3) > 0
  if (Array.isArray(value) && value.length > 0 && isDeep) {
    const at = random.below(value.length)
    const change = random.below(8)
    if (change === 0) return value.toSpliced(at, 1)
    if (change === 1) return [...value, pick(VALUES)]
    return value.toSpliced(at, 1, replaceField(value[at], random, pick))
  }
  if (value instanceof Uint8Array && value.length > 0 && isDeep) {
    const inner = random.below(2) === 0 ? decodeOr(value) : undefined
    if (inner !== undefined && !(Array.isArray(inner) && inner[0] === value)) return encodeCbor(replaceField(inner, random, pick))
    const changed = Uint8Array.from(value)
    changed[random.below(changed.length)] = random.below(256)
    return random.below(4) === 0 ? changed.subarray(0, random.below(changed.length)) : changed
  }
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && isDeep) {
    const entries = Object.entries(value)
    const [key] = entries.length === 0 ? ['a'] : pick(entries)
    if (random.below(8) === 0) return Object.fromEntries(entries.filter(([name]) => name !== key))
    return { ...value, [key]: replaceField((value as Record<string, unknown>)[key], random, pick) }
  }
  return pick(VALUES)
}
