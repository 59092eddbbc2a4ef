import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runDeploy } from '../../src/cli/commands/deploy.ts'
import { createOutput } from '../../src/cli/output.ts'
import { ABIS } from '../../src/chain/abis.ts'
import { loadDeployment, verifyDeployment, type Deployment } from '../../src/chain/deployment.ts'
import { openKey } from '../../src/node/keys.ts'
import { startTestChain, type TestChain } from '../support/chain.ts'

let chain: TestChain
t.before(async () => { chain = await startTestChain() })
t.teardown(async () => { await chain.stop() })

async function say (root: string, flags: Record<string, unknown>): Promise<string> {
  const out: string[] = []
  const output = createOutput({ json: true, stdout: (text) => { out.push(String(text)) }, stderr: () => undefined })
  await runDeploy({ args: [], flags, output, root, signal: new AbortController().signal })
  return out.join('')
}

t.test('one command deploys the contracts and writes the file that nodes join with', async (t) => {
  const root = t.testdir()
  const [path, parameters] = [join(root, 'out.json'), join(root, 'parameters.json')]
  const holder = '0x00000000000000000000000000000000000000aa'
  writeFileSync(parameters, JSON.stringify({ unbondSeconds: 1_036_802, governed: { windowEpochs: 8 } }))
  const signer = await openKey(root)
  await chain.fund(signer.address)
  const said = JSON.parse(await say(root, { rpc: chain.rpcUrl, out: path, parameters, holder })) as Deployment
  const read = await loadDeployment(path)
  t.same(read, said)
  t.equal(read.parameters.unbondSeconds, 1_036_802)
  t.equal(read.parameters.governed.windowEpochs, 8)
  await verifyDeployment(chain.clients, read)
  const { token, timelock, court } = read.contracts
  t.equal((await chain.clients.viem.readContract({ address: court, abi: ABIS.court, functionName: 'APPEAL_JUDGE' })).toLowerCase(), timelock, 'votes decide appeals unless the parameters say otherwise')
  t.equal(await chain.clients.viem.readContract({ address: token, abi: ABIS.token, functionName: 'balanceOf', args: [holder] }), 10n ** 18n)
  await t.rejects(say(root, { rpc: chain.rpcUrl, out: path }), { code: 'CLI_FILE', data: { path } }, 'a file is not written over')
  await t.rejects(say(root, {}), { code: 'USAGE_INVALID' })
  writeFileSync(parameters, JSON.stringify({ unbondSeconds: 1_036_800 }))
  await t.rejects(say(root, { rpc: chain.rpcUrl, out: join(root, 'other.json'), parameters }), { code: 'DEPLOYMENT_INVALID', message: /a vote takes 518400 s and its judge has half of unbondSeconds/ })
  const node = await chain.chainFor(signer, { deployment: read })
  t.equal(node.deployment.contracts.market, read.contracts.market, 'a node joins with it')
})
t.end()
