import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { ABIS, CONTRACT_NAMES } from '../../src/chain/abis.ts'
import { createClients } from '../../src/chain/clients.ts'
import { loadDeployment, saveDeployment, verifyDeployment } from '../../src/chain/deployment.ts'
import { loadParameters } from '../../src/chain/deployment-parameters.ts'
import { GOVERNED, GOVERNED_DEFAULTS, governedValues } from '../../src/chain/governed.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'

let chain: TestChain
t.before(async () => { chain = await startTestChain() })
t.teardown(async () => { await chain.stop() })
const FLIPPED = `0x${'1'.repeat(64)}` as const
const NOBODY = '0x00000000000000000000000000000000000000bb'

t.test('a deployment survives its file and holds on the chain it came from', async (t) => {
  const path = join(t.testdir(), 'deployment.json')
  await saveDeployment(path, chain.deployment)
  const read = await loadDeployment(path)
  t.same(read, chain.deployment)
  await verifyDeployment(chain.clients, read)
})

t.test('each difference is named', async (t) => {
  const { deployment, clients } = chain
  await t.rejects(verifyDeployment(clients, { ...deployment, codeHashes: { ...deployment.codeHashes, court: FLIPPED } }), { code: 'DEPLOYMENT_MISMATCH', data: { field: 'codeHashes.court' } })
  await t.rejects(verifyDeployment(clients, { ...deployment, chainId: 5 }), { code: 'DEPLOYMENT_MISMATCH', data: { field: 'chainId' } })
  const { parameters } = deployment
  await t.rejects(verifyDeployment(clients, { ...deployment, parameters: { ...parameters, unbondSeconds: 5 } }), { code: 'DEPLOYMENT_MISMATCH', data: { field: 'parameters.unbondSeconds', found: 3600 } })
  await t.rejects(verifyDeployment(clients, { ...deployment, parameters: { ...parameters, minMediatorBond: 5 } }), { code: 'DEPLOYMENT_MISMATCH', data: { field: 'parameters.minMediatorBond' } })
  await t.rejects(verifyDeployment(clients, { ...deployment, parameters: { ...parameters, appealJudge: 'timelock' } }), { code: 'DEPLOYMENT_MISMATCH', data: { field: 'parameters.appealJudge' } })
  await t.rejects(verifyDeployment(clients, { ...deployment, parameters: { ...parameters, governed: { ...parameters.governed, windowEpochs: 5 } } }), { code: 'DEPLOYMENT_MISMATCH', data: { field: 'parameters.governed' } })
  await t.rejects(verifyDeployment(clients, { ...deployment, genesisTime: 5 }), { code: 'DEPLOYMENT_MISMATCH', data: { field: 'genesisTime' } })
  await t.rejects(verifyDeployment(clients, { ...deployment, contracts: { ...deployment.contracts, vault: NOBODY } }), { code: 'DEPLOYMENT_MISSING', data: { name: 'vault' } })
})

t.test('a wrong hash or a missing contract is found for every contract', async (t) => {
  const { deployment, clients } = chain
  t.equal(CONTRACT_NAMES.length, 12)
  for (const name of CONTRACT_NAMES) {
    await t.rejects(verifyDeployment(clients, { ...deployment, codeHashes: { ...deployment.codeHashes, [name]: FLIPPED } }), { code: 'DEPLOYMENT_MISMATCH', data: { field: `codeHashes.${name}` } })
    await t.rejects(verifyDeployment(clients, { ...deployment, contracts: { ...deployment.contracts, [name]: NOBODY } }), { code: 'DEPLOYMENT_MISSING', data: { name } })
  }
})

t.test('the governed parameters, their order and their bounds are those of the contract', async (t) => {
  const { deployment, clients: { viem } } = chain
  const params = { address: deployment.contracts.params, abi: ABIS.params } as const
  t.same(await viem.readContract({ ...params, functionName: 'all' }), governedValues(deployment.parameters.governed))
  for (const [index, [name, least, most, usual]] of GOVERNED.entries()) {
    t.same(await viem.readContract({ ...params, functionName: 'bounds', args: [index] }), [BigInt(least), BigInt(most)], name)
    t.ok(least <= usual && usual <= most, name)
  }
  const page = readFileSync(new URL('../../protocol/governance.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| \d+ \| (\w+) \| [^|]+ \| ([\d,e]+) \| ([\d,e]+) \| ([\d,e]+) \|/gm)].map(([, name, ...numbers]) => [name, ...numbers.map((text) => Number(text.replaceAll(',', '')))])
  t.same(rows, GOVERNED, 'and those of the page')
})

t.test('code replaced on chain is found', async (t) => {
  const { deployment, clients } = chain
  const code = await clients.request<string>('eth_getCode', [deployment.contracts.vault, 'latest'])
  await clients.request('anvil_setCode', [deployment.contracts.vault, `${code}00`])
  await t.rejects(verifyDeployment(clients, deployment), { code: 'DEPLOYMENT_MISMATCH', data: { field: 'codeHashes.vault' } })
  await clients.request('anvil_setCode', [deployment.contracts.vault, code])
  await verifyDeployment(clients, deployment)
})

t.test('a node does not start on a wrong chain', async (t) => {
  await t.rejects(chain.chainFor(namedSigner('x'), { deployment: { ...chain.deployment, chainId: 77 } }), { code: 'CHAIN_WRONG_ID', data: { url: chain.rpcUrl } })
  await t.rejects(chain.chainFor(namedSigner('x'), { deployment: { ...chain.deployment, codeHashes: { ...chain.deployment.codeHashes, token: FLIPPED } } }), { code: 'DEPLOYMENT_MISMATCH' })
  const down = createClients({ rpcUrls: ['http://127.0.0.1:9'], chainId: 1, requestTimeoutMs: 500 })
  await t.rejects(verifyDeployment(down, chain.deployment), { code: 'CHAIN_UNREACHABLE' })
})

t.test('a file that is no deployment names the field', async (t) => {
  const path = join(t.testdir(), 'deployment.json')
  await writeFile(path, JSON.stringify({ ...chain.deployment, startBlock: -1 }))
  await t.rejects(loadDeployment(path), { code: 'DEPLOYMENT_INVALID', message: /startBlock/ })
  const { governed, ...parameters } = chain.deployment.parameters
  await writeFile(path, JSON.stringify({ ...chain.deployment, parameters: { ...parameters, governed: { ...governed, votingDelay: 1 } } }))
  await t.rejects(loadDeployment(path), { code: 'DEPLOYMENT_INVALID', message: /parameters\.governed\.votingDelay/ })
  await writeFile(path, '{')
  await t.rejects(loadDeployment(path), { code: 'DEPLOYMENT_INVALID' })
})

t.test('a parameter file says what differs from the defaults, within the bounds', async (t) => {
  const path = join(t.testdir(), 'parameters.json')
  await writeFile(path, JSON.stringify({ unbondSeconds: 99, appealJudge: 'none', governed: { epochBudget: 0 } }))
  t.same(await loadParameters(path), { unbondSeconds: 99, minMediatorBond: 1e12, appealJudge: 'none', governed: { ...GOVERNED_DEFAULTS, epochBudget: 0 } })
  await writeFile(path, JSON.stringify({ governed: { epochBudget: 1e16 } }))
  await t.rejects(loadParameters(path), { code: 'DEPLOYMENT_INVALID', message: /governed\.epochBudget/ })
})
t.end()
