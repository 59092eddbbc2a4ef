import type { FleetNodeView, FleetView } from '../../fleet/view.ts'
import { readRoster } from '../../node/fleet.ts'
import type { WantedState } from '../../wire/fleet.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { parseFactor } from '../factor.ts'
import { requireNode } from '../node-client.ts'
import { formatTable } from '../output.ts'
import type { CommandRun } from './context.ts'
import { runFleetAdd, runFleetBounds, runFleetInit, runFleetRemove } from './fleet-roster.ts'

const BP = 10_000
/** How often `drain --wait` looks. */
const LOOK_EVERY_MS = 500

/** `lilynode fleet ACTION`. */
export const runFleet: CommandRun = async (context) => {
  const [action = '', ...args] = context.args
  const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
  if (run === undefined) throw new CliError('USAGE_CHOICE', `"${action}" is no action of fleet`, { data: { action }, hint: `Actions: ${Object.keys(ACTIONS).join(', ')}.` })
  const [least, most] = run.args
  if (args.length < least || args.length > most) throw new CliError('USAGE_INVALID', `fleet ${action} takes ${run.what}`, { data: { action, args }, hint: 'See "lilynode fleet --help".' })
  return await run.run({ ...context, args })
}

/** `ls`: every node as this one knows it. */
const list: CommandRun = async ({ flags, output, root }) => {
  const fleet = await (await requireNode({ root, flags })).fleet()
  output.result(fleet, () => fleetText(fleet))
  return EXIT.ok
}

/** `cordon`, `uncordon`, `drain [--wait]`. */
const setState = (state: WantedState): CommandRun => async (context) => {
  const { args: [node = ''], flags, output, root, signal } = context
  const client = await requireNode({ root, flags })
  let fleet = await client.changeFleet('state', { node, state })
  if (state === 'drain' && flags['wait'] === true) {
    output.progress(`waiting for the deals of ${node}`)
    while (nodeOf(fleet, node)?.state !== 'drained') {
      await pause(LOOK_EVERY_MS, signal)
      fleet = await client.fleet()
    }
  }
  output.result(nodeOf(fleet, node), () => `${node}: ${stateText(nodeOf(fleet, node))}`)
  return EXIT.ok
}

/** `price [NODE] FACTOR|default`. */
const setPrice: CommandRun = async ({ args, flags, output, root }) => {
  const text = args.at(-1) ?? ''
  const node = args.length === 2 ? args[0] : undefined
  const priceBp = text === 'default' ? null : parseFactor(text, 'FACTOR')
  const fleet = await (await requireNode({ root, flags })).changeFleet('price', { ...(node === undefined ? {} : { node }), priceBp })
  output.result(fleet, () => `${node ?? 'every node'}: ${priceBp === null ? 'as it was told itself' : `${priceBp / BP} of the reference prices`}`)
  return EXIT.ok
}

/** `use FILE`: the running node joins, or takes the newer roster and tells the others. */
const use: CommandRun = async ({ args: [path = ''], flags, output, root }) => {
  const roster = await readRoster(path)
  const fleet = await (await requireNode({ root, flags })).changeFleet('roster', { roster })
  output.result(fleet, () => `${fleet.self} in the fleet of ${fleet.account}, roster ${fleet.version}, ${fleet.nodes.length} nodes`)
  return EXIT.ok
}

const ACTIONS: Readonly<Record<string, { args: [least: number, most: number], what: string, run: CommandRun }>> = {
  ls: { args: [0, 0], what: 'no arguments', run: list },
  cordon: { args: [1, 1], what: 'a NODE', run: setState('cordon') },
  uncordon: { args: [1, 1], what: 'a NODE', run: setState('open') },
  drain: { args: [1, 1], what: 'a NODE', run: setState('drain') },
  price: { args: [1, 2], what: 'a NODE, if it is for one, and a FACTOR or "default"', run: setPrice },
  use: { args: [1, 1], what: 'a roster FILE', run: use },
  init: { args: [0, 0], what: 'no arguments', run: runFleetInit },
  add: { args: [2, 2], what: 'a NAME and a card FILE', run: runFleetAdd },
  remove: { args: [1, 1], what: 'a NAME', run: runFleetRemove },
  bounds: { args: [0, 0], what: 'flags only: --min-ask, --max-ask', run: runFleetBounds }
}

function nodeOf (fleet: FleetView, node: string): FleetNodeView | undefined {
  return fleet.nodes.find(({ name, operator }) => name === node || operator === node.toLowerCase())
}

/** What a node says, and what it has still to hear. */
function stateText (node: FleetNodeView | undefined): string {
  if (node === undefined) return 'unknown'
  const isHeard = node.state !== 'unknown' && (node.wanted === 'open' ? node.state === 'open' : node.wanted === 'cordon' ? node.state === 'cordoned' : node.state === 'draining' || node.state === 'drained')
  return isHeard ? node.state : `${node.state} (${node.wanted} is asked)`
}

function fleetText ({ account, version, minAskBp, maxAskBp, priceBp, nodes }: FleetView): string {
  const now = Date.now()
  const factor = (bp: number | null | undefined): string => bp === null || bp === undefined || bp === 0 ? '-' : String(bp / BP)
  const age = (ms: number | null): string => ms === null ? 'never' : `${Math.max(0, Math.round((now - ms) / 1000))} s ago`
  const link = ({ isSelf, link: line }: FleetNodeView): string => isSelf ? 'this node' : line?.code ?? (line?.atMs === undefined ? 'not met yet' : 'ok')
  const rows = nodes.map((node) => [
    node.name, stateText(node), factor(node.inventory?.askBp), node.priceBp === null ? '-' : factor(node.priceBp), String(node.inventory?.openDeals ?? '-'),
    (node.inventory?.units ?? []).map(({ name, free, total }) => `${name} ${free.cpuMilli / 1000}/${total.cpuMilli / 1000} cores`).join(', ') || '-', age(node.seenAtMs), link(node)
  ])
  return [
    `fleet of ${account}, roster ${version}; prices from ${minAskBp / BP} to ${maxAskBp / BP} of the reference${priceBp === null ? '' : `, ${priceBp / BP} for all`}`,
    formatTable([['NODE', 'STATE', 'ASKS', 'SET', 'DEALS', 'FREE', 'SEEN', 'LINK'], ...rows])
  ].join('\n')
}

async function pause (ms: number, signal: AbortSignal): Promise<void> {
  const { setTimeout } = await import('node:timers/promises')
  await setTimeout(ms, undefined, { signal })
}
