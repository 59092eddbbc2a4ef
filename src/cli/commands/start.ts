import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { parseRoles } from '../roles.ts'
import { networkFlags } from '../network-flags.ts'
import { startNode } from '../start-node.ts'
import { parseLily } from '../amounts.ts'
import { listFlag, numberFlag, textFlag, type CommandContext, type CommandRun } from './context.ts'
import type { LogLevel } from '../../core/logger.ts'
import { ENGINE_NAMES, unknownEngines } from '../../match/engines.ts'

/** `lilynode start`: runs until SIGINT or SIGTERM. Prints one line when ready. */
export const runStart: CommandRun = async (context) => {
  const roles = parseRoles(textFlag(context, 'role') ?? 'creator')
  const ask = Number(textFlag(context, 'ask') ?? '0.9')
  if (!(ask > 0 && ask < 100)) throw new CliError('USAGE_NUMBER', '--ask must be above 0 and below 100', { data: { ask: textFlag(context, 'ask') }, hint: 'It multiplies the reference price: --ask 0.9 asks for nine tenths of it.' })
  const logLevel = oneOf<LogLevel>(context, 'logLevel', ['info', 'debug', 'warn', 'error', 'silent'])
  const deposit = textFlag(context, 'deposit')
  const stake = textFlag(context, 'stake')
  const node = await startNode({
    root: context.root,
    networks: await networkFlags(context),
    roles,
    logLevel,
    relay: context.flags['relay'] === true,
    reachability: oneOf(context, 'reachability', ['auto', 'public', 'private']),
    upnp: context.flags['upnp'] === true,
    apiPort: numberFlag(context, 'apiPort', { min: 0, max: 65_535, fallback: 0 }),
    engine: engineFlag(context),
    units: parseUnits(listFlag(context, 'unit')),
    askFactor: ask,
    modules: listFlag(context, 'module'),
    deposit: deposit === undefined ? 0 : parseLily(deposit),
    stake: stake === undefined ? 0 : parseLily(stake),
    direct: context.flags['direct'] === true,
    fault: textFlag(context, 'fault')
  })
  const first = await node.client.status()
  const networks = await Promise.all(first.networks.map(async (name) => ({ name, addresses: (await node.on(name).status()).addresses })))
  const places = networks.flatMap(({ name, addresses }) => addresses.map((address) => networks.length > 1 ? `${name}  ${address}` : address))
  context.output.line({ event: 'ready', account: first.account, peerId: first.peerId, addresses: first.addresses, networks, api: node.client.url }, `ready: ${first.roles.join(', ')} as ${first.account}\n  peer ${first.peerId}\n  ${places.join('\n  ')}\n  api  ${node.client.url}`)
  await new Promise<void>((resolve) => { context.signal.addEventListener('abort', () => { resolve() }, { once: true }) })
  await node.stop()
  return EXIT.ok
}

/** Throws CliError USAGE_CHOICE for an engine that does not exist: a node shall not come up to say so. */
function engineFlag (context: CommandContext): string | undefined {
  const text = textFlag(context, 'engine')
  const [unknown] = text === undefined ? [] : unknownEngines(text)
  if (unknown !== undefined) throw new CliError('USAGE_CHOICE', `no engine "${unknown}"`, { data: { flag: 'engine', value: unknown }, hint: `Choose ${ENGINE_NAMES.join(', ')}, or the path of an executable (with a slash).` })
  return text
}

/** A flag with few values; the first is the default. Throws CliError USAGE_CHOICE. */
function oneOf<T extends string> (context: CommandContext, name: string, values: readonly [T, ...T[]]): T {
  const text = textFlag(context, name) ?? values[0]
  const value = values.find((each) => each === text)
  if (value === undefined) throw new CliError('USAGE_CHOICE', `"${text}" is none of ${values.join(', ')}`, { data: { flag: name, value: text }, hint: `Choose ${values.join(' or ')}.` })
  return value
}

function parseUnits (texts: readonly string[]): Array<{ name: string, share: number }> {
  const units = texts.map(parseUnit)
  const twice = units.find(({ name }, at) => units.findIndex((unit) => unit.name === name) !== at)
  if (twice !== undefined) throw new CliError('USAGE_UNIT', `--unit ${twice.name} is given twice`, { data: { unit: twice.name }, hint: 'Every unit has its own name.' })
  return units
}

function parseUnit (text: string): { name: string, share: number } {
  const [name = '', share = ''] = text.split('=')
  const value = Number(share)
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name) || !(value > 0 && value <= 1)) throw new CliError('USAGE_UNIT', `--unit ${text} is not NAME=SHARE with a share above 0 and at most 1`, { data: { unit: text }, hint: 'Write --unit gpu0=0.5 for half of the machine; all shares together are at most 1.' })
  return { name, share: value }
}
