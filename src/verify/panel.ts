import { encodeAbiParameters, keccak256 } from 'viem'
import { drawMediator, type MediatorList } from '../wire/deal-messages.ts'
import type { Address, Hash } from '../wire/shapes.ts'

/** protocol/deal.md, Disputes on chain: who sits, and when verdicts decide. Pure. */

/** The contract Court reads more as this. */
const MAX_VERDICTS = 4

/** Verdicts that must agree; twice as many less one have a seat. */
export function neededVerdicts ({ verdicts }: { verdicts: number }): number {
  return Math.max(1, Math.min(verdicts, MAX_VERDICTS))
}

/** The first panel of a dispute, by seat: draws over the list without those drawn before, passing over who is not live. Fewer sit where fewer are live. */
export function drawPanel (seed: Hash, list: MediatorList, seats: number, isLive: (mediator: Address) => boolean): Address[] {
  const panel: Address[] = []
  let left = list
  for (let draw = 0; panel.length < seats; draw++) {
    const mediator = drawMediator(draw === 0 ? seed : drawSeedOf(seed, draw), left)
    if (mediator === undefined) break
    const others = left.mediators.flatMap((other, index) => other === mediator ? [] : [index])
    left = { mediators: others.map((index) => left.mediators[index] as Address), weights: others.map((index) => left.weights[index] as number) }
    if (isLive(mediator)) panel.push(mediator)
  }
  return panel
}

/** Whether these outcomes end a dispute: enough agree, or nobody with a seat is missing. */
export function isDecided (outcomes: readonly number[], { needed, seats }: { needed: number, seats: number }): boolean {
  return seats > 0 && (outcomes.length >= seats || outcomes.some((outcome) => outcomes.filter((other) => other === outcome).length >= needed))
}

/** keccak256(abi.encode(seed, round 0, draw)). */
function drawSeedOf (seed: Hash, draw: number): Hash {
  const [bytes32, uint256] = [{ type: 'bytes32' }, { type: 'uint256' }] as const
  return keccak256(encodeAbiParameters([bytes32, uint256, uint256], [seed, 0n, BigInt(draw)]))
}
