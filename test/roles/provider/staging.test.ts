import t from 'tap'
import { createManualClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { Deal } from '../../../src/deal/deal.ts'
import { inputsTree } from '../../../src/registry/inputs.ts'
import { encodeManifest, manifestForFile } from '../../../src/registry/manifest.ts'
import { createStaging, type Staging } from '../../../src/roles/provider/staging.ts'
import type { Blocks } from '../../../src/store/blocks.ts'
import { StoreError } from '../../../src/store/errors.ts'
import { jobOfferShape } from '../../../src/wire/job-offer.ts'
import { PEER, REST } from '../../deal/deals.ts'
import { jobBody } from '../../support/records.ts'

const [MODULE, INPUTS, WASM] = ['a', 'e', 'i'].map((end) => `bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52z${end}`) as [string, string, string]
const job = jobOfferShape.parse(jobBody({ module: MODULE, inputs: INPUTS }))
/** It may start until second 1000, sixteen from now. */
const deal = { dealId: `0x${'1'.repeat(64)}`, peer: PEER, terms: { rest: REST } } as unknown as Deal

/** Staging from a creator whose nth answer, from 0, is `answer(n)`; undefined: it never comes. `waiting` resolves when one does not. */
function stage (answer: (question: number) => 'comes' | StoreError | undefined): { staging: Staging, clock: ReturnType<typeof createManualClock>, asked: number[], waiting: () => Promise<void> } {
  const clock = createManualClock(984_000)
  const asked: number[] = []
  let unanswered = Promise.withResolvers<void>()
  const blocks = {
    getBytes: async (cid: string, { signal }: { signal: AbortSignal }) => {
      if (cid === WASM) return new Uint8Array(0)
      asked.push(clock.now())
      const given = answer(asked.length - 1)
      if (given instanceof StoreError) throw given
      if (given === 'comes') return encodeManifest(manifestForFile('guest', WASM, []))
      unanswered.resolve()
      return await new Promise((_, reject) => { signal.addEventListener('abort', () => { reject(signal.reason as Error) }) })
    },
    getTree: async () => inputsTree({}, new Map())
  } as unknown as Blocks
  const staging = createStaging({ blocks, clock, logger: silentLogger }, { signal: new AbortController().signal })
  return { staging, clock, asked, waiting: async () => { await unanswered.promise; unanswered = Promise.withResolvers() } }
}
/** Lets what has been decided be done. */
const turn = async (): Promise<void> => { await new Promise(setImmediate) }

t.test('a question that is lost is asked again after half of the time that is left', async (t) => {
  const { staging, clock, asked, waiting } = stage((question) => question === 1 ? 'comes' : undefined)
  const staged = staging.stage(deal, job)
  await waiting()
  clock.advance(8000)
  await turn()
  clock.advance(500)
  t.match(await staged, { args: [] })
  t.same(asked, [984_000, 992_500])
})

t.test('what nobody has until the deal must start is not to be had', async (t) => {
  const { staging, clock, asked } = stage(() => undefined)
  const staged = staging.stage(deal, job)
  let isOver = false
  staged.catch(() => { isOver = true })
  while (!isOver) {
    clock.advance(500)
    await turn()
  }
  await t.rejects(staged, { code: 'STORE_NOT_FOUND' })
  t.ok(clock.now() <= 1_001_000, `given up at ${clock.now()}`)
  t.ok(asked.length > 3 && asked.length < 8, `asked ${asked.length} times`)
})

t.test('what is wrong is not asked for again', async (t) => {
  const { staging, asked } = stage(() => new StoreError('STORE_TOO_LARGE', 'too large'))
  await t.rejects(staging.stage(deal, job), { code: 'STORE_TOO_LARGE' })
  t.equal(asked.length, 1)
})

t.test('a deal is staged once, and anew when that failed or was forgotten', async (t) => {
  const { staging, asked } = stage((question) => question === 0 ? new StoreError('STORE_CORRUPT', 'corrupt') : 'comes')
  await t.rejects(Promise.all([staging.stage(deal, job), staging.stage(deal, job)]), { code: 'STORE_CORRUPT' })
  t.equal(asked.length, 1)
  await staging.stage(deal, job)
  await staging.stage(deal, job)
  t.equal(asked.length, 2)
  staging.forget(deal)
  await staging.stage(deal, job)
  t.equal(asked.length, 3)
})
