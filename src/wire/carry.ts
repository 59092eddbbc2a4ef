import { z } from 'zod'
import { hashShape } from './shapes.ts'

/** protocol/carry.md: a signed call that another node sends and pays for. */
export const CARRY_PROTOCOL = '/lily/carry/1.0.0'
/** A challenged leaf of a batch of 256 brings its owners: 20 KB. */
export const MAX_CARRY_BYTES = 33_000

export const carryRequestShape = z.strictObject({ contract: z.enum(['vault', 'market', 'court', 'batches', 'vouchers']), data: z.instanceof(Uint8Array).refine(({ length }) => length <= 32_768, 'more than 32,768 bytes') })
export const carryAnswerShape = z.strictObject({ hash: hashShape })
