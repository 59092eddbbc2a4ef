import type { z } from 'zod'
import { encodeCbor } from './cbor.ts'
import { decodeFast, UNKNOWN } from './cbor-fast.ts'
import { MAJOR, readHead, type Cursor } from './cbor-head.ts'
import { planOf, type Plan } from './shape-plan.ts'

/** Whether what stands at the cursor is certainly canonical CBOR of the plan; the cursor is then behind it. */
type Walk = (cursor: Cursor) => boolean
/** Reads fields of a document that is certainly of its shape; undefined for any other. */
export type FieldReader<F> = (bytes: Uint8Array) => F | undefined

/**
 * Compiles an object's shape into a reader of some of its fields that walks the encoding and makes no value of the others: most
 * bodies are only checked, and made into objects three times as dear. What it does not take is decoded and parsed, which says what is wrong.
 */
export function compileFields<S extends z.ZodType, F extends keyof z.output<S> & string> (shape: S, wanted: readonly F[]): FieldReader<Pick<z.output<S>, F>> {
  const plan = planOf(shape)
  if (plan?.type !== 'object') return () => undefined
  const fields = inOrder(plan.fields).map(({ name, key, walk }) => ({ key, walk, wanted: wanted.find((each) => each === name) }))
  return (bytes) => {
    const cursor = { bytes, at: 0, end: bytes.length }
    const found: Partial<Record<F, unknown>> = {}
    if (readHead(cursor, MAJOR.map) !== fields.length) return undefined
    for (const { key, walk, wanted } of fields) {
      if (!isNext(cursor, key)) return undefined
      const from = cursor.at
      if (!walk(cursor)) return undefined
      if (wanted === undefined) continue
      const value = decodeFast(bytes, false, from, cursor.at)
      if (value === UNKNOWN) return undefined
      found[wanted] = value
    }
    return cursor.at === bytes.length ? found as Pick<z.output<S>, F> : undefined
  }
}

/** Whether these bytes come next; the cursor is then behind them. */
function isNext (cursor: Cursor, wanted: Uint8Array): boolean {
  const { bytes, at } = cursor
  for (let index = 0; index < wanted.length; index++) if (bytes[at + index] !== wanted[index]) return false
  cursor.at = at + wanted.length
  return true
}

function walkOf (plan: Plan): Walk {
  switch (plan.type) {
    case 'text': return walkText(plan)
    case 'number': {
      const { min, max } = plan
      return (cursor) => {
        const value = readHead(cursor, MAJOR.uint)
        return value >= 0 && value >= min && value <= max
      }
    }
    case 'boolean': return (cursor) => {
      const head = cursor.bytes[cursor.at++]
      return head === 0xf4 || head === 0xf5
    }
    case 'oneOf': {
      const encodings = plan.values.flatMap((value) => typeof value === 'string' ? [encodeCbor(value)] : [])
      return (cursor) => encodings.some((encoding) => isNext(cursor, encoding))
    }
    case 'list': return walkList(plan)
    case 'object': return walkObject(plan)
    case 'anyOf': {
      const options = plan.options.map(walkOf)
      return (cursor) => {
        const { at } = cursor
        return options.some((walk) => {
          cursor.at = at
          return walk(cursor)
        })
      }
    }
  }
}

/** ASCII only: other text has another length than bytes. */
function walkText ({ min, max, patterns }: Plan & { type: 'text' }): Walk {
  /** What the patterns took last, and its encoding: one author's keys and one network's zeros come again and again. */
  let last = new Uint8Array(0)
  return (cursor) => {
    const { bytes, at } = cursor
    if (last.length > 0 && isNext(cursor, last)) return true
    const length = readHead(cursor, MAJOR.text)
    const start = cursor.at
    const end = start + length
    if (length < min || length > max || end > cursor.end) return false
    for (let index = start; index < end; index++) if ((bytes[index] as number) > 0x7f) return false
    cursor.at = end
    if (patterns.length === 0) return true
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1')
    if (!patterns.every((pattern) => pattern.test(text))) return false
    last = bytes.slice(at, end)
    return true
  }
}

function walkList ({ item, min, max }: Plan & { type: 'list' }): Walk {
  const walk = walkOf(item)
  return (cursor) => {
    const count = readHead(cursor, MAJOR.array)
    if (count < min || count > max) return false
    for (let index = 0; index < count; index++) if (!walk(cursor)) return false
    return true
  }
}

function walkObject ({ fields }: Plan & { type: 'object' }): Walk {
  const ordered = inOrder(fields)
  return (cursor) => {
    if (readHead(cursor, MAJOR.map) !== ordered.length) return false
    for (let index = 0; index < ordered.length; index++) {
      const { key, walk } = ordered[index] as (typeof ordered)[number]
      if (!isNext(cursor, key) || !walk(cursor)) return false
    }
    return true
  }
}

/** Fields as they are encoded: the shorter key first, then by its bytes. */
function inOrder (fields: (Plan & { type: 'object' })['fields']): Array<{ name: string, key: Uint8Array, walk: Walk }> {
  return fields.map(([name, plan]) => ({ name, key: encodeCbor(name), walk: walkOf(plan) })).sort((a, b) => Buffer.compare(a.key, b.key))
}
