import { bytesToHex } from 'viem'
import type { Hash } from '../wire/shapes.ts'
import { createFrameReader, createFrameWriter, malformed, MODE, VERSION, type FrameReader, type FrameWriter } from './negentropy-frame.ts'
import { compareToBound, FINGERPRINT_BYTES, ID_BYTES, type Bound, type ItemSet } from './negentropy-items.ts'

/**
 * Range-based set reconciliation, Negentropy protocol V1 (hoytech/negentropy, docs/negentropy-protocol-v1.md; A. Meyer,
 * arXiv 2212.13567). Both sides are functions of (set, frame): the answering side keeps nothing between rounds.
 */

/** Fingerprints per split, and the size below which ids are listed instead: the reference implementation's choice. */
const BUCKETS = 16
/** Room for what closes a frame: one skip and the fingerprint of the rest. */
const CLOSING_BYTES = 200
const START: Bound = { timestamp: 0, id: new Uint8Array(0) }
const END: Bound = { timestamp: Infinity, id: new Uint8Array(0) }

/** The asking side's first frame. */
export function firstFrame (set: ItemSet): Uint8Array {
  const writer = createFrameWriter()
  writer.bytes(Uint8Array.of(VERSION))
  split(set, 0, set.size, END, writer)
  return writer.finish()
}

/** The answering side. `maxBytes` is at least 4096, or one range might not fit. Throws BookError BOOK_RECONCILE on a malformed frame. */
export function answerFrame (set: ItemSet, frame: Uint8Array, maxBytes: number): Uint8Array {
  const reader = createFrameReader(frame)
  const version = reader.byte()
  if (version < 0x60 || version > 0x6f) throw malformed('not a version byte')
  if (version !== VERSION) return Uint8Array.of(VERSION)
  return walk(set, reader, maxBytes, undefined)
}

/** What the asking side learnt from one answer. `next` is absent when the sets are compared. */
export interface Progress { next?: Uint8Array, have: Hash[], need: Hash[] }

/** The asking side. `have` are ids only we hold, `need` ids only they do. Throws BookError BOOK_RECONCILE. */
export function absorbFrame (set: ItemSet, frame: Uint8Array, maxBytes: number): Progress {
  const reader = createFrameReader(frame)
  if (reader.byte() !== VERSION) throw malformed('the other side does not speak version 1')
  const found: Progress = { have: [], need: [] }
  const next = walk(set, reader, maxBytes, found)
  if (next.length > 1) found.next = next
  return found
}

/** Goes through the ranges of a frame and writes the next one. `found` is given on the asking side. */
function walk (set: ItemSet, reader: FrameReader, maxBytes: number, found: Progress | undefined): Uint8Array {
  const writer = createFrameWriter()
  writer.bytes(Uint8Array.of(VERSION))
  const limit = maxBytes - CLOSING_BYTES
  let from = START
  let begin = 0
  let isSkipped = false
  const closeSkip = (): void => {
    if (!isSkipped) return
    isSkipped = false
    writer.bound(from)
    writer.varint(MODE.skip)
  }
  const closeFrame = (index: number): Uint8Array => {
    writer.bound(END)
    writer.varint(MODE.fingerprint)
    writer.bytes(set.fingerprint(index, set.size))
    return writer.finish()
  }
  while (!reader.done) {
    const to = reader.bound()
    const mode = reader.varint()
    if (compareToBound(to.timestamp, to.id, from) < 0) throw malformed('ranges are out of order')
    const end = set.lowerBound(begin, to)
    const mark = writer.mark()
    const wasSkipped = isSkipped
    if (mode === MODE.skip) {
      isSkipped = true
    } else if (mode === MODE.fingerprint) {
      if (isEqual(reader.take(FINGERPRINT_BYTES), set.fingerprint(begin, end))) {
        isSkipped = true
      } else {
        closeSkip()
        split(set, begin, end, to, writer)
      }
    } else if (mode === MODE.ids) {
      const theirs = readIds(reader)
      if (found !== undefined) {
        compareIds(set, begin, end, theirs, found)
        isSkipped = true
      } else {
        closeSkip()
        const listed = Math.max(0, Math.min(end - begin, Math.floor((limit - writer.length - 2 * ID_BYTES) / ID_BYTES)))
        if (begin + listed < end) {
          // What does not fit follows in a later round, from the first id that was left out.
          list(set, begin, begin + listed, { timestamp: set.timestampAt(begin + listed), id: set.idAt(begin + listed) }, writer)
          return closeFrame(begin + listed)
        }
        list(set, begin, end, to, writer)
      }
    } else {
      throw malformed(`mode ${mode} is unknown`)
    }
    if (writer.length > limit) {
      writer.rewind(mark)
      isSkipped = wasSkipped
      closeSkip()
      return closeFrame(begin)
    }
    begin = end
    from = to
  }
  return writer.finish()
}

/** Describes [begin, end) up to `to`: its ids when few, else the fingerprints of 16 parts. */
function split (set: ItemSet, begin: number, end: number, to: Bound, writer: FrameWriter): void {
  const count = end - begin
  if (count < BUCKETS * 2) {
    list(set, begin, end, to, writer)
    return
  }
  let at = begin
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const next = at + Math.floor(count / BUCKETS) + (bucket < count % BUCKETS ? 1 : 0)
    writer.bound(next === end ? to : shortestBound(set, next))
    writer.varint(MODE.fingerprint)
    writer.bytes(set.fingerprint(at, next))
    at = next
  }
}

function list (set: ItemSet, begin: number, end: number, to: Bound, writer: FrameWriter): void {
  writer.bound(to)
  writer.varint(MODE.ids)
  writer.varint(end - begin)
  for (let index = begin; index < end; index++) writer.bytes(set.idAt(index))
}

/** The shortest bound between item `index` and the one before it. */
function shortestBound (set: ItemSet, index: number): Bound {
  const timestamp = set.timestampAt(index)
  if (set.timestampAt(index - 1) !== timestamp) return { timestamp, id: new Uint8Array(0) }
  const id = set.idAt(index)
  const before = set.idAt(index - 1)
  let shared = 0
  while (shared < ID_BYTES - 1 && id[shared] === before[shared]) shared++
  return { timestamp, id: id.subarray(0, shared + 1) }
}

function readIds (reader: FrameReader): Uint8Array {
  const count = reader.varint()
  return reader.take(count * ID_BYTES)
}

function compareIds (set: ItemSet, begin: number, end: number, theirs: Uint8Array, found: Progress): void {
  const others = new Set<Hash>()
  for (let at = 0; at < theirs.length; at += ID_BYTES) others.add(bytesToHex(theirs.subarray(at, at + ID_BYTES)))
  for (let index = begin; index < end; index++) {
    const id = set.hexAt(index)
    if (!others.delete(id)) found.have.push(id)
  }
  for (const id of others) found.need.push(id)
}

function isEqual (a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, index) => byte === b[index])
}
