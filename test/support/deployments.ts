import { CONTRACT_NAMES } from '../../src/chain/abis.ts'
import type { Deployment } from '../../src/chain/deployment.ts'
import { GOVERNED_DEFAULTS } from '../../src/chain/governed.ts'
import { address, hash } from '../deal/deals.ts'

/** A deployment that no chain holds: contract number n is at address n and hashes to n. */
export const NOWHERE: Deployment = {
  chainId: 31_337, genesisTime: 1, startBlock: 0,
  contracts: Object.fromEntries(CONTRACT_NAMES.map((name, index) => [name, address(index + 1)])) as Deployment['contracts'],
  codeHashes: Object.fromEntries(CONTRACT_NAMES.map((name, index) => [name, hash(index + 1)])) as Deployment['codeHashes'],
  parameters: { unbondSeconds: 60, minMediatorBond: 1, appealJudge: 'none', governed: GOVERNED_DEFAULTS }
}
