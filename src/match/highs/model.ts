import { ROWS, type Program } from '../search/program.ts'

/** A linear program as HiGHS takes it: columns packed, rows `<=` only; maximise. */
export interface ClassModel {
  readonly columns: number
  readonly rows: number
  readonly cost: Float64Array
  readonly upper: Float64Array
  readonly rowUpper: Float64Array
  readonly starts: Int32Array
  readonly indices: Int32Array
  readonly values: Float64Array
  /** The last columns of the model are those of the program, from here on. */
  readonly firstColumn: number
  /** First row of the units' resources and what stands in each: unit class * ROWS + row. */
  readonly firstResource: number
  readonly resources: Int32Array
  /** nLILY of one unit of the objective. */
  readonly scale: number
}

/**
 * The relaxation over classes, exact for the linear program over pairs: a variable for each job and run that says how far it bids there, one for each column that
 * says how many of the class run on units of that class. Rows: a job bids once; what bids on a run is served on its columns; units' resources. Money is scaled
 * to the mean bid and resources to what a class has.
 */
export function classModelOf (program: Program): ClassModel {
  const { jobClasses, unitClasses, runs, jobStart, runStart, runOf, runBid, bids, runJob, columnStart, columnRun, columnCost, demand, capacity, unitStart } = program
  const cost: number[] = []
  const upper: number[] = []
  const starts: number[] = [0]
  const indices: number[] = []
  const values: number[] = []
  const rowUpper: number[] = new Array<number>(runs).fill(0)
  let scale = 0
  for (const bid of bids) scale += bid
  scale = Math.max(1, scale / Math.max(1, bids.length))

  for (let job = 0; job < jobClasses; job++) {
    const own = runOf.subarray(runStart[job], runStart[job + 1])
    const count = jobStart[job + 1]! - jobStart[job]!
    for (let rank = 0; own.length > 0 && rank < count;) {
      // Jobs that bid the same on every run are one variable.
      let end = rank + 1
      while (end < count && own.every((run) => bids[runBid[run]! + rank] === bids[runBid[run]! + end])) end++
      const row = own.length > 1 ? rowUpper.push(end - rank) - 1 : -1
      for (const run of own) {
        cost.push(bids[runBid[run]! + rank]! / scale)
        upper.push(end - rank)
        indices.push(run)
        values.push(1)
        if (row >= 0) {
          indices.push(row)
          values.push(1)
        }
        starts.push(indices.length)
      }
      rank = end
    }
  }
  const firstColumn = cost.length
  const firstResource = rowUpper.length
  const resources: number[] = []
  for (let unit = 0; unit < unitClasses; unit++) {
    const units = unitStart[unit + 1]! - unitStart[unit]!
    const rowOf = new Int32Array(ROWS).fill(-1)
    for (let row = 0; row < ROWS; row++) {
      if (capacity[unit * ROWS + row]! <= 0) continue
      rowOf[row] = rowUpper.push(units) - 1
      resources.push(unit * ROWS + row)
    }
    for (let column = columnStart[unit]!; column < columnStart[unit + 1]!; column++) {
      cost.push(-columnCost[column]! / scale)
      upper.push(Number.POSITIVE_INFINITY)
      indices.push(columnRun[column]!)
      values.push(-1)
      for (let row = 0; row < ROWS; row++) {
        const amount = demand[runJob[columnRun[column]!]! * ROWS + row]!
        if (amount === 0 || rowOf[row]! < 0) continue
        indices.push(rowOf[row]!)
        values.push(amount / capacity[unit * ROWS + row]!)
      }
      starts.push(indices.length)
    }
  }
  return {
    columns: cost.length, rows: rowUpper.length, cost: Float64Array.from(cost), upper: Float64Array.from(upper), rowUpper: Float64Array.from(rowUpper),
    starts: Int32Array.from(starts), indices: Int32Array.from(indices), values: Float64Array.from(values), firstColumn, firstResource, resources: Int32Array.from(resources), scale
  }
}
