import { parentPort } from 'node:worker_threads'
import { search, type Found } from './search/search.ts'
import { budgetLeft, type SearchAnswer, type SearchRequest } from './search-messages.ts'

// Entry of a worker thread (src/match/search-thread.ts): the search does not look up while it runs.
parentPort?.on('message', ({ program, ...options }: SearchRequest) => {
  const say = (found: Found, done: boolean): void => {
    const answer: SearchAnswer = { found, done }
    parentPort?.postMessage(answer)
  }
  say(search(program, { ...options, budgetMs: budgetLeft(options), now: () => performance.now(), report: (found) => { say(found, false) } }), true)
})
