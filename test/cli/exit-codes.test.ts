import { readFile } from 'node:fs/promises'
import t from 'tap'
import { EXIT, exitCodeOf } from '../../src/cli/exit-codes.ts'
import { CodedError } from '../../src/core/errors.ts'

const read = async (page: string): Promise<string> => await readFile(new URL(`../../protocol/${page}`, import.meta.url), 'utf8')

t.test('the page lists every exit code there is, and no other', async (t) => {
  const listed = [...(await read('cli.md')).matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
  t.same(listed, Object.values(EXIT))
})

t.test('what a user can cause has an exit code of its own, not the one of a fault', async (t) => {
  const codes = [...(await read('errors.md')).matchAll(/`([A-Z]+(?:_[A-Z0-9]+)+)`/g)].map(([, code]) => code ?? '')
  const reachable = codes.filter((code) => /^(USAGE|CLI|CONFIG|IDENTITY|REGISTRY|JOB|NODE|API|STORE|CHAIN|DEPLOYMENT|MESH|FLEET|DEVNET_NOT)_/.test(code) && code !== 'NODE_TOO_OLD')
  t.ok(reachable.length > 50)
  for (const code of reachable) t.not(exitCodeOf(new CodedError(code, '')), EXIT.internal, code)
})

t.test('money, conflicts and refusals', async (t) => {
  const exits: ReadonlyArray<[string, number]> = [
    ['NODE_UNFUNDED', EXIT.money], ['CHAIN_NO_GAS_MONEY', EXIT.money], ['CHAIN_REVERTED', EXIT.money], ['IDENTITY_KEY_MISSING', EXIT.money], ['NODE_FAULT_REFUSED', EXIT.usage], ['ROLE_NOT_RUNNING', EXIT.usage],
    ['CHAIN_DATA_LOCKED', EXIT.conflict], ['STORE_CORRUPT', EXIT.conflict], ['STORE_NOT_FOUND', EXIT.notFound], ['JOB_MODULE_UNAVAILABLE', EXIT.notFound], ['JOB_BOUND', EXIT.usage], ['JOB_OVER', EXIT.usage],
    ['JOB_ATTEMPTS_USED', EXIT.timedOut], ['DEPLOYMENT_MISSING', EXIT.unreachable], ['DEMO_RUN_FAILED', EXIT.checkFailed], ['CLI_INTERRUPTED', EXIT.interrupted],
    ['FLEET_UNKNOWN_NODE', EXIT.notFound], ['FLEET_NONE', EXIT.usage]
  ]
  for (const [code, exit] of exits) t.equal(exitCodeOf(new CodedError(code, '')), exit, code)
})
