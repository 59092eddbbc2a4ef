import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Domain } from '../wire/typed-data.ts'

/** Where a node keeps what, below its data folder. */
export interface DataPaths {
  root: string
  /** Account key, hex, mode 0600. Absent when WEB3_PRIVATE_KEY is used. */
  accountKey: string
  /** What belongs to the node whatever its networks. */
  datastore: string
  /** Address and token of the local API, mode 0600, while the node runs. */
  api: string
  network: string
}

/** The layout below a data folder. */
export function dataPaths (root: string): DataPaths {
  const at = (name: string): string => join(root, name)
  return { root, accountKey: at('account.key'), datastore: at('datastore'), api: at('api.json'), network: at('network.json') }
}

/** Where a node keeps what belongs to one of its networks. */
export interface NetworkPaths { datastore: string, blocks: string, results: string }

/** The layout below a data folder for one deployment (protocol/network.md, One process on several networks). */
export function networkPaths (root: string, { chainId, market }: Pick<Domain, 'chainId' | 'market'>): NetworkPaths {
  const at = (name: string): string => join(root, 'networks', `${chainId}-${market}`, name)
  return { datastore: at('datastore'), blocks: at('blocks'), results: at('results') }
}

/** The data folder: the flag, else LILYNODE_DATA, else DATA_DIR as in Lilypad, else ~/.lilynode. */
export function dataRoot (flag: string | undefined): string {
  return resolve(flag ?? process.env['LILYNODE_DATA'] ?? process.env['DATA_DIR'] ?? join(homedir(), '.lilynode'))
}

/** The private key from the environment (WEB3_PRIVATE_KEY), if one is set. */
export function environmentKey (): string | undefined {
  return process.env['WEB3_PRIVATE_KEY']
}

/** Whether the environment asks for the log of a library: DEBUG, as of npm's `debug`, e.g. `libp2p:*`. */
export function isDebugged (): boolean {
  return (process.env['DEBUG'] ?? '') !== ''
}

/** The environment of processes that we start: without keys, so that no node gets another's. */
export function childEnvironment (): Record<string, string> {
  const entries = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[0] !== 'WEB3_PRIVATE_KEY')
  return Object.fromEntries(entries)
}
