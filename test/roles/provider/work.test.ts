import t from 'tap'
import { createManualClock } from '../../../src/core/clock.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { Deal } from '../../../src/deal/deal.ts'
import { createJournal } from '../../../src/deal/journal.ts'
import type { ExecutionOutcome } from '../../../src/exec/executor.ts'
import { ExecError } from '../../../src/exec/errors.ts'
import { inputsTree } from '../../../src/registry/inputs.ts'
import { encodeManifest, manifestForFile } from '../../../src/registry/manifest.ts'
import { openDealBook } from '../../../src/roles/deal-book.ts'
import { createWorker, type WorkComponents } from '../../../src/roles/provider/work.ts'
import { startReceiptDigest } from '../../../src/wire/deal-messages.ts'
import { dealIdOf } from '../../../src/wire/deal-terms.ts'
import { encodeRecord } from '../../../src/wire/record.ts'
import type { Hash } from '../../../src/wire/shapes.ts'
import { PEER, REST } from '../../deal/deals.ts'
import { createMemoryDatastore } from '../../support/memory-datastore.ts'
import { DOMAIN, jobBody, signRecord, testSigner } from '../../support/records.ts'

const [creator, provider] = [testSigner(1), testSigner(2)]
const [MODULE, INPUTS, WASM] = ['module', 'inputs', 'wasm'].map((_, index) => `bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52z${'aei'[index]}`) as [string, string, string]
const nothing = new Uint8Array(0)
const done: ExecutionOutcome = { reason: 'exited', exitCode: 0, message: '', stdout: new TextEncoder().encode('moo\n'), stderr: nothing, stdoutTruncated: false, stderrTruncated: false, outputs: new Map(), meter: { wallMs: 5, memoryMiB: 1 } }

/** A worker with one open deal, whose parts note in order what is asked of them. */
async function work (change: { check?: () => void, run?: () => ExecutionOutcome } = {}): Promise<{ deal: Deal, asked: string[] }> {
  const asked: string[] = []
  const note = <T>(name: string, value: T): T => { asked.push(name); return value }
  const clock = createManualClock(990_000)
  const job = signRecord(creator, 'job', { body: jobBody({ module: MODULE, inputs: INPUTS }) })
  const deal: Deal = {
    dealId: dealIdOf(DOMAIN, creator.address, 1, 0), role: 'provider', state: 'DealAgreed', epoch: 1, mediators: { mediators: [], weights: [] }, jobRecord: encodeRecord(job), devices: [], peer: PEER, ownSalt: `0x${'1'.repeat(64)}`,
    terms: { core: { creator: creator.address, provider: provider.address, feeTo: provider.address, price: 100, fee: 5, collateral: 300, reserve: 0, jobNumber: 1, attempt: 0, lane: 0, openBy: 900 }, rest: REST },
    transactions: [], updatedAtMs: 0
  }
  const deals = await openDealBook({ journal: createJournal({ datastore: createMemoryDatastore() }, { role: 'provider' }), clock })
  await deals.add(deal)
  const components = {
    deals, clock, signer: provider, logger: silentLogger, chain: { domain: DOMAIN },
    room: {
      start: async (_deal: Deal, receipt: { dealId: Hash, inputRoot: Hash, sealedRoot: Hash, startedAt: number }) => note('receipt', { creatorSignature: creator.sign(startReceiptDigest(DOMAIN, receipt)) }),
      deliver: async () => note('delivered', undefined)
    },
    blocks: {
      getBytes: async (cid: string) => cid === MODULE ? encodeManifest(manifestForFile('guest', WASM, [])) : nothing,
      getTree: async () => inputsTree({}, new Map()),
      addTree: async () => note('stored', WASM), addBytes: async () => MODULE, pin: async () => undefined
    },
    executor: {
      engine: 'wasm', fingerprint: 'test',
      check: () => { note('checked', undefined); change.check?.() },
      run: async () => note('ran', change.run?.() ?? done)
    }
  }
  const worker = createWorker(components as unknown as WorkComponents, { signal: new AbortController().signal })
  worker.work(deal)
  await worker.idle()
  return { deal, asked }
}

t.test('the executor is asked before the start receipt binds the provider, and the result is on disk before it is delivered', async (t) => {
  const { deal, asked } = await work()
  t.same(asked, ['checked', 'receipt', 'ran', 'stored', 'delivered'])
  t.match(deal, { state: 'ResultsSubmitted', start: { startedAt: 990 }, result: { manifestCid: MODULE, outputsCid: WASM } })
})

t.test('a run that the executor would not take gets no receipt: it costs no collateral', async (t) => {
  const { deal, asked } = await work({ check: () => { throw new ExecError('EXEC_BAD_REQUEST', 'too long an argument') } })
  t.same(asked, ['checked'])
  t.match(deal, { state: 'DealAgreed', problem: { code: 'EXEC_BAD_REQUEST' } })
  t.equal(deal.start, undefined)
})

t.test('a host that fails during the run leaves the deal to its deadline, and says why', async (t) => {
  const { deal, asked } = await work({ run: () => { throw new ExecError('EXEC_SPAWN_FAILED', 'no process') } })
  t.same(asked, ['checked', 'receipt'])
  t.match(deal, { state: 'Running', problem: { code: 'EXEC_SPAWN_FAILED' } })
})
