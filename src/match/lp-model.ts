import type { Market } from './market.ts'
import type { Packing } from './packing.ts'
import type { Pairs } from './pairs.ts'
import type { JobRow } from './problem.ts'

/** A linear program in the form javascript-lp-solver reads: maximise `w`, rows `<=`, one variable per pair named by its number. */
export interface LpModel {
  optimize: 'w'
  opType: 'max'
  constraints: Record<string, { max: number }>
  variables: Record<string, Record<string, number>>
}

/** Coefficients lie in O(1..1000): unscaled ones of 1e6 make the solver break capacities by more than 1e-5 (measured). */
const OBJECTIVE_SCALE = 1000
const ROW_SCALE = 100

/**
 * The relaxation over some pairs of jobs that stand alone: each at most once, unit capacities and account collateral as `packing` leaves them free. They must
 * not be placed. Rows that cannot bind are left out, and devices: the repair looks after them.
 */
export function buildLpModel (market: Market, pairs: Pairs, packing: Packing, columns: readonly number[]): LpModel {
  const rows = new Map<string, { free: number, demand: number }>()
  const entries: Array<Array<[row: string, amount: number]>> = []
  let largest = 1
  for (const pair of columns) {
    const job = pairs.job[pair] as number
    const offer = pairs.offer[pair] as number
    const unit = market.unitOf[offer] as number
    const account = market.accountOf[offer] as number
    const demand = (market.jobs[job] as JobRow).offer.resources
    const free = packing.free(unit)
    // Jobs of a program have one copy, so one number.
    const task = `t${market.tasksOf[job]?.[0]}`
    const column: Array<[string, number]> = [[task, 1]]
    note(rows, task, 1, 1)
    for (const name of ['cpuMilli', 'memoryMiB', 'diskMiB'] as const) {
      column.push([`${name}${unit}`, demand[name]])
      note(rows, `${name}${unit}`, free[name], demand[name])
    }
    column.push([`m${account}`, pairs.collateral[pair] as number])
    note(rows, `m${account}`, packing.freeCollateral(account), pairs.collateral[pair] as number)
    entries.push(column)
    largest = Math.max(largest, pairs.welfare[pair] as number)
  }

  const model: LpModel = { optimize: 'w', opType: 'max', constraints: {}, variables: {} }
  const scaleOf = (row: { free: number }): number => ROW_SCALE / Math.max(1, row.free)
  for (const [name, row] of rows) {
    // Job rows always stand: they bound the variables.
    if (name.startsWith('t')) model.constraints[name] = { max: 1 }
    else if (row.demand > row.free) model.constraints[name] = { max: row.free * scaleOf(row) }
  }
  columns.forEach((pair, at) => {
    const variable: Record<string, number> = { w: (pairs.welfare[pair] as number) / largest * OBJECTIVE_SCALE }
    for (const [name, amount] of entries[at] as Array<[string, number]>) {
      if (model.constraints[name] === undefined) continue
      variable[name] = name.startsWith('t') ? 1 : amount * scaleOf(rows.get(name) as { free: number })
    }
    model.variables[String(pair)] = variable
  })
  return model
}

function note (rows: Map<string, { free: number, demand: number }>, name: string, free: number, demand: number): void {
  const row = rows.get(name)
  if (row === undefined) rows.set(name, { free, demand })
  else row.demand += demand
}
