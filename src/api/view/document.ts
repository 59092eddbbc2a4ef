import * as Y from 'yjs'
import type { Put } from '../../book/projection.ts'
import type { Clock } from '../../core/clock.ts'
import type { ViewOptions } from './options.ts'

/** One room of the live view: a Yjs document of which this node is the only writer. There is no way in for another's update. */
export interface ViewDocument {
  /** What a copy with this state vector lacks, as one Yjs update. Throws when the vector is malformed. */
  missing: (stateVector: Uint8Array) => Uint8Array
  /** Calls back when everything that was there at the start is written, at once if it is. */
  whenWhole: (listener: () => void) => void
  close: () => void
}

/** State vector of a copy that has nothing yet. */
const EMPTY = Buffer.of(0)

/**
 * Opens a document. `fill` puts what there is and follows it, until the function that it returns is called. `onUpdate` gets
 * each Yjs update, `onWorn` is called when dead values outweigh the living, for a document never forgets.
 */
export function createViewDocument (
  components: { clock: Clock, fill: (put: Put) => () => void, onUpdate: (update: Uint8Array) => void, onWorn: () => void },
  options: Pick<ViewOptions, 'flushMs' | 'maxPerFlush' | 'minDead' | 'deadShare'>
): ViewDocument {
  const { clock } = components
  const doc = new Y.Doc()
  const waiting = new Map<string, Parameters<Put>>()
  let early: Array<() => void> | undefined = []
  let whole: Uint8Array | undefined
  let living = 0
  let dead = 0
  let cancelFlush: (() => void) | undefined

  doc.on('update', (update: Uint8Array) => {
    whole = undefined
    components.onUpdate(update)
  })
  const write = (...[name, key, value]: Parameters<Put>): void => {
    const map = doc.getMap(name)
    const isKnown = map.has(key)
    if (isKnown) dead++
    if (value !== undefined) {
      map.set(key, value())
      if (!isKnown) living++
    } else if (isKnown) {
      map.delete(key)
      living--
    }
  }
  const flush = (): void => {
    cancelFlush = undefined
    doc.transact(() => {
      let left = options.maxPerFlush
      for (const [name, change] of waiting) {
        if (left-- === 0) break
        waiting.delete(name)
        write(...change)
      }
    })
    if (waiting.size > 0) cancelFlush = clock.after(0, flush)
    else {
      const listeners = early ?? []
      early = undefined
      for (const listener of listeners) listener()
    }
    if (dead > options.minDead && dead > options.deadShare * living) components.onWorn()
  }
  const leave = components.fill((map, key, value) => {
    waiting.set(`${map} ${key}`, [map, key, value])
    cancelFlush ??= clock.after(options.flushMs, flush)
  })
  cancelFlush?.()
  flush()

  return {
    missing: (stateVector) => {
      if (!EMPTY.equals(stateVector)) return Y.encodeStateAsUpdate(doc, stateVector)
      // After a roll every reader asks for the same.
      whole ??= Y.encodeStateAsUpdate(doc)
      return whole
    },
    whenWhole: (listener) => {
      if (early === undefined) listener()
      else early.push(listener)
    },
    close: () => {
      leave()
      cancelFlush?.()
      doc.destroy()
    }
  }
}
