import type { Logger } from '../core/logger.ts'
import type { Engine } from './engine.ts'
import { MatchError } from './errors.ts'

/** Every engine by name. Each is loaded when it is first asked for. A new one is a file of its own and a line here. */
const ENGINES: Readonly<Record<string, (components: { logger: Logger }) => Promise<Engine>>> = {
  floor: async () => (await import('./floor.ts')).floorEngine,
  lp: async (components) => (await import('./lp.ts')).createLpEngine(components),
  price: async (components) => {
    const { createSearchEngine, PRICE_ENGINE } = await import('./search-engine.ts')
    return createSearchEngine(components, PRICE_ENGINE)
  },
  highs: async (components) => {
    const { createSearchEngine, HIGHS_ENGINE } = await import('./search-engine.ts')
    return createSearchEngine(components, HIGHS_ENGINE)
  }
}

export const ENGINE_NAMES: readonly string[] = Object.keys(ENGINES)

/** What a solver runs unless it is told otherwise: it is the only one that is good at books of every size. */
export const DEFAULT_ENGINE = 'price'

/** The names of a choice that are neither engines nor paths. */
export function unknownEngines (choice: string): string[] {
  return choice.split(',').filter((name) => !name.includes('/') && !ENGINE_NAMES.includes(name))
}

/**
 * The engine for a choice: names joined by commas, where one with a slash is the path of an executable that speaks protocol/engine.md; several make a portfolio.
 * Throws MatchError ENGINE_UNKNOWN.
 */
export async function createEngine (components: { logger: Logger }, choice: string): Promise<Engine> {
  const engines = await Promise.all([...new Set(choice.split(','))].map(async (name) => {
    if (name.includes('/')) return (await import('./external/engine.ts')).createExternalEngine(components, { command: name, arguments: [] })
    const create = ENGINES[name]
    if (create === undefined || unknownEngines(name).length > 0) throw new MatchError('ENGINE_UNKNOWN', `no engine "${name}": take ${ENGINE_NAMES.join(', ')}, or the path of an executable (with a slash)`, { data: { name } })
    return await create(components)
  }))
  if (engines.length === 1) return engines[0] as Engine
  return (await import('./portfolio.ts')).createPortfolio(components, engines)
}
