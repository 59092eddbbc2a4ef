import { VERSION } from '../../node/version.ts'
import { EXIT } from '../exit-codes.ts'
import type { CommandRun } from './context.ts'

/** `lilynode version`. */
export const runVersion: CommandRun = async ({ output }) => {
  output.result({ version: VERSION, node: process.versions.node }, `lilynode ${VERSION} (node ${process.versions.node})`)
  return await Promise.resolve(EXIT.ok)
}
