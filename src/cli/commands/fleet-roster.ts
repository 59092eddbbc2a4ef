import { readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { domainOf } from '../../chain/deployment.ts'
import { loadNetwork } from '../../config/network.ts'
import { dataPaths } from '../../config/paths.ts'
import { errorMessage } from '../../core/errors.ts'
import { createSystemRandom } from '../../core/random.ts'
import { FleetError } from '../../fleet/errors.ts'
import { DEFAULT_ASK_BOUNDS } from '../../fleet/options.ts'
import { assertRoster, issueRoster, type RosterTerms } from '../../fleet/roster.ts'
import { readRoster } from '../../node/fleet.ts'
import { openKey } from '../../node/keys.ts'
import { memberNameShape, type FleetRoster } from '../../wire/fleet-roster.ts'
import { addressShape, hashShape, parseShape, peerIdShape } from '../../wire/shapes.ts'
import type { Domain } from '../../wire/typed-data.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { parseFactor } from '../factor.ts'
import { textFlag, type CommandContext, type CommandRun } from './context.ts'

/** What `lilynode keys --json` prints of a node. */
const cardShape = z.strictObject({ address: addressShape, peerId: peerIdShape, sealKey: hashShape })

/** `fleet init`: a roster without members, signed with the folder's own key, which is the fleet's account from then on. */
export const runFleetInit: CommandRun = async (context) => {
  const path = pathOf(context)
  const roster = await issue(context, await domainFor(context), { version: 1, members: [], ...boundsOf(context, DEFAULT_ASK_BOUNDS) })
  await writeFile(path, textOf(roster), { flag: 'wx' })
  tell(context, roster, `${path}: the fleet of ${roster.account}; add nodes with "lilynode fleet add"`)
  return EXIT.ok
}

/** `fleet add NAME CARD`. */
export const runFleetAdd: CommandRun = async (context) => {
  const [name = '', cardPath = ''] = context.args
  if (!memberNameShape.safeParse(name).success) throw new CliError('USAGE_INVALID', `"${name}" is no name for a node`, { data: { name }, hint: 'At most 32 of a to z, 0 to 9 and -, not beginning with -.' })
  const { address, peerId, sealKey } = await readCard(cardPath)
  await change(context, ({ members }) => ({ members: [...members, { name, operator: address, peerId, sealKey }] }), `${name} is ${address}`)
  return EXIT.ok
}

/** `fleet remove NAME`: the others get a new document key, which this node never sees. */
export const runFleetRemove: CommandRun = async (context) => {
  const [name = ''] = context.args
  await change(context, ({ members }) => {
    if (!members.some((member) => member.name === name)) throw new FleetError('FLEET_UNKNOWN_NODE', `no node "${name}" in ${pathOf(context)}`, { data: { node: name, nodes: members.map((member) => member.name) }, hint: 'Names are those that it was added under.' })
    return { members: members.filter((member) => member.name !== name) }
  }, `${name} is removed`)
  return EXIT.ok
}

/** `fleet bounds --min-ask F --max-ask F`. */
export const runFleetBounds: CommandRun = async (context) => {
  await change(context, (before) => boundsOf(context, before), 'other bounds')
  return EXIT.ok
}

/** Signs the next version of the roster file with a new document key, and writes it whole. */
async function change (context: CommandContext, next: (before: FleetRoster) => Partial<RosterTerms>, what: string): Promise<void> {
  const path = pathOf(context)
  const [domain, before] = await Promise.all([domainFor(context), readRoster(path)])
  assertRoster(domain, before)
  const { version, minAskBp, maxAskBp, members } = before
  const terms = { minAskBp, maxAskBp, members, ...next(before), version: version + 1 }
  const roster = await issue(context, domain, { ...terms, members: terms.members.map(({ name, operator, peerId, sealKey }) => ({ name, operator, peerId, sealKey })) }, before)
  await writeFile(`${path}.partial`, textOf(roster))
  await rename(`${path}.partial`, path)
  tell(context, roster, `${path}: ${what}; roster ${roster.version}, ${roster.members.length} nodes\ngive it to one running member: lilynode fleet use ${path}`)
}

async function issue (context: CommandContext, domain: Domain, terms: RosterTerms, before?: FleetRoster): Promise<FleetRoster> {
  const signer = await openKey(context.root)
  if (before !== undefined && before.account !== signer.address) throw new FleetError('FLEET_ROSTER', `${pathOf(context)} is of account ${before.account}; the key in ${context.root} is of ${signer.address}`, { data: { account: before.account, address: signer.address }, hint: 'Name the account\'s folder with --data, or set WEB3_PRIVATE_KEY.' })
  return issueRoster({ signer, random: createSystemRandom() }, domain, terms)
}

async function domainFor (context: CommandContext): Promise<Domain> {
  return domainOf((await loadNetwork(textFlag(context, 'network') ?? dataPaths(context.root).network)).deployment)
}

/** Throws CliError USAGE_NUMBER, USAGE_INVALID. */
function boundsOf (context: CommandContext, before: { minAskBp: number, maxAskBp: number }): { minAskBp: number, maxAskBp: number } {
  const [min, max] = [textFlag(context, 'minAsk'), textFlag(context, 'maxAsk')]
  const bounds = { minAskBp: min === undefined ? before.minAskBp : parseFactor(min, '--min-ask'), maxAskBp: max === undefined ? before.maxAskBp : parseFactor(max, '--max-ask') }
  if (bounds.minAskBp > bounds.maxAskBp) throw new CliError('USAGE_INVALID', '--min-ask is above --max-ask', { data: bounds, hint: 'Prices of the fleet are kept from the one to the other.' })
  return bounds
}

async function readCard (path: string): Promise<z.output<typeof cardShape>> {
  try {
    return parseShape(cardShape, JSON.parse(await readFile(path, 'utf8')), 'card')
  } catch (error) {
    throw new FleetError('FLEET_MEMBER', `${path} is no card of a node: ${errorMessage(error)}`, { data: { path }, cause: error, hint: 'Make it with "lilynode keys --json --data FOLDER > card.json" where the node is.' })
  }
}

function pathOf (context: CommandContext): string {
  return textFlag(context, 'roster') ?? 'fleet.json'
}

function textOf (roster: FleetRoster): string {
  return `${JSON.stringify(roster, undefined, 2)}\n`
}

function tell (context: CommandContext, roster: FleetRoster, text: string): void {
  context.output.result(roster, text)
}
