import { bytesToHex } from 'viem'
import { createSeededRandom } from '../../src/core/random.ts'
import { verifyBound } from '../../src/match/bound.ts'
import { certificateOf, hardwareKeyOf, keyOf } from '../../src/match/certificate.ts'
import { createInstance } from '../../src/match/instance.ts'
import { kernelOf } from '../../src/match/kernel/kernel.ts'
import { PLAIN_ROWS, ROWS, shareInRow } from '../../src/match/kernel/share-rows.ts'
import { DEFAULT_MATCH_RULES } from '../../src/match/options.ts'
import { encodeCertificate, roundPrice } from '../../src/wire/certificate.ts'

const AT_MS = 1_700_000_000_000
const PRICES = [0, 0.4, 0.5, 1, 3, 127, 128, 255, 256, 257, 1001, 123_456, 2 ** 39]

/** protocol/vectors/certificate.json: rows of shares, prices that can be written, and a book with certificates, their bytes and bounds. */
export function certificateVectors (): Record<string, unknown> {
  const snapshot = createInstance(createSeededRandom(41), { jobs: 10, offers: 4, rules: DEFAULT_MATCH_RULES, nowMs: AT_MS, loadPercent: 140, gpuPercent: 60, togetherPercent: 20 })
  const kernel = kernelOf(snapshot)
  const random = createSeededRandom(42)
  const certificates = [0, 1000, 10_000_000].map((most) => {
    const certificate = certificateOf(kernel, Float64Array.from({ length: kernel.units.classes.length * ROWS }, () => most === 0 ? 0 : random.below(most)))
    return { certificate, bytes: bytesToHex(encodeCertificate(certificate)), bound: verifyBound(snapshot, certificate) }
  })
  return {
    'certificate.json': {
      rows: [1, 2000, 2500, 3333, 4000, 5000, 6000, 8100, 10_000].map((shareBp) => ({ shareBp, rows: Array.from({ length: ROWS - PLAIN_ROWS }, (_, at) => shareInRow(at, shareBp)) })),
      prices: PRICES.map((price) => ({ price, written: roundPrice(price) })),
      snapshot,
      classes: kernel.units.classes.map((unitClass) => ({ text: unitClass.key, key: keyOf(unitClass.key), hardwareKey: hardwareKeyOf(unitClass), units: unitClass.units.length })),
      certificates
    }
  }
}
