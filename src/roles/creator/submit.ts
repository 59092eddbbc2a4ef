import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { errorMessage } from '../../core/errors.ts'
import type { DealParameters } from '../../deal/options.ts'
import type { MatchRules } from '../../match/problem.ts'
import { bindInputs, decodeManifest, encodeManifest, manifestForFile, MAX_MANIFEST_BYTES } from '../../registry/manifest.ts'
import { inputsTree } from '../../registry/inputs.ts'
import { parseModuleReference, resolveName } from '../../registry/resolve.ts'
import type { BookReplica } from '../../book/replica.ts'
import type { Blocks } from '../../store/blocks.ts'
import type { JobOffer, Verification } from '../../wire/job-offer.ts'
import type { ModuleManifest } from '../../wire/module-record.ts'
import type { Address } from '../../wire/shapes.ts'
import { RoleError } from '../errors.ts'
import { STAGE_LIMITS, stageSecondsFor } from '../run-job.ts'

/** What a user asks for. Everything but the module has a default. */
export interface JobRequest {
  module: string
  inputs: Record<string, string>
  /** Files for /inputs, by relative path. */
  files?: ReadonlyMap<string, Uint8Array>
  /** argv after the program name, for local .wasm files. */
  args?: readonly string[]
  targets?: Address[]
  /** nLILY for the whole run. */
  maxPrice?: number
  verification?: Verification
  runSeconds?: number
  cpuMilli?: number
  memoryMiB?: number
  diskMiB?: number
}

/** Time that fetching a manifest from peers may take. */
const RESOLVE_TIMEOUT_MS = 10_000
/** Without --max-price a job pays at most this multiple of the reference price. */
const DEFAULT_LIMIT_FACTOR = 3
/** Manifests are at most 64 KB. */
const MAX_MANIFESTS = 256

/** Manifests by CID, also while they are being fetched: a burst of jobs asks the network once. */
export type ManifestCache = Map<string, Promise<ModuleManifest>>

export interface SubmitComponents { replica: Pick<BookReplica, 'book'>, blocks: Blocks, manifests: ManifestCache }
export interface SubmitOptions { publishers: readonly Address[], rules: MatchRules, parameters: DealParameters, referencePrice: (job: Pick<JobOffer, 'resources' | 'runSeconds'>) => number }

/** The parts of an offer that follow from a request: module, pinned inputs, resources, price limit. */
export async function prepareOffer (
  components: SubmitComponents, options: SubmitOptions, request: JobRequest
): Promise<Pick<JobOffer, 'module' | 'moduleName' | 'inputs' | 'engine' | 'resources' | 'runSeconds' | 'stageSeconds' | 'limit' | 'verification' | 'targets'>> {
  if (request.verification !== undefined && 'replicas' in request.verification) throw new RoleError('JOB_REPLICAS_UNSERVED', `several providers for one job (${request.verification.strategy}) are matched and not served yet`, { data: { verification: request.verification }, hint: 'Use the verification none, receipt or audit.' })
  const { cid, manifest, wasmBytes } = await resolveModule(components, options, request)
  bindInputs(manifest, request.inputs)
  const tree = inputsTree(request.inputs, request.files ?? new Map())
  const bytes = [...tree.values()].reduce((sum, { byteLength }) => sum + byteLength, 0)
  if (tree.size > STAGE_LIMITS.inputFiles || bytes > STAGE_LIMITS.inputBytes) throw new RoleError('JOB_INPUTS_TOO_LARGE', `the inputs are ${tree.size} files of ${bytes} bytes`, { data: { files: tree.size, bytes, limits: STAGE_LIMITS }, hint: `No provider fetches more than ${STAGE_LIMITS.inputFiles} files or ${STAGE_LIMITS.inputBytes} bytes; put many small ones into an archive.` })
  const stageSeconds = stageSecondsFor(tree.size, bytes + wasmBytes)
  const inputs = await components.blocks.addTree(tree, { pin: true, signal: AbortSignal.timeout(RESOLVE_TIMEOUT_MS + stageSeconds * 1000) })
  const resources = {
    cpuMilli: request.cpuMilli ?? manifest.resources.cpuMilli,
    memoryMiB: request.memoryMiB ?? manifest.resources.memoryMiB,
    diskMiB: request.diskMiB ?? manifest.resources.diskMiB
  }
  const runSeconds = request.runSeconds ?? manifest.runSeconds
  return {
    module: cid,
    moduleName: `${manifest.name}:${manifest.tag}`,
    inputs, engine: manifest.engine, resources, runSeconds, stageSeconds,
    limit: request.maxPrice ?? DEFAULT_LIMIT_FACTOR * options.referencePrice({ resources, runSeconds }),
    verification: request.verification ?? { strategy: 'receipt', auditBp: 0 },
    targets: request.targets ?? []
  }
}

/** `wasmBytes`: size of a program that comes with the job; 0 for a published one, which providers have or fetch as they do any. */
interface ResolvedModule { cid: string, manifest: ModuleManifest, wasmBytes: number }

async function resolveModule (components: SubmitComponents, options: SubmitOptions, request: JobRequest): Promise<ResolvedModule> {
  const { blocks, replica } = components
  const reference = parseModuleReference(request.module)
  if (reference.kind !== 'file' && (request.args ?? []).length > 0) throw new RoleError('JOB_ARGUMENTS', `${request.module} takes inputs, no arguments`, { data: { module: request.module, args: request.args }, hint: 'Arguments are for local .wasm files; a published module takes -i K=V.' })
  if (reference.kind === 'file') return await addLocalModule(blocks, reference.path, request.args ?? [])
  const cid = reference.kind === 'manifest' ? reference.cid : resolveName(reference, replica.book.live('module'), options.publishers)
  let fetching = components.manifests.get(cid)
  if (fetching === undefined) {
    fetching = blocks.getBytes(cid, { maxBytes: MAX_MANIFEST_BYTES, signal: AbortSignal.timeout(RESOLVE_TIMEOUT_MS) }).then(decodeManifest)
    fetching.catch(() => { components.manifests.delete(cid) })
    components.manifests.set(cid, fetching)
    if (components.manifests.size > MAX_MANIFESTS) components.manifests.delete(components.manifests.keys().next().value as string)
  }
  try {
    return { cid, manifest: await fetching, wasmBytes: 0 }
  } catch (error) {
    throw new RoleError('JOB_MODULE_UNAVAILABLE', `the manifest ${cid} of ${request.module} could not be read: ${errorMessage(error)}`, { data: { module: request.module, cid }, cause: error, hint: 'Nobody reachable serves it, or it is not a lilynode manifest.' })
  }
}

async function addLocalModule (blocks: Blocks, path: string, args: readonly string[]): Promise<ResolvedModule> {
  const signal = AbortSignal.timeout(RESOLVE_TIMEOUT_MS)
  let wasm: Uint8Array
  try {
    wasm = await readFile(path)
  } catch (error) {
    throw new RoleError('JOB_MODULE_UNAVAILABLE', `cannot read ${path}: ${errorMessage(error)}`, { data: { path }, cause: error, hint: 'Name a .wasm file that this node can read.' })
  }
  if (wasm.length > STAGE_LIMITS.wasmBytes) throw new RoleError('JOB_MODULE_TOO_LARGE', `${path} has ${wasm.length} bytes`, { data: { path, bytes: wasm.length, most: STAGE_LIMITS.wasmBytes }, hint: `A program has at most ${STAGE_LIMITS.wasmBytes} bytes; give it its data as inputs.` })
  if (wasm.length < 8 || Buffer.from(wasm.subarray(0, 4)).toString('latin1') !== '\0asm') {
    throw new RoleError('JOB_NOT_WASM', `${path} is not a WebAssembly file`, { data: { path, bytes: wasm.length }, hint: 'Compile for a WASI preview 1 target (wasm32-wasi).' })
  }
  const wasmCid = await blocks.addBytes(wasm, { pin: true, signal })
  const name = basename(path, '.wasm').toLowerCase().replace(/[^a-z0-9._-]/g, '-').replace(/^[^a-z0-9]+/, '') || 'local'
  const manifest = manifestForFile(name.slice(0, 64), wasmCid, args)
  return { cid: await blocks.addBytes(encodeManifest(manifest), { pin: true, signal }), manifest, wasmBytes: wasm.length }
}
