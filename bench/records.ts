import { readFile, writeFile } from 'node:fs/promises'
import { encodeRecord } from '../src/wire/record.ts'
import { DOMAIN, jobBody, offerBody, signRecord, T0, testSigner } from '../test/support/records.ts'

export { DOMAIN, T0 }

/** Signed job and resource offers of `authors` accounts in turn, as they stand in gossip; sizes like those of a market (about 700 bytes). */
export function signRecords (count: number, authors: number): Uint8Array[] {
  const signers = Array.from({ length: authors }, (_, index) => testSigner(index + 1))
  return Array.from({ length: count }, (_, index) => {
    const signer = signers[index % authors] as (typeof signers)[number]
    const slot = Math.floor(index / authors)
    const place = { slot, seq: T0 - index % 1000 }
    return encodeRecord(index % 2 === 0 ? signRecord(signer, 'job', { ...place, body: jobBody({ jobNumber: index, limit: 1_000_000 + index }) }) : signRecord(signer, 'offer', { ...place, body: offerBody({ unit: `unit-${slot}` }) }))
  })
}

/** Records one after the other, each behind its length. */
export async function writeRecords (path: string, records: readonly Uint8Array[]): Promise<void> {
  await writeFile(path, Buffer.concat(records.flatMap((record) => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(record.byteLength)
    return [head, record]
  })))
}

/** Each in memory of its own. */
export async function readRecords (path: string): Promise<Uint8Array[]> {
  const all = await readFile(path)
  const records: Uint8Array[] = []
  for (let at = 0; at < all.length;) {
    const length = all.readUInt32BE(at)
    records.push(new Uint8Array(all.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return records
}
