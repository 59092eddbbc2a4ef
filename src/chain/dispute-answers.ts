import { decodeFunctionData, type Hex } from 'viem'
import type { Signature } from '../wire/shapes.ts'
import { ABIS } from './abis.ts'

/** The mediators' signatures in the data of a call that brought verdicts to the Court; none in any other data. */
export function verdictAnswers (data: Hex): Signature[] {
  const call = decoded(data)
  const answers = call?.functionName === 'verdict' ? call.args[3] : call?.functionName === 'rule' ? call.args[4] : []
  return answers.map(({ signature: { r, vs } }): Signature => `0x${r.slice(2)}${vs.slice(2)}`)
}

function decoded (data: Hex): ReturnType<typeof decodeFunctionData<typeof ABIS.court>> | undefined {
  try {
    return decodeFunctionData({ abi: ABIS.court, data })
  } catch {
    return undefined
  }
}
