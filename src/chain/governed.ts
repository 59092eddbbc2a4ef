import { encodeAbiParameters, keccak256, parseAbiParameters } from 'viem'
import { z } from 'zod'
import type { Hash } from '../wire/shapes.ts'

/** protocol/governance.md. What votes may change, in the order of Solidity's `Param`: [name, least, most, default]. */
export const GOVERNED = [
  ['votingDelay', 3600, 604_800, 86_400],
  ['votingPeriod', 86_400, 1_209_600, 259_200],
  ['proposalThreshold', 1e12, 5e15, 1e14],
  ['timelockDelay', 86_400, 1_209_600, 172_800],
  ['epochSeconds', 86_400, 7_776_000, 604_800],
  ['epochBudget', 0, 5e15, 1e14],
  ['challengeSeconds', 86_400, 2_592_000, 259_200],
  ['rulingSeconds', 3_628_800, 10_368_000, 3_628_800],
  ['posterBond', 1e11, 1e15, 1e13],
  ['reputationExponent', 0, 4000, 1000],
  ['feesExponent', 0, 4000, 1000],
  ['collateralExponent', 0, 4000, 1000],
  ['windowEpochs', 1, 52, 4],
  ['creatorWeight', 0, 10_000, 500],
  ['providerWeight', 0, 10_000, 6000],
  ['solverWeight', 0, 10_000, 1000],
  ['mediatorWeight', 0, 10_000, 1000],
  ['moduleProviderWeight', 0, 10_000, 1500]
] as const
export type GovernedName = typeof GOVERNED[number][0]
/** The parameters at deployment: seconds, nLILY, thousandths and shares, as the page says. */
export type Governed = Record<GovernedName, number>

/** Each parameter within its bounds, none missing. */
export const governedShape = z.strictObject(Object.fromEntries(GOVERNED.map(([name, least, most]) => [name, z.number().int().min(least).max(most)])) as Record<GovernedName, z.ZodNumber>)

export const GOVERNED_DEFAULTS = Object.fromEntries(GOVERNED.map(([name, , , usual]) => [name, usual])) as Governed

/** In the order of `Param`, as the constructor of Params takes them. */
export function governedValues (governed: Governed): bigint[] {
  return GOVERNED.map(([name]) => BigInt(governed[name]))
}

/** What `Params.INITIAL` is for these values. */
export function governedHash (governed: Governed): Hash {
  return keccak256(encodeAbiParameters(parseAbiParameters(`uint64[${GOVERNED.length}]`), [governedValues(governed)]))
}
