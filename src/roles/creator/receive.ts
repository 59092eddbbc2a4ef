import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create as createDigest } from 'multiformats/hashes/digest'
import { sha256 } from 'viem'
import type { Deal } from '../../deal/deal.ts'
import { DealError } from '../../deal/errors.ts'
import type { Blocks } from '../../store/blocks.ts'
import { checkReceipt } from '../../verify/receipt.ts'
import { resultCommitDigest } from '../../wire/deal-messages.ts'
import type { DealRequestOf } from '../../wire/deal-room.ts'
import { jobOfferShape, type JobOffer } from '../../wire/job-offer.ts'
import { decodeBody, decodeRecord } from '../../wire/record.ts'
import { decodeResultManifest, MAX_RESULT_MANIFEST_BYTES, type ResultManifest } from '../../wire/result-manifest.ts'
import { recoverSigner } from '../../wire/signature.ts'
import type { Domain } from '../../wire/typed-data.ts'
import { cidDigest, RESULT_LIMITS } from '../run-job.ts'

/** A result whose outputs this node holds and has compared with the manifest. */
export interface ReceivedResult { manifest: ResultManifest, tree: Map<string, Uint8Array> }

/** The job that a deal is about, from the record both journalled. */
export function jobOfDeal (domain: Domain, deal: Deal): JobOffer {
  return decodeBody(jobOfferShape, decodeRecord(domain, deal.jobRecord))
}

/** Checks the provider's signature and that manifest, CID and output root belong together. Throws DealError, WireError. */
export function checkResultMessage (domain: Domain, deal: Deal, message: DealRequestOf<'result'>): NonNullable<Deal['result']> {
  const digest = sha256(message.manifest)
  const signer = recoverSigner(resultCommitDigest(domain, { dealId: deal.dealId, manifest: digest, outputRoot: message.outputRoot }), message.signature)
  if (signer !== deal.terms.core.provider) throw new DealError('DEAL_BAD_SIGNATURE', 'the result is not signed by the provider', { data: { dealId: deal.dealId } })
  const manifest = decodeResultManifest(message.manifest)
  const expectedCid = CID.createV1(raw.code, createDigest(0x12, Buffer.from(digest.slice(2), 'hex'))).toString()
  if (message.manifestCid !== expectedCid || cidDigest(manifest.outputs) !== message.outputRoot) throw new DealError('DEAL_WRONG_MANIFEST', 'manifest, CID and output root do not belong together', { data: { dealId: deal.dealId } })
  return { manifest: digest, outputRoot: message.outputRoot, manifestCid: message.manifestCid, outputsCid: manifest.outputs, manifestBytes: message.manifest, signature: message.signature }
}

/** Fetches manifest and outputs by CID (every block checked by its hash) and compares them. Rejects with StoreError, VerifyError. */
export async function fetchResult (blocks: Blocks, domain: Domain, deal: Deal, signal: AbortSignal): Promise<ReceivedResult> {
  const { result } = deal
  if (result === undefined) throw new DealError('DEAL_NO_RESULT', 'the deal has no result yet', { data: { dealId: deal.dealId } })
  const fetch = { signal, from: [deal.peer] }
  const [manifestBytes, tree] = await Promise.all([
    blocks.getBytes(result.manifestCid, { maxBytes: MAX_RESULT_MANIFEST_BYTES, ...fetch }),
    blocks.getTree(result.outputsCid, { maxBytes: RESULT_LIMITS.outputBytes + 2 * RESULT_LIMITS.streamBytes + 64, maxFiles: RESULT_LIMITS.outputFiles + 3, ...fetch })
  ])
  const manifest = decodeResultManifest(manifestBytes)
  checkReceipt({ dealId: deal.dealId, jobOfferId: deal.terms.rest.jobOfferId }, jobOfDeal(domain, deal), manifest, result.outputsCid, tree)
  return { manifest, tree }
}

/** Writes the result folder as a whole or not at all: a reader never sees half of it. */
export async function writeResultFolder (path: string, tree: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const partial = `${path}.partial`
  await rm(partial, { recursive: true, force: true })
  await mkdir(join(partial, 'outputs'), { recursive: true })
  for (const [name, bytes] of tree) {
    const file = join(partial, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, bytes)
  }
  await rm(path, { recursive: true, force: true })
  await rename(partial, path)
}
