import tseslint from 'typescript-eslint'

/** Layers of src/, lowest first. A folder imports what lies below it; siblings among the adapters and in the market see each other's types only. */
const LAYERS = [
  ['core'], ['wire'],
  ['identity', 'mesh', 'store', 'chain'],
  ['book', 'match', 'deal', 'exec', 'verify', 'registry', 'fleet', 'economy'],
  ['roles'],
  ['config'], ['api'], ['node'], ['cli']
]

/** Places in LAYERS of what talks to the outside, and of the market's own logic. */
const ADAPTERS = 2
const MARKET = 3

/** The table of README.md as lint rules: for each folder what it may not import, and what it may import as types only. */
function importRules () {
  const all = LAYERS.flat()
  return LAYERS.flatMap((layer, level) => layer.map((folder) => {
    const above = LAYERS.slice(level + 1).flat()
    const siblings = level === ADAPTERS || level === MARKET ? layer.filter((other) => other !== folder) : []
    const adapters = level === MARKET ? LAYERS[ADAPTERS] : []
    const banned = folder === 'api' ? [...above, ...LAYERS[ADAPTERS], 'config'] : above
    const typesOnly = all.filter((other) => siblings.includes(other) || adapters.includes(other))
    const toGroup = (folders) => folders.flatMap((other) => [`../${other}/**`, `../../${other}/**`, `../../../${other}/**`])
    const patterns = [
      ...(banned.length > 0 ? [{ group: toGroup(banned), message: `src/${folder} may not import from a layer above it (README, "Where things are").` }] : []),
      ...(typesOnly.length > 0 ? [{ group: toGroup(typesOnly), allowTypeImports: true, message: `src/${folder} may import only types from there; a role joins the parts.` }] : [])
    ]
    return { files: [`src/${folder}/**/*.ts`], rules: patterns.length > 0 ? { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] } : {} }
  }))
}

export default tseslint.config(
  { ignores: ['dist/**', 'dist.partial/**', 'node_modules/**', 'contracts/**', 'modules/**', 'src/chain/bindings/**', '.tap/**', 'stubs/**', '**/*.d.ts'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      eqeqeq: 'error',
      'no-empty': ['error', { allowEmptyCatch: false }]
    }
  },
  // tap's t.test returns a promise that tap itself waits for.
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
  { files: ['src/**/*.ts'], ignores: ['src/config/**', 'src/cli/**', 'src/exec/wasm/**'], rules: { 'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'process.env is read only in config/.' }] } },
  ...importRules()
)
