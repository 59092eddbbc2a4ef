import { bytesToHex, hexToBytes } from 'viem'
import { z } from 'zod'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { decodeDevices, encodeDevices } from './devices.ts'
import { WireError } from './errors.ts'
import { parseShape, uintShape, type Hash } from './shapes.ts'

/** protocol/auction.md, Solution. */

/**
 * One job on one offer, by record id. `devices[i]` is the place in the offer's `gpus` of the device that serves the job's `gpus[i]`, all of one match
 * different; empty for a job without GPUs.
 */
export interface Match { readonly job: Hash, readonly offer: Hash, readonly devices: readonly number[] }
/** A solver's proposal for an epoch. `engine` is a label for people, [a-z0-9-], at most 32. A decoded one has short ids. */
export interface Solution { readonly epoch: number, readonly engine: string, readonly matches: readonly Match[] }

/** Largest encoded solution: a reveal and its envelope are one gossip message of 64 KiB. 5,000 jobs with one GPU each on 1,500 offers fit. */
export const MAX_SOLUTION_BYTES = 65_000
/** Bytes of a record id that a solution names: among 100,000 records two share them by chance once in 3.7 billion books (2^64 / (10^5)^2 * 2). */
export const SHORT_ID_BYTES = 8
/** Bytes of an offer: its short id and how many jobs follow for it; of a job, its devices apart. */
export const OFFER_BYTES = SHORT_ID_BYTES + 2
export const JOB_BYTES = SHORT_ID_BYTES
/** What an encoded solution has besides offers, jobs and devices: CBOR heads at their largest, epoch and label. */
export const SOLUTION_HEAD_BYTES = 64

const engineShape = z.string().regex(/^[a-z0-9-]{1,32}$/)
const column = (row: number): z.ZodType<Uint8Array> => z.instanceof(Uint8Array).refine((bytes) => bytes.length % row === 0, `expected rows of ${row} bytes`)
const solutionShape = z.tuple([z.literal(1), uintShape, engineShape, column(OFFER_BYTES), column(JOB_BYTES), z.instanceof(Uint8Array)])

/** The first bytes of a record id, as solutions name it. */
export function shortId (id: Hash): Hash {
  return id.slice(0, 2 + 2 * SHORT_ID_BYTES) as Hash
}

/**
 * Canonical CBOR [1, epoch, engine, offers, jobs, devices], three byte strings: offers ascending, jobs of an offer ascending, so the order of `matches` means
 * nothing. Ids may be whole or short. Throws WireError WIRE_TOO_LARGE, WIRE_INVALID for a pair that occurs twice, a bad engine name or bad devices.
 */
export function encodeSolution (solution: Solution): Uint8Array {
  const rows = solution.matches.map(({ job, offer, devices }) => ({ offer: shortId(offer), job: shortId(job), devices }))
  rows.sort((left, right) => left.offer === right.offer ? (left.job < right.job ? -1 : 1) : left.offer < right.offer ? -1 : 1)
  const counts = new Map<Hash, number>()
  const jobs = new Uint8Array(rows.length * JOB_BYTES)
  const devices: number[] = []
  rows.forEach((row, at) => {
    const before = rows[at - 1]
    if (before?.offer === row.offer && before.job === row.job) throw new WireError('WIRE_INVALID', 'a solution names a pair twice', { data: { job: row.job, offer: row.offer } })
    counts.set(row.offer, (counts.get(row.offer) ?? 0) + 1)
    jobs.set(hexToBytes(row.job), at * JOB_BYTES)
    encodeDevices(row.devices, devices)
  })
  const offers = new Uint8Array(counts.size * OFFER_BYTES)
  const view = new DataView(offers.buffer)
  let at = 0
  for (const [offer, count] of counts) {
    if (count > 0xffff) throw new WireError('WIRE_TOO_LARGE', `${count} jobs on one offer, limit 65535`, { data: { offer, count } })
    offers.set(hexToBytes(offer), at)
    view.setUint16(at + SHORT_ID_BYTES, count)
    at += OFFER_BYTES
  }
  const bytes = encodeCbor([1, parseShape(uintShape, solution.epoch, 'epoch'), parseShape(engineShape, solution.engine, 'engine'), offers, jobs, Uint8Array.from(devices)])
  if (bytes.length > MAX_SOLUTION_BYTES) throw new WireError('WIRE_TOO_LARGE', `solution of ${bytes.length} bytes, limit ${MAX_SOLUTION_BYTES}`, { data: { bytes: bytes.length } })
  return bytes
}

/** Decodes a solution; accepts only canonical bytes. Matches have short ids and come ordered by offer, then job. Throws WireError. */
export function decodeSolution (bytes: Uint8Array): Solution {
  const [, epoch, engine, offers, jobs, devices] = parseShape(solutionShape, decodeCbor(bytes, MAX_SOLUTION_BYTES), 'solution')
  const view = new DataView(offers.buffer, offers.byteOffset, offers.byteLength)
  const matches: Match[] = []
  let lastOffer = ''
  let jobAt = 0
  let deviceAt = 0
  for (let at = 0; at < offers.length; at += OFFER_BYTES) {
    const offer = bytesToHex(offers.subarray(at, at + SHORT_ID_BYTES))
    const count = view.getUint16(at + SHORT_ID_BYTES)
    assertAscending(lastOffer, offer)
    if (count === 0 || jobAt + count * JOB_BYTES > jobs.length) throw new WireError('WIRE_INVALID', `an offer of a solution has ${count} jobs, ${(jobs.length - jobAt) / JOB_BYTES} are left`, { data: { offer, count } })
    lastOffer = offer
    let lastJob = ''
    for (let left = count; left > 0; left--, jobAt += JOB_BYTES) {
      const job = bytesToHex(jobs.subarray(jobAt, jobAt + SHORT_ID_BYTES))
      assertAscending(lastJob, job)
      lastJob = job
      const read = decodeDevices(devices, deviceAt)
      deviceAt = read.end
      matches.push({ job, offer, devices: read.devices })
    }
  }
  if (jobAt !== jobs.length || deviceAt !== devices.length) throw new WireError('WIRE_INVALID', 'a solution has jobs or devices that belong to no offer', { data: { jobs: jobs.length - jobAt, devices: devices.length - deviceAt } })
  return { epoch, engine, matches }
}

function assertAscending (last: string, next: string): void {
  if (last >= next) throw new WireError('WIRE_NOT_CANONICAL', 'ids of a solution are not in ascending order', { data: { id: next } })
}
