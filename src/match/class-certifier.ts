import { CodedError } from '../core/errors.ts'
import { decodeCertificate, type Certificate } from '../wire/certificate.ts'
import { verifyBound } from './bound.ts'
import { pricesOf } from './certificate.ts'
import type { Certifier } from './certifier.ts'
import { kernelOf, type Kernel } from './kernel/kernel.ts'
import { PLAIN_ROWS, ROWS, shareInRow } from './kernel/share-rows.ts'
import type { Snapshot } from './problem.ts'
import { knownToAll } from './snapshot.ts'

/** Reads certificates as protocol/certificate.md writes them. Read on what every solver could know: a departed or late offer has no class and no rents. */
export function createCertifier (): Certifier {
  const present = new WeakMap<Snapshot, Snapshot>()
  const classes = new WeakMap<Kernel, Int32Array>()
  /** A pair's price asks for the same rents again and again: certificates are decoded, and prices looked up, once. Whoever holds the bytes never changes them. */
  const decoded = new WeakMap<Uint8Array, { certificate: Certificate | undefined }>()
  const rents = new WeakMap<Kernel, WeakMap<Uint8Array, Float64Array>>()
  const presentOf = (snapshot: Snapshot): Snapshot => {
    const known = present.get(snapshot) ?? knownToAll(snapshot)
    present.set(snapshot, known)
    return known
  }
  const classOfOffer = (kernel: Kernel): Int32Array => {
    const known = classes.get(kernel)
    if (known !== undefined) return known
    const found = new Int32Array(kernel.market.offers.length).fill(-1)
    kernel.units.classes.forEach(({ units }, at) => { for (const { offers } of units) for (const offer of offers) found[offer] = at })
    classes.set(kernel, found)
    return found
  }

  const certificateOf = (bytes: Uint8Array): Certificate | undefined => {
    const known = decoded.get(bytes) ?? { certificate: read(bytes) }
    decoded.set(bytes, known)
    return known.certificate
  }
  const rentsAt = (kernel: Kernel, bytes: Uint8Array): Float64Array | undefined => {
    const known = rents.get(kernel) ?? new WeakMap<Uint8Array, Float64Array>()
    rents.set(kernel, known)
    const certificate = certificateOf(bytes)
    const found = known.get(bytes) ?? (certificate === undefined ? undefined : pricesOf(kernel, certificate))
    if (found !== undefined) known.set(bytes, found)
    return found
  }

  return {
    bound: (snapshot, bytes) => {
      const certificate = certificateOf(bytes)
      return certificate === undefined ? undefined : BigInt(verifyBound(presentOf(snapshot), certificate))
    },
    rentsOf: (snapshot, bytes, { id }) => {
      const kernel = kernelOf(presentOf(snapshot))
      const at = classOfOffer(kernel)[kernel.market.offerIndex.get(id) ?? -1] ?? -1
      const prices = rentsAt(kernel, bytes)
      return prices === undefined || at < 0 ? [] : [...prices.subarray(at * ROWS, (at + 1) * ROWS)]
    },
    demandOf: ({ offer: { resources: { cpuMilli, memoryMiB, diskMiB }, gpus } }) =>
      [cpuMilli, memoryMiB, diskMiB, ...Array.from({ length: ROWS - PLAIN_ROWS }, (_, row) => gpus.reduce((sum, { shareBp }) => sum + shareInRow(row, shareBp), 0))]
  }
}

/** Undefined for bytes that are no certificate in the one form. */
function read (bytes: Uint8Array): Certificate | undefined {
  try {
    return decodeCertificate(bytes)
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}
