import { createBoard, type Board } from './board.ts'
import { columnPrices } from './column-prices.ts'
import { construct } from './construct.ts'
import { createDuals, type DualSearch, LONG_SCHEDULE, LONG_STEPS, SHORT_SCHEDULE, startPrices, WARM_SCHEDULE, type Schedule } from './duals.ts'
import { MANY_UNITS, ROWS, type Program } from './program.ts'
import { createRuin, DEFAULT_RUIN_OPTIONS } from './ruin.ts'

/** Where a search begins: prices per unit class and row (0: unknown), places of an earlier solution as `Found` has them. Either may be missing. */
export interface WarmStart { readonly prices?: Float64Array, readonly places?: Int32Array }

/** A solution as numbers, five for each place: job, column, unit, devices as bits (low, high). And the prices of the best bound. */
export interface Found { readonly places: Int32Array, readonly worth: number, readonly prices: Float64Array, readonly bound: number, readonly rounds: number }

export interface SearchOptions {
  readonly budgetMs: number
  readonly seed: number
  readonly warm?: WarmStart
  /** Monotone milliseconds. */
  readonly now: () => number
  /** Called with each better solution, at most every twentieth of the time that has passed. */
  readonly report: (found: Found) => void
  /** Ends the search after so many rounds whatever the time: for tests that must not hang on speed. */
  readonly maxRounds?: number
  /** Steps that prices take; left out: as many as there is time for. */
  readonly steps?: number
}

/** Share of the budget that prices may take, and bounds of the number of steps; more than the most gained nothing on four traces. */
const DUAL_SHARE = 0.4
const STEPS = [30, 240] as const
/**
 * Books of so few columns, a quarter of a second's, get so many steps, and from the start: 240 end 0.1 to 0.4 % above the best bound known of 100 jobs on 40 machines,
 * these within 0.1 %. What is left is how far somebody can move prices that still count (protocol/auction.md, Class price). And the same book has the same prices,
 * whoever solves it and whatever the last epoch was.
 */
const EXACT_COLUMNS = 20_000
const EXACT_STEPS = 1000
/** Steps between which the pace is taken; the first of all may be slow. */
const PACE = [2, 8] as const
const WARM_STEPS = 10
/** Share of the bound below which the last epoch's places are filled up at its prices before new ones are looked for: steps take three times as long. */
const GOOD_ENOUGH = 0.97
/** A search ends when so many rounds, and so many for each unit, brought nothing: a small book is done long before its epoch. */
const STALL_ROUNDS = 300
const STALL_ROUNDS_A_UNIT = 100
/** A better solution is told once one part in so many of the time until then has passed again. */
const REPORTS = 20
/** Rounds between two looks at the clock: 1 ms. */
const ROUNDS_A_LOOK = 32
/** Loss that a round may bring at first, as a share of the mean gain of a job; it falls to nothing by the end. A third or three times as much is no better. */
const HEAT = 1

/** Prices, then a first solution by them, then ruin and recreate until the time is over. Returns the last solution reported. */
export function search (program: Program, options: SearchOptions): Found {
  const { now, budgetMs, warm } = options
  const started = now()
  const board = createBoard(program)
  const dual = createDuals(program)
  const duals = dual.best
  let rounds = 0
  let reported = Number.NEGATIVE_INFINITY
  let nextReport = 0
  const report = (): Found => {
    const found = { places: placesOf(program, board), worth: board.worth, prices: Float64Array.from(duals.prices), bound: duals.bound, rounds }
    reported = board.worth
    nextReport = now() + (now() - started) / REPORTS
    options.report(found)
    return found
  }
  const resources = dual.room
  const fill = (): void => {
    columnPrices(program, duals.prices, resources)
    construct(program, board, { resources, margin: duals.margin })
  }
  if (warm?.places !== undefined) seat(program, board, warm.places)
  if (warm?.prices !== undefined) {
    // What the last epoch ended with is an answer already, mostly a good one.
    dual.evaluate(warm.prices)
    report()
    if (board.worth < GOOD_ENOUGH * duals.bound) {
      fill()
      report()
    }
  }
  findPrices(program, dual, { warm: isExact(program) ? undefined : warm?.prices, wanted: options.steps, most: isExact(program) ? EXACT_STEPS : STEPS[1] }, () => budgetMs * DUAL_SHARE - (now() - started))
  fill()
  const prices = { resources, margin: duals.margin, worth: worthOf(program, duals.prices) }
  const ruin = createRuin(program, board, prices, options.seed, DEFAULT_RUIN_OPTIONS)

  let last = report()
  const mostRounds = options.maxRounds ?? Number.POSITIVE_INFINITY
  // A small book is done long before its time is over, and shall not be when it has just lost something.
  const start = program.units < MANY_UNITS ? 0 : HEAT
  let bestRound = 0
  let bestWorth = board.worth
  const stall = STALL_ROUNDS + STALL_ROUNDS_A_UNIT * program.units
  while (now() - started < budgetMs && rounds - bestRound < stall && board.worth < duals.bound - 1 && rounds < mostRounds && program.units > 0) {
    const heat = start * Math.max(0, 1 - Math.max((now() - started) / budgetMs, rounds / mostRounds)) ** 2
    for (let round = 0; round < ROUNDS_A_LOOK; round++) ruin.step(heat)
    rounds += ROUNDS_A_LOOK
    if (board.worth > bestWorth) {
      bestWorth = board.worth
      bestRound = rounds
    }
    if (board.worth > reported && now() >= nextReport) last = report()
  }
  ruin.fillUp()
  return board.worth > reported || (board.worth === reported && placesCount(board) > last.places.length / PLACE) ? report() : last
}

const isExact = ({ columnRun }: Program): boolean => columnRun.length <= EXACT_COLUMNS

/** Numbers of a place in `Found`. */
export const PLACE = 5

/** Prices by so many steps; without a number by as many as there is time for, which the first steps show. `left`: milliseconds that prices may still take. */
function findPrices (program: Program, { step, evaluate, current }: DualSearch, { warm, wanted, most }: { warm: Float64Array | undefined, wanted: number | undefined, most: number }, left: () => number): void {
  startPrices(program, current)
  let schedule: Schedule = (wanted ?? STEPS[0]) > LONG_STEPS ? LONG_SCHEDULE : SHORT_SCHEDULE
  let steps: number = wanted ?? STEPS[0]
  if (warm !== undefined) {
    // Never quite zero, so that a price can rise again.
    for (let at = 0; at < current.length; at++) current[at] = Math.max(warm[at]!, current[at]! * 1e-4)
    schedule = WARM_SCHEDULE
    steps = WARM_STEPS
  }
  const canChoose = wanted === undefined && warm === undefined
  let before = 0
  for (let at = 0; at < steps; at++) {
    if (canChoose && at === PACE[0]) before = left()
    if (canChoose && at === PACE[1]) {
      const now = left()
      steps = Math.max(STEPS[0], Math.min(most, at + Math.floor(now / Math.max(1e-6, before - now) * (PACE[1] - PACE[0]))))
      if (steps > LONG_STEPS) schedule = LONG_SCHEDULE
    }
    const share = steps > 1 ? at / (steps - 1) : 1
    step(schedule.tau[0] * (schedule.tau[1] / schedule.tau[0]) ** share, schedule.eta[0] * (schedule.eta[1] / schedule.eta[0]) ** share)
  }
  evaluate(Float64Array.from(current))
}

function worthOf ({ unitClasses, capacity }: Program, prices: Float64Array): Float64Array {
  const worth = new Float64Array(unitClasses)
  for (let unit = 0; unit < unitClasses; unit++) for (let row = 0; row < ROWS; row++) worth[unit]! += prices[unit * ROWS + row]! * capacity[unit * ROWS + row]!
  return worth
}

/** Takes over what of an earlier solution still fits. */
function seat (program: Program, board: Board, places: Int32Array): void {
  for (let at = 0; at < places.length; at += PLACE) {
    const column = places[at + 1]!
    const unit = places[at + 2]!
    if (program.bundle[program.runJob[program.columnRun[column]!]!]! < 0 && board.gain(column) > 0 && board.fits(column, unit)) board.place(column, unit)
  }
}

function placesCount (board: Board): number {
  return board.placed.reduce((sum, count) => sum + count, 0)
}

/** The board as `Found.places`. */
export function placesOf ({ jobClasses, jobStart }: Program, board: Board): Int32Array {
  const places = new Int32Array(placesCount(board) * PLACE)
  let at = 0
  for (let job = 0; job < jobClasses; job++) {
    for (let rank = 0; rank < board.placed[job]!; rank++) {
      const place = board.placeOf[jobStart[job]! + rank]!
      places[at++] = jobStart[job]! + rank
      places[at++] = board.column[place]!
      places[at++] = board.unit[place]!
      places[at++] = board.low[place]!
      places[at++] = board.high[place]!
    }
  }
  return places
}
