import type { z } from 'zod'

/** True only for what the shape certainly takes, as it stands. */
export type Check = (value: unknown) => boolean

/** The parts of zod's definitions that message shapes are made of (zod's `_zod.def`, its interface for libraries). */
interface Definition {
  type: string
  checks?: ReadonlyArray<{ _zod: { def: CheckDefinition } }>
  shape?: Record<string, z.ZodType>
  catchall?: z.ZodType
  element?: z.ZodType
  options?: readonly z.ZodType[]
  entries?: Record<string, string>
  values?: readonly unknown[]
}
interface CheckDefinition { check: string, format?: string, pattern?: RegExp, minimum?: number, maximum?: number, value?: number, inclusive?: boolean }

const NONE: ReadonlyArray<{ _zod: { def: CheckDefinition } }> = []

/**
 * Compiles a shape into a plain predicate, ten times as fast as parsing: bodies of records are checked before their
 * signatures, at a cost that must not count beside them. `undefined` for shapes that use what is not known here; what the
 * predicate refuses is parsed, so that zod says what is wrong.
 */
export function compileShape (shape: z.ZodType): Check | undefined {
  const definition = shape._zod.def as unknown as Definition
  const checks = (definition.checks ?? NONE).map(({ _zod }) => _zod.def)
  switch (definition.type) {
    case 'string': return all((value) => typeof value === 'string', checks.map(stringCheck))
    case 'number': return all((value) => typeof value === 'number', checks.map(numberCheck))
    case 'boolean': return checks.length === 0 ? (value) => typeof value === 'boolean' : undefined
    case 'enum': return checks.length === 0 ? oneOf(Object.values(definition.entries ?? {})) : undefined
    case 'literal': return checks.length === 0 ? oneOf(definition.values ?? []) : undefined
    case 'array': return arrayCheck(definition, checks)
    case 'object': return checks.length === 0 ? objectCheck(definition) : undefined
    case 'union': return checks.length === 0 ? anyOf((definition.options ?? []).map(compileShape)) : undefined
    default: return undefined
  }
}

function all (first: Check, rest: ReadonlyArray<Check | undefined>): Check | undefined {
  if (!isKnown(rest)) return undefined
  const [a, b, c, d] = rest
  // Unrolled: a loop over closures is what makes validators slow.
  if (a === undefined) return first
  if (b === undefined) return (value) => first(value) && a(value)
  if (c === undefined) return (value) => first(value) && a(value) && b(value)
  if (d === undefined) return (value) => first(value) && a(value) && b(value) && c(value)
  return (value) => first(value) && rest.every((check) => check(value))
}

function anyOf (options: ReadonlyArray<Check | undefined>): Check | undefined {
  return isKnown(options) ? (value) => options.some((check) => check(value)) : undefined
}

function oneOf (values: readonly unknown[]): Check {
  return (value) => values.includes(value)
}

function stringCheck ({ check, format, pattern, minimum = 0, maximum = 0 }: CheckDefinition): Check | undefined {
  if (check === 'string_format' && format === 'regex' && pattern !== undefined && !pattern.global && !pattern.sticky) return (value) => pattern.test(value as string)
  if (check === 'min_length') return (value) => (value as string).length >= minimum
  if (check === 'max_length') return (value) => (value as string).length <= maximum
  return undefined
}

function numberCheck ({ check, format, value: bound = 0, inclusive }: CheckDefinition): Check | undefined {
  if (check === 'number_format' && format === 'safeint') return Number.isSafeInteger
  if (check === 'greater_than' && inclusive === true) return (value) => (value as number) >= bound
  if (check === 'less_than' && inclusive === true) return (value) => (value as number) <= bound
  return undefined
}

function arrayCheck ({ element }: Definition, checks: readonly CheckDefinition[]): Check | undefined {
  const item = element === undefined ? undefined : compileShape(element)
  let least = 0
  let most = Number.POSITIVE_INFINITY
  for (const { check, minimum = 0, maximum = 0 } of checks) {
    if (check === 'min_length') least = Math.max(least, minimum)
    else if (check === 'max_length') most = Math.min(most, maximum)
    else return undefined
  }
  if (item === undefined) return undefined
  return (value) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) return false
    for (let index = 0; index < value.length; index++) if (!item(value[index])) return false
    return true
  }
}

/** Strict objects only: every field there, and no other. */
function objectCheck ({ shape = {}, catchall }: Definition): Check | undefined {
  const names = Object.keys(shape)
  const checks = Object.values(shape).map(compileShape)
  if (catchall?._zod.def.type !== 'never' || !isKnown(checks)) return undefined
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    let fields = 0
    for (const _ in value) fields++
    if (fields !== names.length) return false
    for (let index = 0; index < names.length; index++) {
      if (!(checks[index] as Check)((value as Record<string, unknown>)[names[index] as string])) return false
    }
    return true
  }
}

function isKnown (checks: ReadonlyArray<Check | undefined>): checks is readonly Check[] {
  return !checks.includes(undefined)
}
