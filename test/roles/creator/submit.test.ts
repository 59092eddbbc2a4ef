import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { encodeManifest, manifestForFile } from '../../../src/registry/manifest.ts'
import { prepareOffer, type JobRequest, type SubmitComponents, type SubmitOptions } from '../../../src/roles/creator/submit.ts'
import { STAGE_LIMITS } from '../../../src/roles/run-job.ts'
import { CID } from '../../deal/deals.ts'

const WASM = Buffer.from('0061736d01000000', 'hex')
const blocks = { addTree: async () => CID, addBytes: async () => CID, getBytes: async () => encodeManifest(manifestForFile('guest', CID, [])) }
const prepare = async (request: Partial<JobRequest> & { module: string }): ReturnType<typeof prepareOffer> => await prepareOffer({ blocks, manifests: new Map() } as unknown as SubmitComponents, { publishers: [], referencePrice: () => 1 } as unknown as SubmitOptions, { inputs: {}, ...request })

t.test('time to stage follows from files and bytes, those of a local program among them', async (t) => {
  const path = join(t.testdir(), 'guest.wasm')
  writeFileSync(path, WASM)
  t.equal((await prepare({ module: path })).stageSeconds, 0)
  const files = new Map(Array.from({ length: 299 }, (_, index) => [`f${index}`, new Uint8Array(1)] as const))
  t.equal((await prepare({ module: CID, files })).stageSeconds, 10, 'with inputs.json 300 files, 30 a second')
  truncateSync(path, 5 * 2 ** 20)
  t.equal((await prepare({ module: path, files: new Map([['big', new Uint8Array(3 * 2 ** 20)]]) })).stageSeconds, 8, 'a MiB a second')
})

t.test('several providers for one job are refused until deals serve them', async (t) => {
  for (const verification of [{ strategy: 'replicate', replicas: 3, quorum: 2 } as const, { strategy: 'compare', replicas: 2, quorum: 2, tolerancePpm: 10 } as const]) {
    await t.rejects(prepare({ module: CID, verification }), { code: 'JOB_REPLICAS_UNSERVED' })
  }
})

t.test('what would be lost without a word is refused: arguments of a published module, a program that nobody would fetch', async (t) => {
  await t.rejects(prepare({ module: CID, args: ['x'] }), { code: 'JOB_ARGUMENTS' })
  const path = join(t.testdir(), 'large.wasm')
  writeFileSync(path, WASM)
  truncateSync(path, STAGE_LIMITS.wasmBytes + 1)
  await t.rejects(prepare({ module: path }), { code: 'JOB_MODULE_TOO_LARGE' })
  await t.rejects(prepare({ module: CID, files: new Map(Array.from({ length: STAGE_LIMITS.inputFiles }, (_, index) => [`f${index}`, new Uint8Array(0)])) }), { code: 'JOB_INPUTS_TOO_LARGE' }, 'with inputs.json one too many')
})
