import { equals } from 'uint8arrays/equals'
import type * as Yjs from 'yjs'
import { errorMessage } from '../core/errors.ts'
import { inventoryEntryShape, MAX_UPDATE_BYTES, priceEntryShape, stateEntryShape, type Inventory } from '../wire/fleet.ts'
import { parseShape, type Address } from '../wire/shapes.ts'
import { clientIdOf } from './client-id.ts'
import type { Entries, Entry } from './entries.ts'
import { FleetError } from './errors.ts'
import { FLEET } from './options.ts'

/** A member's map as values. */
export interface PartContent { readonly inventory?: { readonly at: number, readonly value: Inventory }, readonly entries: Entries }

/** Values to Yjs updates and back. A received update is only read: what enters a document is written anew from its values. */
export interface PartCodec {
  /** The one update for this content. Throws FleetError FLEET_FULL when it is too large to travel. */
  encode: (operator: Address, content: PartContent) => Uint8Array
  /** Reads a foreign update. Throws FleetError FLEET_PART unless `encode` would have written these very bytes. */
  decode: (operator: Address, update: Uint8Array) => PartContent
  /** The state of one Yjs document with every member's map. */
  encodeDocument: (parts: Iterable<readonly [Address, PartContent]>) => Uint8Array
}

const INVENTORY_KEY = 'inventory'
const PRICE = /^price(?:\/0x[0-9a-f]{40})?$/
const STATE = /^state\/0x[0-9a-f]{40}$/

/** Yjs costs memory, so it is loaded by nodes of a fleet only. */
export async function loadPartCodec (): Promise<PartCodec> {
  const yjs = await import('yjs')

  const encode: PartCodec['encode'] = (operator, content) => {
    const doc = new yjs.Doc()
    doc.clientID = clientIdOf(operator)
    const values = new Map<string, unknown>([...(content.inventory === undefined ? [] : [[INVENTORY_KEY, content.inventory] as const]), ...content.entries])
    doc.transact(() => {
      const map = doc.getMap(operator)
      for (const key of [...values.keys()].sort()) map.set(key, ordered(values.get(key)))
    })
    const update = yjs.encodeStateAsUpdate(doc)
    doc.destroy()
    if (update.length > MAX_UPDATE_BYTES) throw new FleetError('FLEET_FULL', `this node's part of the fleet document has ${update.length} bytes, limit ${MAX_UPDATE_BYTES}`, { data: { bytes: update.length, limit: MAX_UPDATE_BYTES }, hint: 'Offer the machine in fewer units.' })
    return update
  }
  const decode: PartCodec['decode'] = (operator, update) => {
    const content = toContent(readItems(yjs, update))
    // Leaves no room for foreign clients, gaps, deletes, nested types or trailing bytes: they would be written differently, or not at all.
    if (!equals(encode(operator, content), update)) throw partError('the update is not in its one form')
    return content
  }
  return {
    encode,
    decode,
    encodeDocument: (parts) => {
      const doc = new yjs.Doc()
      for (const [operator, content] of parts) yjs.applyUpdate(doc, encode(operator, content))
      const state = yjs.encodeStateAsUpdate(doc)
      doc.destroy()
      return state
    }
  }
}

/** The values of an update's items by key, without a document: nothing in it takes effect. */
function readItems (yjs: typeof Yjs, update: Uint8Array): Map<string, unknown> {
  let structs: ReturnType<typeof Yjs.decodeUpdate>['structs']
  try {
    ({ structs } = yjs.decodeUpdate(update))
  } catch (error) {
    throw partError(`not a Yjs update: ${errorMessage(error)}`, error)
  }
  if (structs.length > FLEET.maxItems) throw partError(`${structs.length} items, limit ${FLEET.maxItems}`)
  const values = new Map<string, unknown>()
  for (const struct of structs) {
    if (!(struct instanceof yjs.Item) || struct.parentSub === null || !(struct.content instanceof yjs.ContentAny)) throw partError('the update holds more than plain values of a map')
    values.set(struct.parentSub, struct.content.arr[0])
  }
  return values
}

function toContent (values: ReadonlyMap<string, unknown>): PartContent {
  const entries = new Map<string, Entry>()
  let inventory: PartContent['inventory']
  try {
    for (const [key, value] of values) {
      if (key === INVENTORY_KEY) inventory = parseShape(inventoryEntryShape, value, key)
      else if (PRICE.test(key)) entries.set(key, parseShape(priceEntryShape, value, key))
      else if (STATE.test(key)) entries.set(key, parseShape(stateEntryShape, value, key))
      else throw partError(`there is no such key as ${key.slice(0, 64)}`)
    }
  } catch (error) {
    throw error instanceof FleetError ? error : partError(errorMessage(error), error)
  }
  return { entries, ...(inventory === undefined ? {} : { inventory }) }
}

/** The same value with the keys of its objects in ascending order, so that equal values have equal bytes. */
function ordered (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, inner]) => [key, ordered(inner)]))
}

function partError (message: string, cause?: unknown): FleetError {
  return new FleetError('FLEET_PART', message, cause === undefined ? {} : { cause })
}
