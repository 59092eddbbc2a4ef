import { parentPort } from 'node:worker_threads'
import solver from 'javascript-lp-solver'
import type { LpModel } from './lp-model.ts'

/** A message to the worker: one program to solve. */
export interface LpRequest { model: LpModel }
/** The answer: non-zero variables by name; empty when the solver found the program infeasible, which its packing never is. */
export interface LpAnswer { values: Array<[name: string, value: number]> }

// The package's types are those of its CommonJS build; its ES module exports the solver as default.
const lpSolver = solver as unknown as { Solve: (model: LpModel) => Record<string, unknown> }

// Entry of a worker thread (src/match/lp-thread.ts): the solver has no time-out for linear programs, so it runs where it can be terminated.
parentPort?.on('message', ({ model }: LpRequest) => {
  const result = lpSolver.Solve(model)
  const values = Object.keys(model.variables).flatMap((name): Array<[string, number]> => {
    const value = result[name]
    return typeof value === 'number' && value > 0 ? [[name, value]] : []
  })
  const answer: LpAnswer = { values: result['feasible'] === true ? values : [] }
  parentPort?.postMessage(answer)
})
