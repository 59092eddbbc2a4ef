import { z } from 'zod'
import { hashShape, uintShape, type Hash } from '../wire/shapes.ts'

/** The last block whose events were handed on. */
export interface Cursor { number: number, hash: Hash }

/** The part of the node's datastore that the cursor is kept in. */
export interface CursorStore { get: (key: string) => Promise<Uint8Array | undefined>, put: (key: string, value: Uint8Array) => Promise<void> }

const cursorShape = z.object({ number: uintShape, hash: hashShape })

/** Reads a cursor; undefined when there is none that can be read, which only means that the events are read again from the start. */
export async function loadCursor (store: CursorStore, key: string): Promise<Cursor | undefined> {
  const bytes = await store.get(key)
  if (bytes === undefined) return undefined
  try {
    return cursorShape.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    return undefined
  }
}

export async function saveCursor (store: CursorStore, key: string, cursor: Cursor): Promise<void> {
  await store.put(key, new TextEncoder().encode(JSON.stringify(cursor)))
}
