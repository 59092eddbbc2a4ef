/** nLILY that an accusation of a solver locks, and the most that its victim gets: STAKE of the contract Faults. */
export const ACCUSER_STAKE = 1_000_000_000

/** How long an accused solver has for its answer. */
export function answerSeconds (unbondSeconds: number): number {
  return Math.floor(unbondSeconds / 8)
}
