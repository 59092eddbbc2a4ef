import { accessSync, constants, realpathSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** `bwrap`: own namespaces around the process. `process`: Node's permission model alone. */
export type Isolation = 'bwrap' | 'process'

/** How a child is started: program and arguments; its environment is always empty. */
export interface Launcher {
  readonly isolation: Isolation
  /** For the log. */
  readonly name: 'bwrap' | 'setpriv' | 'node'
  readonly command: string
  readonly args: readonly string[]
}

export interface LauncherOptions {
  /** The child's program; a file in the folder that it may read. */
  readonly entry: string
  /** Files loaded before it (`--import`), readable too. */
  readonly imports: readonly string[]
  /** Directories to look for `bwrap`, `setpriv` and `env` in. */
  readonly searchPath: readonly string[]
  readonly maxMemoryPages: number
}

/** V8's heap in the child: names and buffers' headers; file contents and guest memory lie outside it. */
const MAX_HEAP_MB = 128
/** Compiled code of the guest; V8's own limit is 4 GB. */
const MAX_CODE_MB = 512

/** The ways to start a child on this machine, strongest first. Each must be tried: a tool may be present and not permitted. */
export function findLaunchers (options: LauncherOptions): Launcher[] {
  const node = realpathSync(process.execPath)
  const entry = realpathSync(options.entry)
  const readable = [dirname(entry), ...options.imports]
  const command = [
    '--permission', ...readable.map((path) => `--allow-fs-read=${path}`),
    `--wasm-max-mem-pages=${options.maxMemoryPages}`, `--wasm-max-committed-code-mb=${MAX_CODE_MB}`, `--max-old-space-size=${MAX_HEAP_MB}`,
    '--disallow-code-generation-from-strings', '--no-addons', '--disable-warning=ExperimentalWarning', '--disable-warning=SecurityWarning',
    ...options.imports.map((path) => `--import=${pathToFileURL(path).href}`), entry
  ]
  const launchers: Launcher[] = []
  const bwrap = findProgram('bwrap', options.searchPath)
  if (bwrap !== undefined) launchers.push({ isolation: 'bwrap', name: 'bwrap', command: bwrap, args: [...toBwrapArgs([node, ...readable]), '--', node, ...command] })
  // `env: {}` of spawn is not the last word: test runners and coverage tools patch spawn and add to it.
  const env = findProgram('env', options.searchPath)
  const bare = (program: string, args: readonly string[]): Pick<Launcher, 'command' | 'args'> =>
    env === undefined ? { command: program, args } : { command: env, args: ['-i', program, ...args] }
  // Without namespaces, at least the kernel ends a child whose parent was killed.
  const setpriv = findProgram('setpriv', options.searchPath)
  if (setpriv !== undefined) launchers.push({ isolation: 'process', name: 'setpriv', ...bare(setpriv, ['--pdeathsig', 'SIGKILL', '--no-new-privs', node, ...command]) })
  launchers.push({ isolation: 'process', name: 'node', ...bare(node, command) })
  return launchers
}

/** Own user, network, process, IPC and host-name namespaces; a file system of the C libraries, Node and our code, all read-only. No /proc. */
function toBwrapArgs (paths: readonly string[]): string[] {
  const libraries = ['/lib', '/lib64', '/usr/lib', '/usr/lib64']
  return [
    '--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--uid', '65534', '--gid', '65534', '--clearenv',
    ...libraries.flatMap((path) => ['--ro-bind-try', path, path]), '--dev', '/dev',
    ...paths.flatMap((path) => ['--ro-bind', path, path]), '--chdir', '/'
  ]
}

function findProgram (name: string, searchPath: readonly string[]): string | undefined {
  return searchPath.filter(isAbsolute).map((directory) => join(directory, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/**
 * The files that a NODE_OPTIONS names with `--import`, by absolute path or file URL. Packages are left out: a child
 * may read single files only. Nothing else of the environment reaches a child.
 */
export function importsOfNodeOptions (nodeOptions: string): string[] {
  const words = nodeOptions.split(/\s+/)
  const named = words.flatMap((word, index) => word.startsWith('--import=') ? [word.slice('--import='.length)] : word === '--import' ? words.slice(index + 1, index + 2) : [])
  return named.flatMap((name) => name.startsWith('file:') ? [fileURLToPath(name)] : isAbsolute(name) ? [name] : [])
    .filter((path) => !path.includes('/node_modules/'))
    .map((path) => realpathSync(path))
}
