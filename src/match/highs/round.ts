import { createBoard } from '../search/board.ts'
import { columnPrices } from '../search/column-prices.ts'
import { bestUnit, construct } from '../search/construct.ts'
import { createDuals } from '../search/duals.ts'
import { ROWS, type Program } from '../search/program.ts'
import { placesOf, type Found } from '../search/search.ts'
import { classModelOf } from './model.ts'
import { solveClassModel } from './solve.ts'

/** A little below a whole number is one: the solver's points are off by 1e-7. */
const ROUNDING = 1e-6

/** The relaxation's optimum with its columns rounded down, then filled up by its dual prices. Undefined when there was no optimum within the time. */
export async function roundedOptimum (program: Program, seconds: number): Promise<Found | undefined> {
  const model = classModelOf(program)
  if (model.columns === 0) return undefined
  const optimum = await solveClassModel(model, program.unitClasses * ROWS, program.capacity, seconds)
  if (optimum.status !== 'optimal') return undefined
  const duals = createDuals(program)
  duals.evaluate(optimum.prices)
  const resources = new Float64Array(program.columnRun.length)
  columnPrices(program, optimum.prices, resources)
  const board = createBoard(program)
  for (let unitClass = 0; unitClass < program.unitClasses; unitClass++) {
    for (let column = program.columnStart[unitClass]!; column < program.columnStart[unitClass + 1]!; column++) {
      if (program.bundle[program.runJob[program.columnRun[column]!]!]! >= 0) continue
      for (let left = Math.floor(optimum.columns[column]! + ROUNDING); left > 0 && board.gain(column) > 0; left--) {
        const unit = bestUnit(program, board, column, unitClass)
        if (unit < 0) break
        board.place(column, unit)
      }
    }
  }
  construct(program, board, { resources, margin: duals.best.margin })
  return { places: placesOf(program, board), worth: board.worth, prices: optimum.prices, bound: duals.best.bound, rounds: 0 }
}
