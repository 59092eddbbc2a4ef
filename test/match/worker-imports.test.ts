import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import t from 'tap'

/** All that a module loads when it is loaded, by its import statements; types are not loaded. */
function loadedBy (url: URL, seen = new Set<string>()): Set<string> {
  for (const [, specifier] of readFileSync(url, 'utf8').matchAll(/^(?:import|export) (?!type ).*?from '(.*)'$/gm)) {
    const name = specifier as string
    const at = name.startsWith('.') ? new URL(name, url).href : name
    if (seen.has(at)) continue
    seen.add(at)
    if (name.startsWith('.')) loadedBy(new URL(at), seen)
  }
  return seen
}

t.test('a worker that searches loads no library: a solver\'s first search waits for it to start', async (t) => {
  const loaded = loadedBy(new URL('../../src/match/price-worker.ts', import.meta.url))
  t.ok([...loaded].some((module) => module.endsWith('/search/search.ts')), 'the search is found')
  t.same([...loaded].filter((module) => !module.startsWith('file:') && !module.startsWith('node:') && !builtinModules.includes(module)), [])
})
