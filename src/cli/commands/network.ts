import { formatLily } from '../amounts.ts'
import { EXIT } from '../exit-codes.ts'
import { requireNode } from '../node-client.ts'
import { formatTable } from '../output.ts'
import type { CommandRun } from './context.ts'

/** `lilynode book`. */
export const runBook: CommandRun = async ({ output, root }) => {
  const book = await (await requireNode(root)).book()
  output.result(book, () => {
    const field = (body: unknown, name: string): unknown => (body as Record<string, unknown>)[name]
    const rows = [
      ...book.modules.map((record) => ['module', record.id.slice(0, 14), record.account, `${String(field(record.body, 'name'))}:${String(field(record.body, 'tag'))}`]),
      ...book.offers.map((record) => ['offer', record.id.slice(0, 14), record.account, `${String(field(record.body, 'unit'))} ${JSON.stringify(field(record.body, 'capacity'))}`]),
      ...book.jobs.map((record) => ['job', record.id.slice(0, 14), record.account, `${String(field(record.body, 'moduleName'))} limit ${formatLily(Number(field(record.body, 'limit')))} LILY`])
    ]
    return rows.length === 0 ? 'the book is empty' : formatTable([['KIND', 'RECORD', 'ACCOUNT', 'WHAT'], ...rows])
  })
  return EXIT.ok
}

/** `lilynode peers`. */
export const runPeers: CommandRun = async ({ output, root }) => {
  const peers = await (await requireNode(root)).peers()
  output.result(peers, () => peers.length === 0
    ? 'no peers'
    : formatTable([['PEER', 'ADDRESS', 'DIRECTION', 'BOOK'], ...peers.map((peer) => [peer.peerId, peer.address, peer.direction, peer.book === undefined ? 'not compared yet' : peer.book.equal ? `equal at ${new Date(peer.book.atMs).toLocaleTimeString()}` : `${peer.book.missing} missing here, ${peer.book.extra} there`])]))
  return EXIT.ok
}

/** `lilynode status`. */
export const runStatus: CommandRun = async ({ output, root }) => {
  const status = await (await requireNode(root)).status()
  output.result(status, () => [
    `lilynode ${status.version} on ${status.network}: ${status.roles.join(', ')}`,
    `account  ${status.account}`, `peer     ${status.peerId}`, ...status.addresses.map((address) => `listens  ${address}`),
    `peers    ${status.peers}`, `records  ${status.records}`, `epoch    ${status.epoch}`,
    `chain    ${status.chain.chainId} ${status.chain.ok ? `at ${new Date(status.chain.blockTime * 1000).toISOString()}` : 'UNREACHABLE'}`,
    `process  pid ${status.process.pid}, ${status.process.rssMiB} MiB, up ${Math.round(status.process.uptimeMs / 1000)} s`,
    ...status.warnings.map((warning) => `warning  ${warning}`)
  ].join('\n'))
  return EXIT.ok
}
