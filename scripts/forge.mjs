// Runs forge on contracts/ with the project's Node first on the PATH, so that the solc shim's
// `#!/usr/bin/env node` finds it: `node scripts/forge.mjs test [-vv ...]`.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const packaged = join(root, `node_modules/@foundry-rs/forge-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}/bin/forge`)
const forge = existsSync(packaged) ? packaged : 'forge'

// The root is the repository, so that imports never climb out of it with '..'.
const run = spawnSync(forge, [...process.argv.slice(2), '--root', root], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter),
    FOUNDRY_CONFIG: join(root, 'contracts/foundry.toml'),
    FOUNDRY_DISABLE_NIGHTLY_WARNING: '1'
  }
})
if (run.error !== undefined) console.error(`forge did not start: ${run.error.message}`)
process.exitCode = run.status ?? 1
