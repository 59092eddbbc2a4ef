import { hexToNumber, numberToHex, type Hex } from 'viem'
import { askAgreed } from './asking.ts'
import { canonicalBlock } from './canonical.ts'
import { unreachable, type Endpoint } from './endpoints.ts'

/**
 * The newest block that `quorum` endpoints have, alike. One that is ahead, or that makes blocks up, does not move it; one that
 * stands still does not hold it back, since an answer below `known` is only taken when nobody has a higher one.
 */
export async function agreedHead (endpoints: readonly Endpoint[], options: { quorum: number, known: number }): Promise<unknown> {
  const heights: number[] = []
  const usable = endpoints.filter((endpoint) => endpoint.isUsable())
  const asked = usable.length >= options.quorum ? usable : endpoints
  const reached = (): number => [...heights].sort((a, b) => b - a)[options.quorum - 1] ?? -1
  await new Promise<void>((resolve) => {
    let left = asked.length
    for (const endpoint of asked) {
      void endpoint.ask('eth_getBlockByNumber', ['latest', false])
        .then((block) => { heights.push(hexToNumber((block as { number: Hex }).number)) })
        .catch(() => undefined)
        .finally(() => { if (--left === 0 || (heights.length >= options.quorum && reached() >= options.known)) resolve() })
    }
  })
  if (heights.length < options.quorum) throw unreachable(asked.map(({ url }) => url), `eth_getBlockByNumber (${heights.length} of the ${options.quorum} that are needed)`, undefined)
  return await askAgreed(endpoints, 'eth_getBlockByNumber', [numberToHex(reached()), false], { quorum: options.quorum, canonical: canonicalBlock, isTelling: false })
}
