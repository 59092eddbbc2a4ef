import type * as Yjs from 'yjs'
import type { Clock } from '../core/clock.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { RecordKind, SignedRecord } from '../wire/record.ts'
import { readBody } from './body.ts'
import type { Book, Entry } from './book.ts'
import { DOCUMENT } from './options.ts'

/**
 * The book as a Yjs document, for dashboards and SDKs: maps `jobs`, `offers` and `modules`, keyed by record id, with JSON
 * values. This node is its only writer; there is no way in for another's update. Yjs is loaded on `start`.
 */
export interface BookDocument extends Startable {
  /** The whole state as one Yjs update; before `start` an empty one. */
  encodeState: () => Uint8Array
  /** Yjs updates as they are made, to be sent to readers. After a rebuild the update is a whole new document (`isNew`). */
  onUpdate: (listener: (update: Uint8Array, isNew: boolean) => void) => () => void
  /** Writes what waits, now. */
  flush: () => void
}

const MAPS = { job: 'jobs', offer: 'offers', module: 'modules' } as const
type ShownKind = keyof typeof MAPS
const KINDS = Object.keys(MAPS) as ShownKind[]

export function createBookDocument (components: { book: Book, clock: Clock }): BookDocument {
  const { book, clock } = components
  const listeners = new Set<(update: Uint8Array, isNew: boolean) => void>()
  let yjs: typeof Yjs | undefined
  let doc: Yjs.Doc | undefined
  let waiting = new Map<string, { kind: ShownKind, entry?: Entry }>()
  let deleted = 0
  let cancelFlush: (() => void) | undefined
  let leave: (() => void) | undefined

  const write = (target: Yjs.Doc, changes: Iterable<[string, { kind: ShownKind, entry?: Entry }]>): void => {
    target.transact(() => {
      for (const [id, { kind, entry }] of changes) {
        const map: Yjs.Map<unknown> = target.getMap(MAPS[kind])
        if (entry !== undefined) map.set(id, toValue(entry))
        else if (map.has(id)) { map.delete(id); deleted++ }
      }
    })
  }
  /** Deleted keys stay in a Yjs document for ever, so it is made anew when they outweigh what lives. */
  const rebuild = (): void => {
    if (yjs === undefined) return
    doc?.destroy()
    const fresh = new yjs.Doc()
    doc = fresh
    deleted = 0
    waiting = new Map()
    write(fresh, KINDS.flatMap((kind) => book.live(kind).map((entry): [string, { kind: ShownKind, entry: Entry }] => [entry.record.id, { kind, entry }])))
    const state = yjs.encodeStateAsUpdate(fresh)
    for (const listener of listeners) listener(state, true)
    fresh.on('update', (update: Uint8Array) => { for (const listener of listeners) listener(update, false) })
  }
  const flush = (): void => {
    cancelFlush?.()
    cancelFlush = undefined
    if (doc === undefined || waiting.size === 0) return
    const changes = waiting
    waiting = new Map()
    write(doc, changes)
    if (deleted > DOCUMENT.minDeleted && deleted > DOCUMENT.deletedShare * book.size) rebuild()
  }
  return {
    flush,
    encodeState: () => doc === undefined || yjs === undefined ? new Uint8Array([0, 0]) : yjs.encodeStateAsUpdate(doc),
    onUpdate: (listener) => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    start: async () => {
      yjs = await import('yjs')
      leave = book.onChange(({ type, entry }) => {
        if (!isShown(entry.record.kind)) return
        waiting.set(entry.record.id, { kind: entry.record.kind, ...(type === 'added' ? { entry } : {}) })
        cancelFlush ??= clock.after(DOCUMENT.flushMs, flush)
      })
      rebuild()
    },
    stop: async () => {
      leave?.()
      cancelFlush?.()
      doc?.destroy()
      doc = undefined
    }
  }
}

function isShown (kind: RecordKind): kind is ShownKind {
  return Object.hasOwn(MAPS, kind)
}

/** Plain JSON: the signed head without signature, and the body as it was signed. */
function toValue ({ record, firstSeenMs }: Entry): Record<string, unknown> {
  const { account, operator, slot, seq } = record
  return { account, operator, slot, seq, firstSeenMs, body: readBody(record as SignedRecord & { readonly kind: ShownKind }) }
}
