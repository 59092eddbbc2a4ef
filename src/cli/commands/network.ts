import type { NodeStatus, PeerView } from '../../api/facade.ts'
import { EXIT } from '../exit-codes.ts'
import { requireNode } from '../node-client.ts'
import { formatTable } from '../output.ts'
import type { CommandRun } from './context.ts'

/** `lilynode peers`. */
export const runPeers: CommandRun = async ({ flags, output, root }) => {
  const peers = await (await requireNode({ root, flags })).peers()
  output.result(peers, () => peers.length === 0
    ? 'no peers'
    : formatTable([['PEER', 'ADDRESS', 'DIRECTION', 'BOOK'], ...peers.map((peer) => [peer.peerId, peer.address, peer.direction, peer.book === undefined ? 'not compared yet' : bookText(peer.book)])]))
  return EXIT.ok
}

/** `lilynode status`. */
export const runStatus: CommandRun = async ({ flags, output, root }) => {
  const status = await (await requireNode({ root, flags })).status()
  output.result(status, () => [
    `lilynode ${status.version} on ${status.network}: ${status.roles.join(', ')}`, ...status.networks.length > 1 ? [`networks ${status.networks.join(', ')}`] : [],
    `account  ${status.account}${status.operator === status.account ? '' : ` through operator ${status.operator}`}`, `peer     ${status.peerId}`, ...status.addresses.map((address) => `listens  ${address}`),
    `peers    ${status.peers}`, ...reachLines(status.reachability), `records  ${status.records}`, `follows  ${status.shards.join(', ')}`, `epoch    ${status.epoch}`,
    `chain    ${status.chain.chainId} ${status.chain.ok ? `at ${new Date(status.chain.blockTime * 1000).toISOString()}` : 'UNREACHABLE'}`,
    `process  pid ${status.process.pid}, ${status.process.rssMiB} MiB, up ${Math.round(status.process.uptimeMs / 1000)} s`,
    ...status.warnings.map((warning) => `warning  ${warning}`)
  ].join('\n'))
  return EXIT.ok
}

/** How a peer's book compared with ours when the two were last held against each other. */
export function bookText ({ equal, missing, extra, records, differing, unshared, atMs }: NonNullable<PeerView['book']>): string {
  const at = new Date(atMs).toTimeString().slice(0, 8)
  const count = `${records.toLocaleString('en')} record${records === 1 ? '' : 's'}`
  const alone = unshared.length === 0 ? '' : `; not shared: ${unshared.join(', ')}`
  return `${equal ? `equal at ${at}, ${count}` : `differed at ${at}${differing.length === 0 ? '' : ` in ${differing.join(', ')}`}: ${missing} missing here, ${extra} there, of ${count}`}${alone}`
}

/** Nothing where nobody asks: on a private network every node is taken to reach every other. */
function reachLines ({ state, relays }: NodeStatus['reachability']): string[] {
  if (state === 'unknown') return []
  return [`reach    ${state}`, ...relays.map((relay) => `relay    ${relay}`)]
}
