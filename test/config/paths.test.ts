import { homedir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { childEnvironment, dataPaths, dataRoot, environmentKey, networkPaths } from '../../src/config/paths.ts'
import { address } from '../deal/deals.ts'

/** Sets variables for one test. */
function setEnvironment (t: { teardown: (restore: () => void) => void }, values: Record<string, string | undefined>): void {
  const before = Object.fromEntries(Object.keys(values).map((name) => [name, process.env[name]]))
  const apply = (wanted: Record<string, string | undefined>): void => {
    for (const [name, value] of Object.entries(wanted)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
  apply(values)
  t.teardown(() => { apply(before) })
}

t.test('the data folder: flag, then LILYNODE_DATA, then DATA_DIR, then the home folder', async (t) => {
  setEnvironment(t, { LILYNODE_DATA: '/own', DATA_DIR: '/lilypad' })
  t.equal(dataRoot('/flag'), '/flag')
  t.equal(dataRoot(undefined), '/own')
  delete process.env['LILYNODE_DATA']
  t.equal(dataRoot(undefined), '/lilypad')
  delete process.env['DATA_DIR']
  t.equal(dataRoot(undefined), join(homedir(), '.lilynode'))
  t.equal(dataRoot('relative'), join(process.cwd(), 'relative'))
})

t.test('everything of a node lies in its folder', async (t) => {
  const paths = dataPaths('/data')
  for (const path of Object.values(paths)) t.ok(path.startsWith('/data'), path)
  t.equal(new Set(Object.values(paths)).size, Object.keys(paths).length)
  const [one, other, twin] = [networkPaths('/data', { chainId: 1, market: address(1) }), networkPaths('/data', { chainId: 2, market: address(1) }), networkPaths('/data', { chainId: 1, market: address(2) })]
  t.equal(new Set([one, other, twin].flatMap((each) => Object.values(each))).size, 9, 'each deployment has its own')
})

t.test('a key from the environment is read here and goes to no child', async (t) => {
  setEnvironment(t, { WEB3_PRIVATE_KEY: 'secret', LILY_OTHER: 'kept' })
  t.equal(environmentKey(), 'secret')
  t.equal(childEnvironment()['WEB3_PRIVATE_KEY'], undefined)
  t.equal(childEnvironment()['LILY_OTHER'], 'kept')
})
