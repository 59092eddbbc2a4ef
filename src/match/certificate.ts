import { CERTIFICATE_ROWS, KEY_BITS, roundPrice, type Certificate } from '../wire/certificate.ts'
import { keccakHex } from '../wire/keccak.ts'
import type { Kernel } from './kernel/kernel.ts'
import type { UnitClass } from './kernel/unit-classes.ts'

export type { Certificate } from '../wire/certificate.ts'

/** Keys of the texts of late: most classes of a book were in the last epoch's, and a hash costs more than all else about a class. */
const known = new Map<string, number>()
/** Texts that are kept: those of the largest books, some 10 MB. */
const MOST_KNOWN = 30_000

/** protocol/certificate.md: the first 20 bits of keccak256 of the class's text. */
export function keyOf (text: string): number {
  let key = known.get(text)
  if (key === undefined) {
    key = Number.parseInt(keccakHex(new TextEncoder().encode(text)).slice(2, 2 + Math.ceil(KEY_BITS / 4)), 16)
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(text, key)
  }
  return key
}

/** What stands for classes that a certificate does not list: prices of machines with the same models of GPUs. */
export function hardwareKeyOf ({ offers }: UnitClass): number {
  const devices = offers[0]?.offer.gpus ?? []
  const only = devices[0]?.model
  // Most classes have one model.
  const models = offers.length === 1 && devices.every(({ model }) => model === only) ? only === undefined ? [] : [only] : [...new Set(offers.flatMap(({ offer }) => offer.gpus.map(({ model }) => model)))].sort()
  return keyOf(JSON.stringify(models))
}

/** Prices worth less than this share of their unit are left out: they cost bytes and hardly bound. */
const LEAST_WORTH = 0.002

/** Prices per unit class and row (any numbers) as a certificate: rounded to what can be written, with the largest of each hardware for classes not listed. */
export function certificateOf (kernel: Kernel, prices: Float64Array): Certificate {
  const entries = new Map<number, number[]>()
  const raise = (key: number, row: readonly number[]): void => {
    const known = entries.get(key)
    entries.set(key, known === undefined ? [...row] : known.map((price, at) => Math.max(price, row[at] as number)))
  }
  const { capacity } = kernel
  keysOf(kernel).forEach(({ own: key, hardware }, at) => {
    const own = prices.subarray(at * CERTIFICATE_ROWS, (at + 1) * CERTIFICATE_ROWS)
    const has = capacity.subarray(at * CERTIFICATE_ROWS, (at + 1) * CERTIFICATE_ROWS)
    const worth = own.reduce((sum, price, row) => sum + price * (has[row] as number), 0)
    const rounded = Array.from(own, (price, row) => price * (has[row] as number) < worth * LEAST_WORTH ? 0 : roundPrice(price))
    raise(key, rounded)
    raise(hardware, rounded)
  })
  return { entries: [...entries].map(([key, row]) => ({ key, prices: row })).sort((left, right) => left.key - right.key) }
}

const keys = new WeakMap<Kernel['units'], ReadonlyArray<{ readonly own: number, readonly hardware: number }>>()

/** Per unit class its two keys: hashes, found once for all certificates of a book. */
function keysOf ({ units }: Kernel): ReadonlyArray<{ readonly own: number, readonly hardware: number }> {
  const found = keys.get(units) ?? units.classes.map((unitClass) => ({ own: keyOf(unitClass.key), hardware: hardwareKeyOf(unitClass) }))
  keys.set(units, found)
  return found
}

/** The certificate's prices per unit class and row of this kernel. A class that is not listed has those of its hardware; of unknown hardware, none. */
export function pricesOf (kernel: Kernel, { entries }: Certificate): Float64Array {
  const byKey = new Map(entries.map(({ key, prices }) => [key, prices]))
  const classes = keysOf(kernel)
  const prices = new Float64Array(classes.length * CERTIFICATE_ROWS)
  classes.forEach(({ own, hardware }, at) => {
    const found = byKey.get(own) ?? byKey.get(hardware)
    if (found !== undefined) prices.set(found, at * CERTIFICATE_ROWS)
  })
  return prices
}
