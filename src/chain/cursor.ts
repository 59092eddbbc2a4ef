import { z } from 'zod'
import { hashShape, uintShape, type Hash } from '../wire/shapes.ts'
import type { ChainStore } from './chain-store.ts'

/** The last block whose events were handed on. */
export interface Cursor { number: number, hash: Hash }

const cursorShape = z.object({ number: uintShape, hash: hashShape })

/** Reads a cursor; undefined when there is none that can be read, which only means that the events are read again from the start. */
export async function loadCursor (store: ChainStore, key: string): Promise<Cursor | undefined> {
  const bytes = await store.get(key)
  if (bytes === undefined) return undefined
  try {
    return cursorShape.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    return undefined
  }
}

export async function saveCursor (store: ChainStore, key: string, cursor: Cursor): Promise<void> {
  await store.put(key, new TextEncoder().encode(JSON.stringify(cursor)))
}
