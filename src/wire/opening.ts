import { z } from 'zod'
import { addressShape, hashShape, uintShape } from './shapes.ts'

/** protocol/batches.md, Layout: one leaf of a committed batch with as much of the batch as its id needs. Words as 32 bytes, times in unix seconds. */
export const openingShape = z.strictObject({
  solver: addressShape,
  slot: uintShape.max(2 ** 32 - 1),
  committedAt: uintShape,
  expiry: uintShape,
  root: hashShape,
  /** Bit i: leaf i locked nothing. */
  voided: hashShape,
  owners: z.array(hashShape).min(1).max(256),
  leaf: uintShape.max(255),
  /** The sixteen rows, or what there are of them, that the leaf's own is one of, and the hashes of the other sixteens in their order. */
  rows: z.array(hashShape).min(1).max(16),
  others: z.array(hashShape).max(15),
  proof: z.array(hashShape).max(8)
})
export type OpeningMessage = z.output<typeof openingShape>
