import type { ResourceOffer } from '../wire/resource-offer.ts'

/** Steps above 100 are a fiftieth. */
const STEP = 50
/** protocol/matching.md, Ticks: every price from 0 to 100, then steps of 2 %, up to 2^53 - 1; ascending. */
const TICKS: readonly number[] = ladder()
const isListed = new Set(TICKS)

function ladder (): number[] {
  const ticks = [0]
  for (let tick = 1; tick <= Number.MAX_SAFE_INTEGER; tick += Math.max(1, Math.floor(tick / STEP))) ticks.push(tick)
  return ticks
}

/** Whether an offer may ask this unit price, nLILY. */
export function isTick (price: number): boolean {
  return isListed.has(price)
}

/** The smallest tick that is not below `price`, a safe non-negative integer; the largest tick above that. */
export function tickFor (price: number): number {
  let low = 0
  let high = TICKS.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((TICKS[middle] as number) < price) low = middle + 1
    else high = middle
  }
  return TICKS[low] as number
}

/** Whether all unit prices of the offer are ticks. */
export function isTicked ({ ask, gpus }: ResourceOffer): boolean {
  return isTick(ask.base) && isTick(ask.cpuMilliSecond) && isTick(ask.memoryMiBSecond) && isTick(ask.diskMiBSecond) && gpus.every(({ secondAsk }) => isTick(secondAsk))
}
