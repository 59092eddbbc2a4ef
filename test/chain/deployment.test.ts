import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createClients } from '../../src/chain/clients.ts'
import { loadDeployment, saveDeployment, verifyDeployment } from '../../src/chain/deployment.ts'
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
  await t.rejects(verifyDeployment(clients, { ...deployment, genesisTime: 5 }), { code: 'DEPLOYMENT_MISMATCH', data: { field: 'genesisTime' } })
  await t.rejects(verifyDeployment(clients, { ...deployment, contracts: { ...deployment.contracts, vault: NOBODY } }), { code: 'DEPLOYMENT_MISSING', data: { name: 'vault' } })
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
  await writeFile(path, '{')
  await t.rejects(loadDeployment(path), { code: 'DEPLOYMENT_INVALID' })
})
t.end()
