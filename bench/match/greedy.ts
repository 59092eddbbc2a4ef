import { createBoard } from '../../src/match/search/board.ts'
import { bestUnit, columnsByClass } from '../../src/match/search/construct.ts'
import { ROWS, type Program } from '../../src/match/search/program.ts'

/** What a rule makes of a book: what its matches count, and how many they are. */
export interface Outcome { worth: number, matches: number }

/**
 * Lilypad's solver (Lilypad-Tech/lilypad, pkg/solver/matcher): jobs in the order in which they came (`order`), each to the cheapest resource offer that suits and
 * is free; an offer serves one job. `slices` cuts a machine of g GPUs into g offers of one GPU each, with their share of the rest; else a machine is one offer. As shipped it also
 * gives one offer to several jobs of a pass; here it does not.
 */
export function lilypad (program: Program, order: Int32Array, slices: boolean): Outcome {
  const { jobClasses, jobStart, columnAsk, columnCost, columnRun, runJob, runBid, bids, limits, unitStart, deviceStart, demand, capacity, devices } = program
  const byClass = columnsByClass(program)
  for (let job = 0; job < jobClasses; job++) byClass.columns.subarray(byClass.start[job], byClass.start[job + 1]).sort((left, right) => (columnAsk[left] as number) - (columnAsk[right] as number))
  const parts = Int32Array.from({ length: program.units }, (_, unit) => slices ? Math.max(1, (deviceStart[unit + 1] as number) - (deviceStart[unit] as number)) : 1)
  const whole = Int32Array.from(parts)
  const outcome = { worth: 0, matches: 0 }
  const classOf = new Int32Array(program.jobs)
  for (let job = 0; job < jobClasses; job++) classOf.fill(job, jobStart[job], jobStart[job + 1])
  for (const at of order) {
    const job = classOf[at] as number
    const found = findSlot(job, at)
    if (found === undefined) continue
    parts[found.unit] = (parts[found.unit] as number) - 1
    outcome.matches++
    outcome.worth += (bids[(runBid[columnRun[found.column] as number] as number) + at - (jobStart[job] as number)] as number) - (columnCost[found.column] as number)
  }
  return outcome

  function findSlot (job: number, at: number): { column: number, unit: number } | undefined {
    for (let place = byClass.start[job] as number; place < (byClass.start[job + 1] as number); place++) {
      const column = byClass.columns[place] as number
      if ((columnAsk[column] as number) > (limits[at] as number)) return undefined
      const unitClass = byClass.unitClass[column] as number
      for (let unit = unitStart[unitClass] as number; unit < (unitStart[unitClass + 1] as number); unit++) {
        const cut = whole[unit] as number
        if ((parts[unit] as number) > 0 && (cut === 1 || (devices[job] as number) <= 1) && [0, 1].every((row) => (demand[(runJob[columnRun[column] as number] as number) * ROWS + row] as number) * cut <= (capacity[unitClass * ROWS + row] as number))) return { column, unit }
      }
    }
    return undefined
  }
}

/** Packing greedy: jobs by falling bid, or by bid per share of what they take, each to the cheapest unit with room, fullest first. */
export function packing (program: Program, order: 'bid' | 'density'): Outcome {
  const { jobClasses, jobStart, columnCost, runStart, runOf, runBid, bids, demand, capacity, unitClasses, unitStart } = program
  const total = new Float64Array(ROWS)
  for (let unit = 0; unit < unitClasses; unit++) for (let row = 0; row < ROWS; row++) total[row] = (total[row] as number) + (capacity[unit * ROWS + row] as number) * ((unitStart[unit + 1] as number) - (unitStart[unit] as number))
  const byClass = columnsByClass(program)
  for (let job = 0; job < jobClasses; job++) byClass.columns.subarray(byClass.start[job], byClass.start[job + 1]).sort((left, right) => (columnCost[left] as number) - (columnCost[right] as number))
  const jobs: Array<{ job: number, value: number }> = []
  for (let job = 0; job < jobClasses; job++) {
    if (runStart[job] === runStart[job + 1]) continue
    const run = runOf[runStart[job] as number] as number
    const takes = [0, 1, 2, 3].reduce((sum, row) => sum + ((total[row] as number) > 0 ? (demand[job * ROWS + row] as number) / (total[row] as number) : 0), 0)
    for (let rank = 0; rank < (jobStart[job + 1] as number) - (jobStart[job] as number); rank++) jobs.push({ job, value: (bids[(runBid[run] as number) + rank] as number) / (order === 'density' ? takes : 1) })
  }
  jobs.sort((left, right) => right.value - left.value)
  const board = createBoard(program)
  const head = Int32Array.from(byClass.start)
  for (const { job } of jobs) {
    for (let place = head[job] as number; place < (byClass.start[job + 1] as number); place++) {
      const column = byClass.columns[place] as number
      const unit = board.gain(column) > 0 ? bestUnit(program, board, column, byClass.unitClass[column] as number) : -1
      if (unit >= 0) {
        board.place(column, unit)
        break
      }
      head[job] = place + 1
    }
  }
  return { worth: board.worth, matches: board.placed.reduce((sum, count) => sum + count, 0) }
}
