import type { z } from 'zod'

/** What a message's shape asks for, without zod around it: checks of values and of their encodings are compiled from it. */
export type Plan =
  | { type: 'text', min: number, max: number, patterns: readonly RegExp[] }
  | { type: 'number', isInteger: boolean, min: number, max: number }
  | { type: 'boolean' }
  | { type: 'oneOf', values: readonly unknown[] }
  | { type: 'list', item: Plan, min: number, max: number }
  | { type: 'object', fields: ReadonlyArray<readonly [name: string, plan: Plan]> }
  | { type: 'anyOf', options: readonly Plan[] }

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

/** Undefined for shapes that use what is not known here. */
export function planOf (shape: z.ZodType): Plan | undefined {
  const definition = shape._zod.def as unknown as Definition
  const checks = (definition.checks ?? []).map(({ _zod }) => _zod.def)
  if (definition.type === 'string') return textPlan(checks)
  if (definition.type === 'number') return numberPlan(checks)
  if (definition.type === 'array') return listPlan(definition, checks)
  if (checks.length > 0) return undefined
  switch (definition.type) {
    case 'boolean': return { type: 'boolean' }
    case 'enum': return { type: 'oneOf', values: Object.values(definition.entries ?? {}) }
    case 'literal': return { type: 'oneOf', values: definition.values ?? [] }
    case 'object': return objectPlan(definition)
    case 'union': {
      const options = (definition.options ?? []).map(planOf)
      return areKnown(options) ? { type: 'anyOf', options } : undefined
    }
    default: return undefined
  }
}

function textPlan (checks: readonly CheckDefinition[]): Plan | undefined {
  const patterns: RegExp[] = []
  const plan = { type: 'text' as const, min: 0, max: Number.POSITIVE_INFINITY, patterns }
  for (const { check, format, pattern, minimum = 0, maximum = 0 } of checks) {
    if (check === 'string_format' && format === 'regex' && pattern !== undefined && !pattern.global && !pattern.sticky) patterns.push(pattern)
    else if (check === 'min_length') plan.min = Math.max(plan.min, minimum)
    else if (check === 'max_length') plan.max = Math.min(plan.max, maximum)
    else return undefined
  }
  return plan
}

function numberPlan (checks: readonly CheckDefinition[]): Plan | undefined {
  const plan = { type: 'number' as const, isInteger: false, min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY }
  for (const { check, format, value = 0, inclusive } of checks) {
    if (check === 'number_format' && format === 'safeint') plan.isInteger = true
    else if (check === 'greater_than' && inclusive === true) plan.min = Math.max(plan.min, value)
    else if (check === 'less_than' && inclusive === true) plan.max = Math.min(plan.max, value)
    else return undefined
  }
  return plan
}

function listPlan ({ element }: Definition, checks: readonly CheckDefinition[]): Plan | undefined {
  const item = element === undefined ? undefined : planOf(element)
  if (item === undefined) return undefined
  const plan = { type: 'list' as const, item, min: 0, max: Number.POSITIVE_INFINITY }
  for (const { check, minimum = 0, maximum = 0 } of checks) {
    if (check === 'min_length') plan.min = Math.max(plan.min, minimum)
    else if (check === 'max_length') plan.max = Math.min(plan.max, maximum)
    else return undefined
  }
  return plan
}

/** Strict objects only: every field there, and no other. */
function objectPlan ({ shape = {}, catchall }: Definition): Plan | undefined {
  const plans = Object.values(shape).map(planOf)
  if (catchall?._zod.def.type !== 'never' || !areKnown(plans)) return undefined
  return { type: 'object', fields: Object.keys(shape).map((name, index) => [name, plans[index] as Plan]) }
}

function areKnown (plans: ReadonlyArray<Plan | undefined>): plans is readonly Plan[] {
  return !plans.includes(undefined)
}
