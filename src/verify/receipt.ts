import { sha256 } from 'viem'
import type { JobOffer } from '../wire/job-offer.ts'
import type { ResultManifest } from '../wire/result-manifest.ts'
import type { Hash } from '../wire/shapes.ts'
import { VerifyError } from './errors.ts'

/** Strategy `receipt`: the manifest speaks of this job, and the fetched outputs are what it says. Throws VerifyError. */
export function checkReceipt (deal: { dealId: Hash, jobOfferId: Hash }, job: JobOffer, manifest: ResultManifest, outputsCid: string, tree: ReadonlyMap<string, Uint8Array>): void {
  const expect = (field: string, expected: string, found: string): void => {
    if (expected !== found) throw new VerifyError('VERIFY_MANIFEST_DIFFERS', `result manifest: ${field} is ${found}, expected ${expected}`, { data: { field, expected, found } })
  }
  expect('dealId', deal.dealId, manifest.dealId)
  expect('job', deal.jobOfferId, manifest.job)
  expect('module', job.module, manifest.module)
  expect('inputs', job.inputs, manifest.inputs)
  expect('outputs', outputsCid, manifest.outputs)
  const read = (name: string): Uint8Array => {
    const bytes = tree.get(name)
    if (bytes === undefined) throw new VerifyError('VERIFY_OUTPUT_MISSING', `the result directory has no ${name}`, { data: { name } })
    return bytes
  }
  expect('stdoutDigest', sha256(read('stdout')), manifest.stdoutDigest)
  expect('stderrDigest', sha256(read('stderr')), manifest.stderrDigest)
  expect('exitCode', new TextDecoder().decode(read('exitCode')).trim(), String(manifest.exitCode))
}
