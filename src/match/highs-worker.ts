import { parentPort } from 'node:worker_threads'
import { roundedOptimum } from './highs/round.ts'
import { search } from './search/search.ts'
import { budgetLeft, type SearchAnswer, type SearchRequest } from './search-messages.ts'

/** Columns of the largest book that HiGHS solves in seconds: 50,000 take 5 s, 250,000 a minute (measured). */
const MAX_COLUMNS = 50_000

// Entry of a worker thread (src/match/search-thread.ts): HiGHS runs in WebAssembly and answers nothing meanwhile.
parentPort?.on('message', ({ program, ...options }: SearchRequest) => {
  const withoutHighs = (): ReturnType<typeof search> => search(program, { ...options, now: () => performance.now(), report: () => undefined, maxRounds: 0 })
  const say = (answer: SearchAnswer): void => { parentPort?.postMessage(answer) }
  const first = withoutHighs()
  say({ found: first, done: program.columnRun.length > MAX_COLUMNS })
  if (program.columnRun.length > MAX_COLUMNS) return
  roundedOptimum(program, budgetLeft(options) / 1000).then(
    (found) => { say({ found: found !== undefined && found.worth > first.worth ? found : { ...first, ...(found !== undefined && found.bound < first.bound ? { bound: found.bound, prices: found.prices } : {}) }, done: true }) },
    // An error of the package carries its whole minified source.
    (error: unknown) => { throw new Error(`HiGHS: ${error instanceof Error ? error.message.slice(0, 200) : 'failed'}`) }
  )
})
