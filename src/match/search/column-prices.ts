import { ROWS, type Program } from './program.ts'

/** Per column: what its resources cost at the prices. */
export function columnPrices (program: Program, prices: Float64Array, into: Float64Array): void {
  const { unitClasses, columnStart, columnRun, runJob, demand } = program
  for (let unit = 0; unit < unitClasses; unit++) {
    const base = unit * ROWS
    for (let column = columnStart[unit]!; column < columnStart[unit + 1]!; column++) {
      const of = runJob[columnRun[column]!]! * ROWS
      let sum = 0
      for (let row = 0; row < ROWS; row++) sum += prices[base + row]! * demand[of + row]!
      into[column] = sum
    }
  }
}
