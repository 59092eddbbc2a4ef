// Whether the build in dist/ is at least as new as every source it was made from. Node built-ins only.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const newest = (folder) => Math.max(...readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs))

/** True in an installed package, which has no sources, and in a checkout that was built after its last change. */
export function isBuilt (root) {
  const build = join(root, 'dist', 'main.js')
  if (!existsSync(build)) return false
  const sources = join(root, 'src')
  return !existsSync(sources) || newest(sources) <= statSync(build).mtimeMs
}
