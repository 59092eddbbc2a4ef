import { z } from 'zod'
import type { Datastore } from '../store/datastore.ts'
import { decodeCbor, encodeCbor } from '../wire/cbor.ts'
import { MAX_RECORD_BYTES } from '../wire/record.ts'
import { parseShape, type Address, uintShape } from '../wire/shapes.ts'
import type { BodyKind } from './body.ts'
import { BookError } from './errors.ts'

/** What this node last signed in one of its slots. `body` is canonical CBOR. */
export interface OwnSlot { slot: number, kind: BodyKind | 'cancel', seq: number, body: Uint8Array }

/**
 * Own slots on disk, `author/<account>/<operator>/<slot>` = CBOR [1, slot, kind, seq, body]. The highest seq of all slots is
 * the author's last, so one write carries both.
 */
export interface AuthorStore {
  /** Reads the slots; once, whoever asks first. */
  load: () => Promise<void>
  /** Resolves when the slot is safe from a power cut. */
  save: (own: OwnSlot) => Promise<void>
  slot: (slot: number) => OwnSlot | undefined
  all: () => OwnSlot[]
  lastSeq: () => number
}

const ownShape = z.tuple([z.literal(1), uintShape, z.enum(['job', 'offer', 'module', 'cancel']), uintShape, z.instanceof(Uint8Array)])

export function createAuthorStore (components: { datastore: Datastore }, options: { account: Address, operator: Address }): AuthorStore {
  const { datastore } = components
  const prefix = `author/${options.account}/${options.operator}/`
  const slots = new Map<number, OwnSlot>()
  let lastSeq = 0
  let loading: Promise<void> | undefined
  let isLoaded = false

  const read = async (): Promise<void> => {
    for await (const [, value] of datastore.entries(prefix)) {
      const [, slot, kind, seq, body] = parseShape(ownShape, decodeCbor(value, MAX_RECORD_BYTES + 64), 'own slot')
      slots.set(slot, { slot, kind, seq, body })
      lastSeq = Math.max(lastSeq, seq)
    }
    isLoaded = true
  }
  const assertLoaded = (): void => {
    if (!isLoaded) throw new BookError('BOOK_NOT_STARTED', 'own slots are not read yet')
  }
  return {
    load: async () => {
      loading ??= read()
      await loading
    },
    save: async (own) => {
      lastSeq = Math.max(lastSeq, own.seq)
      slots.set(own.slot, own)
      await datastore.put(`${prefix}${own.slot}`, encodeCbor([1, own.slot, own.kind, own.seq, own.body]), { sync: true })
    },
    slot: (slot) => { assertLoaded(); return slots.get(slot) },
    all: () => { assertLoaded(); return [...slots.values()] },
    lastSeq: () => lastSeq
  }
}
