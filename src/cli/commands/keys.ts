import { domainOf } from '../../chain/deployment.ts'
import { loadNetwork } from '../../config/network.ts'
import { dataPaths } from '../../config/paths.ts'
import { openKey, readKeys } from '../../node/keys.ts'
import type { RoleName } from '../../node/options.ts'
import { delegationDigest, ROLE_BITS, type Delegation } from '../../wire/delegation.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { createNodeClient, readApiFile } from '../node-client.ts'
import { parseRoles } from '../roles.ts'
import { numberFlag, parseAddress, textFlag, type CommandRun } from './context.ts'

const BIT_OF: Readonly<Record<RoleName, number>> = {
  'resource-provider': ROLE_BITS.provider, solver: ROLE_BITS.solver, mediator: ROLE_BITS.mediator, creator: ROLE_BITS.creator, 'module-provider': ROLE_BITS.moduleProvider, bootstrap: 0
}
/** Clocks of peers may be behind ours. */
const BACKDATE_SECONDS = 60
const DAY_SECONDS = 86_400

/** `lilynode keys`: address, peer id and seal key of a data folder, made when it has none. */
export const runKeys: CommandRun = async ({ output, root }) => {
  const keys = await runningKeys(root) ?? await readKeys(root)
  output.result(keys, `address  ${keys.address}\npeer     ${keys.peerId}\nseal     ${keys.sealKey}`)
  return EXIT.ok
}

/** `lilynode delegate OPERATOR --peer ID`: signs with the folder's own key; the node that gets the file never sees that key. */
export const runDelegate: CommandRun = async (context) => {
  const { args, output, root } = context
  const network = await loadNetwork(textFlag(context, 'network') ?? dataPaths(root).network)
  const peerId = textFlag(context, 'peer') ?? ''
  if (!/^[1-9A-HJ-NP-Za-km-z]{46,62}$/.test(peerId)) throw new CliError('USAGE_PEER', `--peer "${peerId}" is no peer id`, { data: { peer: peerId }, hint: 'Take it from "lilynode keys" in the operator\'s data folder.' })
  const roles = parseRoles(textFlag(context, 'role') ?? 'module-provider').reduce((sum, role) => sum | BIT_OF[role], 0)
  const days = numberFlag(context, 'days', { min: 1, max: 3650, fallback: 30 })
  const signer = await openKey(root)
  const now = Math.floor(Date.now() / 1000)
  const statement: Omit<Delegation, 'signature'> = { account: signer.address, operator: parseAddress(args[0] ?? ''), peerId, roles, notBefore: now - BACKDATE_SECONDS, expiry: now + days * DAY_SECONDS, nonce: now }
  const delegation: Delegation = { ...statement, signature: signer.sign(delegationDigest(domainOf(network.deployment), statement)) }
  output.result(delegation, JSON.stringify(delegation, undefined, 2))
  return EXIT.ok
}

/** A running node holds its folder's lock; it says the same itself. */
async function runningKeys (root: string): Promise<{ address: string, peerId: string, sealKey: string } | undefined> {
  const api = await readApiFile(root)
  if (api === undefined) return undefined
  return await createNodeClient(api).status().then(({ operator, peerId, sealKey }) => ({ address: operator, peerId, sealKey }), () => undefined)
}
