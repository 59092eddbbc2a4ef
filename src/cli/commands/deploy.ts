import { access } from 'node:fs/promises'
import { hexToNumber, type Hex } from 'viem'
import { createClients } from '../../chain/clients.ts'
import { deploy } from '../../chain/deploy.ts'
import { saveDeployment, verifyDeployment } from '../../chain/deployment.ts'
import { DEFAULT_PARAMETERS, loadParameters } from '../../chain/deployment-parameters.ts'
import { PUBLIC_TUNING } from '../../chain/options.ts'
import { createSystemClock } from '../../core/clock.ts'
import { openKey } from '../../node/keys.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { numberFlag, parseAddress, textFlag, type CommandRun } from './context.ts'

const POLL_MS = 500

/** `lilynode deploy --rpc URL`: the whole set of contracts, verified as nodes verify it, and its file. */
export const runDeploy: CommandRun = async (context) => {
  const { output, root, signal } = context
  const rpc = textFlag(context, 'rpc')
  if (rpc === undefined) throw new CliError('USAGE_INVALID', 'deploy needs --rpc', { data: { flag: 'rpc' }, hint: 'Name the chain, as --rpc http://127.0.0.1:8545.' })
  const path = textFlag(context, 'out') ?? 'deployment.json'
  if (await access(path).then(() => true, () => false)) throw new CliError('CLI_FILE', `${path} exists`, { data: { path }, hint: 'A deployment file is not written over: name another with --out.' })
  const parametersPath = textFlag(context, 'parameters')
  const parameters = parametersPath === undefined ? DEFAULT_PARAMETERS : await loadParameters(parametersPath)
  const holder = textFlag(context, 'holder')
  const timeoutMs = 1000 * numberFlag(context, 'wait', { min: 1, max: 86_400, fallback: 600 })
  const signer = await openKey(root)
  const options = { rpcUrls: [rpc], requestTimeoutMs: PUBLIC_TUNING.requestTimeoutMs }
  const chainId = hexToNumber(await createClients({ ...options, chainId: 0 }).request<Hex>('eth_chainId', []))
  const clients = createClients({ ...options, chainId })
  output.progress(`deploying to chain ${chainId} as ${signer.address}`)
  const deployment = await deploy({ clients, signer, clock: createSystemClock() }, {
    parameters, holder: holder === undefined ? signer.address : parseAddress(holder), pollMs: POLL_MS, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  })
  await saveDeployment(path, deployment)
  await verifyDeployment(clients, deployment)
  output.result(deployment, () => [`chain      ${chainId}, from block ${deployment.startBlock}`, ...Object.entries(deployment.contracts).map(([name, address]) => `${name.padEnd(10)} ${address}`), `file       ${path}`].join('\n'))
  return EXIT.ok
}
