import { bytesToHex } from 'viem'
import { delegate, jobBody, MODULE_BODY, offerBody, testSigner } from '../../test/support/records.ts'
import { encodeCbor } from '../../src/wire/cbor.ts'
import { encodeHello } from '../../src/wire/hello.ts'
import { encodeResultManifest, type ResultManifest } from '../../src/wire/result-manifest.ts'
import type { Hash } from '../../src/wire/shapes.ts'

const word = (byte: number): Hash => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`

/** protocol/vectors/documents.json: documents as their pages give them, and the canonical bytes that are hashed and signed. */
export function documentVectors (): Record<string, unknown> {
  const account = testSigner(1)
  const job = jobBody({
    gpus: [{ models: ['a100', 'h100'], vramMiB: 40_960, shareBp: 2500 }], mediators: [testSigner(3).address], targets: [testSigner(4).address], avoid: [testSigner(5).address], attempt: 2, collateralBp: 30_000,
    sealKey: word(1), market: 'gpu', mediatorSets: [word(2)], watcher: testSigner(6).address, matchedUntil: 1_700_000_000_000, locality: ['eu-west'], group: { id: word(3), index: 1, size: 3 }
  })
  const offer = offerBody({ gpus: [{ model: 'h100', vramMiB: 81_920, shareBp: 10_000, secondAsk: 1_000_000 }], market: 'gpu', collateral: 5_000_000_000, hardwareClass: 'h100-sxm', freeFrom: 1_700_000_000_000, locality: ['eu-west'] })
  const manifest: ResultManifest = {
    version: 1, dealId: word(4), job: word(5), module: job.module, inputs: job.inputs, sealedInputs: '', outputs: job.inputs, sealedOutputs: '', reason: 'exited', exitCode: 0, message: '', stdoutDigest: word(6), stderrDigest: word(7),
    meter: { wallMs: 12, memoryMiB: 2, fuel: 0 }, executor: 'wasm;wasi=preview1/1', finishedAtMs: 1_700_000_000_000
  }
  const hello = { delegation: delegate(account, testSigner(2).address), roles: ['module-provider'] }
  const { bytes, digest } = encodeResultManifest(manifest)
  return {
    'documents.json': {
      about: 'Documents and their deterministic CBOR (protocol/record.md). A job, offer or module is the body of a record; a manifest also has the sha2-256 that its provider signs.',
      job: { document: job, cbor: bytesToHex(encodeCbor(job)) },
      offer: { document: offer, cbor: bytesToHex(encodeCbor(offer)) },
      module: { document: MODULE_BODY, cbor: bytesToHex(encodeCbor(MODULE_BODY)) },
      resultManifest: { document: manifest, cbor: bytesToHex(bytes), digest },
      hello: { document: hello, cbor: bytesToHex(encodeHello(hello)) }
    }
  }
}
