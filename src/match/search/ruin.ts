import type { Board } from './board.ts'
import { createHeap } from './heap.ts'
import { MANY_UNITS, ROWS, type Program } from './program.ts'

export interface RuinOptions {
  /** Units emptied at once, at most. */
  readonly units: number
  /** Units drawn for each that is emptied: the one furthest from its price is taken. */
  readonly tournament: number
}

export const DEFAULT_RUIN_OPTIONS: RuinOptions = { units: 3, tournament: 3 }

/** In a book of many units rounds leave out columns and jobs whose reduced cost is more than this share of the mean gain of a placed job: of the last solutions on two books of 1,523 units nothing was beyond 0.2. */
const NEAR = 0.1

export interface Ruin {
  /** `heat`: loss that is accepted at most, as a share of the mean gain of a job. */
  step: (heat: number) => boolean
  /** Places whatever still fits anywhere, even what adds no more than a tick. */
  fillUp: () => void
}

/** Ruin and recreate: empties a few units and fills them again, better or not much worse. `step` does one round and says whether it was kept. */
export function createRuin (program: Program, board: Board, prices: { resources: Float64Array, margin: Float64Array, worth: Float64Array }, seed: number, options: RuinOptions): Ruin {
  const { units, unitClasses, unitClass, columnStart, columnRun, columnCost, columnAsk, runJob, bundle, jobs, jobStart, demand, limits, runBid, bids } = program
  const { resources, margin, worth } = prices
  let state = (seed | 1) >>> 0
  const random = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  let longest = 0
  for (let at = 0; at + 1 < columnStart.length; at++) longest = Math.max(longest, columnStart[at + 1]! - columnStart[at]!)
  const heap = createHeap(longest)
  const noise = new Float64Array(longest)
  const chosen = new Int32Array(options.units)
  const outColumn = new Int32Array(jobs)
  const outUnit = new Int32Array(jobs)
  const outLow = new Int32Array(jobs)
  const outHigh = new Int32Array(jobs)
  const outRank = new Int32Array(jobs)
  const added = new Int32Array(jobs)
  let addedCount = 0
  let mode = 0
  let spreadOf = 0
  let least = Number.MIN_VALUE

  /** Columns that may be used, unit class by unit class: in rounds those whose reduced cost is small, at the end all. */
  let listStart: Int32Array = new Int32Array(unitClasses + 1)
  let list: Int32Array = new Int32Array(columnRun.length)
  const far = units < MANY_UNITS ? Number.POSITIVE_INFINITY : NEAR * board.worth / Math.max(1, board.placed.reduce((sum, count) => sum + count, 0))
  let listed = 0
  for (let kind = 0; kind < unitClasses; kind++) {
    for (let column = columnStart[kind]!; column < columnStart[kind + 1]!; column++) {
      if (columnCost[column]! + resources[column]! - margin[columnRun[column]!]! <= far) list[listed++] = column
    }
    listStart[kind + 1] = listed
  }

  /** What the unit's price says it should bring, less what it brings. */
  const gap = (unit: number): number => {
    let sum = worth[unitClass[unit]!]!
    for (let place = board.first[unit]!; place >= 0; place = board.next[place]!) {
      const column = board.column[place]!
      sum += columnCost[column]! - margin[columnRun[column]!]!
    }
    return sum
  }
  const draw = (): number => {
    let best = Math.floor(random() * units)
    let bestGap = gap(best)
    for (let turn = 1; turn < options.tournament; turn++) {
      const other = Math.floor(random() * units)
      const otherGap = gap(other)
      if (otherGap > bestGap) {
        best = other
        bestGap = otherGap
      }
    }
    return best
  }
  const score = (column: number, gain: number): number => {
    const price = resources[column]!
    if (mode === 0) return gain - price
    if (mode === 1) return gain / (price + 1)
    if (mode === 2) return margin[columnRun[column]!]! - columnCost[column]! - price
    return gain
  }
  const fill = (unit: number): void => {
    const kind = unitClass[unit]!
    const cpu = board.free[unit * 3]!
    const memory = board.free[unit * 3 + 1]!
    const first = columnStart[kind]!
    const end = listStart[kind + 1]!
    heap.size = 0
    for (let at = listStart[kind]!; at < end; at++) {
      const column = list[at]!
      const run = columnRun[column]!
      const job = runJob[run]!
      // Most columns fail here: looked at before all that costs more.
      if (demand[job * ROWS]! > cpu || demand[job * ROWS + 1]! > memory) continue
      const rank = board.placed[job]!
      const next = jobStart[job]! + rank
      if (next === jobStart[job + 1]! || limits[next]! < columnAsk[column]!) continue
      const gain = bids[runBid[run]! + rank]! - columnCost[column]!
      if (gain < least || gain - resources[column]! < -far || bundle[job]! >= 0) continue
      noise[column - first] = 1 + spreadOf * (random() - 0.5)
      heap.append(column, score(column, gain * noise[column - first]!))
    }
    heap.order()
    while (heap.size > 0) {
      const column = heap.item[0]!
      const gain = board.gain(column)
      // What does not fit now does not fit later.
      if (!(gain >= least) || !board.fits(column, unit)) {
        heap.pop()
        continue
      }
      // A job of its class was placed by another column: the next one brings less.
      const value = score(column, gain * noise[column - first]!)
      if (value < heap.value[0]!) {
        heap.lower(value)
        continue
      }
      added[addedCount++] = board.place(column, unit)
    }
  }

  return {
    step: (heat) => {
      const before = board.worth
      const many = 1 + Math.floor(random() * options.units)
      let outs = 0
      let chosenCount = 0
      const whole = random() < 0.5
      for (let turn = 0; turn < many; turn++) {
        const unit = draw()
        let isNew = true
        for (let at = 0; at < chosenCount; at++) if (chosen[at] === unit) isNew = false
        if (!isNew) continue
        chosen[chosenCount++] = unit
        for (let place = board.first[unit]!; place >= 0;) {
          const following = board.next[place]!
          const column = board.column[place]!
          if (bundle[runJob[columnRun[column]!]!]! < 0 && (whole || random() < 0.6)) {
            outColumn[outs] = column
            outUnit[outs] = unit
            outLow[outs] = board.low[place]!
            outHigh[outs] = board.high[place]!
            outRank[outs++] = board.rank[place]!
            board.remove(place)
          }
          place = following
        }
      }
      addedCount = 0
      mode = Math.floor(random() * 4)
      spreadOf = random() < 0.5 ? 0.1 : 0.4
      for (let at = 0; at < chosenCount; at++) fill(chosen[at]!)
      if (board.worth >= before - heat * before / jobs * random()) return true
      for (let at = addedCount - 1; at >= 0; at--) board.remove(added[at]!)
      for (let at = outs - 1; at >= 0; at--) board.restore(outColumn[at]!, outUnit[at]!, outLow[at]!, outHigh[at]!, outRank[at]!)
      return false
    },
    fillUp: () => {
      least = 0
      mode = 0
      spreadOf = 0
      listStart = columnStart
      list = new Int32Array(columnRun.length)
      for (let column = 0; column < list.length; column++) list[column] = column
      for (let unit = 0; unit < units; unit++) {
        addedCount = 0
        fill(unit)
      }
      least = Number.MIN_VALUE
    }
  }
}
