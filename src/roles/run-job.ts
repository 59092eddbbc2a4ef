import { sha256 } from 'viem'
import { CID } from 'multiformats/cid'
import type { ExecutionOutcome, ExecutionRequest } from '../exec/executor.ts'
import { bindInputs, decodeManifest, MAX_MANIFEST_BYTES } from '../registry/manifest.ts'
import { parseInputs } from '../registry/inputs.ts'
import type { Blocks, FileTree } from '../store/blocks.ts'
import type { JobOffer } from '../wire/job-offer.ts'
import type { ModuleManifest } from '../wire/module-record.ts'
import type { Hash } from '../wire/shapes.ts'

/** Everything a run needs, fetched and checked. */
export interface StagedJob { manifest: ModuleManifest, wasm: Uint8Array, inputs: FileTree, args: string[], env: Record<string, string>, inputRoot: Hash }

/** Bounds on what a job may make us fetch; a module of 64 MiB is a whole language runtime. */
export const STAGE_LIMITS = { wasmBytes: 64 * 2 ** 20, inputBytes: 256 * 2 ** 20, inputFiles: 10_000 } as const
/** Bounds on what a job may give back. */
export const RESULT_LIMITS = { streamBytes: 2 ** 20, outputBytes: 256 * 2 ** 20, outputFiles: 10_000 } as const

/** What a slow node fetches in a second: bitswap asks for every file by itself. */
const STAGE_PACE = { files: 30, bytes: 2 ** 20 } as const

/** Seconds that staging may take beyond what every job has, for so many files and bytes in all. */
export function stageSecondsFor (files: number, bytes: number): number {
  return Math.floor(files / STAGE_PACE.files + bytes / STAGE_PACE.bytes)
}

/** The 32-byte digest inside a CID. */
export function cidDigest (cid: string): Hash {
  return `0x${Buffer.from(CID.parse(cid).multihash.digest).toString('hex')}`
}

/** Fetches module and inputs by CID and binds the inputs. Rejects with StoreError, WireError or RegistryError. */
export async function stageJob (blocks: Pick<Blocks, 'getBytes' | 'getTree'>, job: JobOffer, options: { signal: AbortSignal, from: readonly string[] }): Promise<StagedJob> {
  const [manifestBytes, tree] = await Promise.all([
    blocks.getBytes(job.module, { maxBytes: MAX_MANIFEST_BYTES, ...options }),
    blocks.getTree(job.inputs, { maxBytes: STAGE_LIMITS.inputBytes, maxFiles: STAGE_LIMITS.inputFiles, ...options })
  ])
  const manifest = decodeManifest(manifestBytes)
  const wasm = await blocks.getBytes(manifest.wasm, { maxBytes: STAGE_LIMITS.wasmBytes, ...options })
  const { values, files } = parseInputs(tree)
  return { manifest, wasm, inputs: files, ...bindInputs(manifest, values), inputRoot: cidDigest(job.inputs) }
}

/** What the executor is asked for. The seed and the virtual clock come from the deal, so that a mediator's run sees the same. */
export function executionOf (job: JobOffer, staged: StagedJob, dealId: Hash): ExecutionRequest {
  return {
    module: staged.wasm,
    args: staged.args,
    env: staged.env,
    inputs: staged.inputs,
    limits: {
      wallMs: job.runSeconds * 1000,
      memoryMiB: job.resources.memoryMiB,
      stdoutBytes: RESULT_LIMITS.streamBytes,
      stderrBytes: RESULT_LIMITS.streamBytes,
      outputBytes: Math.min(RESULT_LIMITS.outputBytes, job.resources.diskMiB * 2 ** 20),
      outputFiles: RESULT_LIMITS.outputFiles
    },
    seed: Buffer.from(sha256(dealId).slice(2), 'hex'),
    clockMs: VIRTUAL_EPOCH_MS
  }
}

/** Where every guest's clock starts: 2026-01-01T00:00:00Z. The same for all runs, or a re-execution could not agree. */
const VIRTUAL_EPOCH_MS = 1_767_225_600_000

/** The result directory: stdout, stderr, exitCode and outputs/. */
export function resultTree (outcome: ExecutionOutcome): Map<string, Uint8Array> {
  const tree = new Map<string, Uint8Array>([
    ['stdout', outcome.stdout], ['stderr', outcome.stderr], ['exitCode', new TextEncoder().encode(`${outcome.exitCode}\n`)]
  ])
  for (const [path, bytes] of outcome.outputs) tree.set(`outputs/${path}`, bytes)
  return tree
}
