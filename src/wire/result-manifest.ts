import { sha256 } from 'viem'
import { z } from 'zod'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { cidShape, hashShape, millisShape, parseShape, uintShape, type Hash } from './shapes.ts'

/** protocol/result.md. What a provider says of a run; its sha2-256 is what it signs. */
export const resultManifestShape = z.strictObject({
  version: z.literal(1),
  dealId: hashShape,
  /** Id of the job's record. */
  job: hashShape,
  /** Manifest CID of the module. */
  module: cidShape,
  /** CID of the input directory. */
  inputs: cidShape,
  /** CID of the sealed inputs as they travelled; empty: they were not sealed. */
  sealedInputs: z.union([cidShape, z.literal('')]),
  /** CID of the result directory: stdout, stderr, exitCode, outputs/. */
  outputs: cidShape,
  /** CID of the sealed result directory as it travels; empty: the result is not sealed. */
  sealedOutputs: z.union([cidShape, z.literal('')]),
  /** Why the guest ended. */
  reason: z.enum(['exited', 'trapped', 'timeout', 'memory', 'output-limit', 'invalid-module']),
  exitCode: z.number().int().min(-1).max(255),
  message: z.string().max(1024),
  /** sha2-256 of the streams as they are in the result directory. */
  stdoutDigest: hashShape,
  stderrDigest: hashShape,
  /** `fuel`: instructions by the engine's own count, 0 where it counts none. */
  meter: z.strictObject({ wallMs: uintShape, memoryMiB: uintShape, fuel: uintShape }),
  /** Engine, version and limits that outputs may depend on. */
  executor: z.string().max(200),
  finishedAtMs: millisShape
})
export type ResultManifest = z.output<typeof resultManifestShape>

/** A manifest is small; its lists are digests. */
export const MAX_RESULT_MANIFEST_BYTES = 4096

/** Canonical bytes and their sha2-256, which is also the digest inside the document's CID. */
export function encodeResultManifest (manifest: ResultManifest): { bytes: Uint8Array, digest: Hash } {
  const bytes = encodeCbor(parseShape(resultManifestShape, manifest, 'result manifest'))
  return { bytes, digest: sha256(bytes) }
}

/** Checks foreign bytes. Throws WireError. */
export function decodeResultManifest (bytes: Uint8Array): ResultManifest {
  return parseShape(resultManifestShape, decodeCbor(bytes, MAX_RESULT_MANIFEST_BYTES), 'result manifest')
}
