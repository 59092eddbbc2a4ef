import { hexToBytes } from 'viem'
import { encodeVarint } from '../../../src/book/negentropy-items.ts'
import type { SignedRecord } from '../../../src/wire/record.ts'

/** A bound that is the end of the set: infinite timestamp, no id. */
export const END_OF_SET = [0, 0]
const VERSION = 0x61
const MODE_IDS = 2

/** The frame of somebody who claims to hold these records and nothing else. */
export function listOf (records: readonly SignedRecord[]): Uint8Array {
  return Uint8Array.from([VERSION, ...END_OF_SET, MODE_IDS, ...encodeVarint(records.length), ...records.flatMap(({ id }) => [...hexToBytes(id)])])
}
