import type { Highs, ObjectiveSense } from 'highs'
import type { ClassModel } from './model.ts'

/** What HiGHS found: an optimal point and the prices of the units' resources (per unit class and row, nLILY; no negative ones). */
export interface ClassOptimum { readonly status: 'optimal' | 'stopped', readonly objective: number, readonly columns: Float64Array, readonly prices: Float64Array }

// The types know it by name only, the module by number.
const MAXIMIZE = -1 as unknown as ObjectiveSense

/** Solves the relaxation in this thread, by dual simplex. Loads 3.5 MB of WebAssembly on first use. `seconds` is kept to within 0.2 s (measured). */
export async function solveClassModel (model: ClassModel, priceCount: number, capacity: Float64Array, seconds: number): Promise<ClassOptimum> {
  // The package's types are those of its CommonJS build; its ES module exports the loader as default.
  const { default: load } = await import('highs') as unknown as { default: () => Promise<Highs> }
  const highs = await load()
  const instance = highs.createModel({
    numCols: model.columns, numRows: model.rows, sense: MAXIMIZE, colCost: model.cost, colLower: new Float64Array(model.columns), colUpper: model.upper,
    rowLower: new Float64Array(model.rows).fill(Number.NEGATIVE_INFINITY), rowUpper: model.rowUpper,
    matrix: { format: 'csc', numRows: model.rows, numCols: model.columns, starts: model.starts, indices: model.indices, values: model.values }
  })
  try {
    instance.options.set({ output_flag: false, time_limit: seconds, solver: 'simplex' })
    instance.run()
    const solution = instance.getSolution()
    const prices = new Float64Array(priceCount)
    model.resources.forEach((place, at) => {
      const dual = Math.abs(solution.rowDual[model.firstResource + at] ?? 0)
      prices[place] = dual * model.scale / (capacity[place] ?? 1)
    })
    const isOptimal = instance.getModelStatus() === highs.constants.modelStatus.optimal
    return { status: isOptimal ? 'optimal' : 'stopped', objective: instance.getObjectiveValue() * model.scale, columns: Float64Array.from(solution.colValue.subarray(model.firstColumn)), prices }
  } finally {
    instance.dispose()
  }
}
