import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Author } from '../book/author.ts'
import type { BookReplica } from '../book/replica.ts'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { encodeManifest } from '../registry/manifest.ts'
import { RegistryError } from '../registry/errors.ts'
import type { Blocks } from '../store/blocks.ts'
import { moduleManifestShape } from '../wire/module-record.ts'
import { decodeBody } from '../wire/record.ts'
import { moduleRecordShape } from '../wire/module-record.ts'

/** A module folder's module.json: the manifest with a file name in place of the CID. */
const moduleSourceShape = moduleManifestShape.omit({ wasm: true, open: true }).extend({ wasm: z.string().regex(/^[A-Za-z0-9._-]+\.wasm$/), open: z.boolean().default(false), inputs: z.record(z.string(), z.object({ type: z.literal('string').optional(), default: z.string().optional(), maxBytes: z.number() })) })

/**
 * The module-provider role: pins a module folder's program and manifest, and states `name:tag` in the book.
 * Resolves to the manifest CID. Rejects with RegistryError REGISTRY_BAD_MODULE.
 */
export async function publishModule (
  components: { blocks: Blocks, author: Author, replica: BookReplica, logger: Logger },
  options: { folder: string, firstSlot: number, signal: AbortSignal }
): Promise<string> {
  const { blocks, author, replica, logger } = components
  const source = await readSource(options.folder)
  const wasm = await readFile(join(options.folder, source.wasm))
  const wasmCid = await blocks.addBytes(wasm, { pin: true, announce: true, signal: options.signal })
  const inputs = Object.fromEntries(Object.entries(source.inputs).map(([name, { default: fallback, maxBytes }]) => [name, { maxBytes, ...(fallback === undefined ? {} : { default: fallback }) }]))
  const manifest = await blocks.addBytes(encodeManifest({ ...source, wasm: wasmCid, inputs }), { pin: true, announce: true, signal: options.signal })
  const body = { name: source.name, tag: source.tag, manifest }
  const own = replica.book.live('module').filter(({ record }) => record.account === author.account && record.operator === author.operator)
  if (!own.some((entry) => { const known = decodeBody(moduleRecordShape, entry.record); return known.name === body.name && known.tag === body.tag && known.manifest === manifest })) {
    const taken = new Set(own.map((entry) => entry.record.slot))
    let slot = options.firstSlot
    while (taken.has(slot)) slot++
    await replica.publish(await author.put('module', slot, body))
  }
  logger.info('module.published', { ...body })
  return manifest
}

async function readSource (folder: string): Promise<z.output<typeof moduleSourceShape>> {
  const path = join(folder, 'module.json')
  try {
    return moduleSourceShape.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw new RegistryError('REGISTRY_BAD_MODULE', `${path} is no module description: ${errorMessage(error)}`, { data: { path }, cause: error, hint: 'protocol/module.md has the fields.' })
  }
}
