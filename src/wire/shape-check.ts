import type { z } from 'zod'
import { planOf, type Plan } from './shape-plan.ts'

/** True only for what the shape certainly takes, as it stands. */
export type Check = (value: unknown) => boolean

/**
 * Compiles a shape into a plain predicate, ten times as fast as parsing. `undefined` for shapes that use what is not known here; what
 * the predicate refuses is parsed, so that zod says what is wrong.
 */
export function compileShape (shape: z.ZodType): Check | undefined {
  const plan = planOf(shape)
  return plan === undefined ? undefined : checkOf(plan)
}

function checkOf (plan: Plan): Check {
  switch (plan.type) {
    case 'text': return textCheck(plan)
    case 'number': {
      const { isInteger, min, max } = plan
      return (value) => typeof value === 'number' && value >= min && value <= max && (!isInteger || Number.isSafeInteger(value))
    }
    case 'boolean': return (value) => typeof value === 'boolean'
    case 'oneOf': return (value) => plan.values.includes(value)
    case 'list': return listCheck(plan)
    case 'object': return objectCheck(plan)
    case 'anyOf': {
      const options = plan.options.map(checkOf)
      return (value) => options.some((check) => check(value))
    }
  }
}

function textCheck ({ min, max, patterns }: Plan & { type: 'text' }): Check {
  const [pattern, ...rest] = patterns
  return (value) => typeof value === 'string' && value.length >= min && value.length <= max && pattern?.test(value) !== false && (rest.length === 0 || rest.every((other) => other.test(value)))
}

function listCheck ({ item, min, max }: Plan & { type: 'list' }): Check {
  const check = checkOf(item)
  return (value) => {
    if (!Array.isArray(value) || value.length < min || value.length > max) return false
    for (let index = 0; index < value.length; index++) if (!check(value[index])) return false
    return true
  }
}

function objectCheck ({ fields }: Plan & { type: 'object' }): Check {
  const names = fields.map(([name]) => name)
  const checks = fields.map(([, plan]) => checkOf(plan))
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    let count = 0
    for (const _ in value) count++
    if (count !== names.length) return false
    for (let index = 0; index < names.length; index++) {
      if (!(checks[index] as Check)((value as Record<string, unknown>)[names[index] as string])) return false
    }
    return true
  }
}
