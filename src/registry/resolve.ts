import type { Entry } from '../book/book.ts'
import { decodeBody } from '../wire/record.ts'
import { moduleRecordShape } from '../wire/module-record.ts'
import { addressShape, type Address } from '../wire/shapes.ts'
import { RegistryError } from './errors.ts'

/** How a user may name a module. */
export type ModuleReference =
  | { kind: 'file', path: string }
  | { kind: 'manifest', cid: string }
  | { kind: 'name', publisher?: Address, name: string, tag: string }

const NAME = /^(?:(0x[0-9a-fA-F]{40})\/)?([a-z0-9][a-z0-9._-]{0,63})(?::([A-Za-z0-9][A-Za-z0-9._-]{0,63}))?$/

/** `x.wasm` or a path, `bafy...`, `[0xPUBLISHER/]name[:tag]` (tag `latest` when left out). Throws RegistryError REGISTRY_BAD_REFERENCE. */
export function parseModuleReference (text: string): ModuleReference {
  if (text.endsWith('.wasm') || text.startsWith('./') || text.startsWith('/')) return { kind: 'file', path: text }
  if (/^b[a-z2-7]{50,}$/.test(text)) return { kind: 'manifest', cid: text }
  const match = NAME.exec(text)
  if (match === null) {
    throw new RegistryError('REGISTRY_BAD_REFERENCE', `"${text}" names no module`, { data: { reference: text }, hint: 'Use name:tag, 0xPUBLISHER/name:tag, a manifest CID, or the path of a .wasm file.' })
  }
  const [, publisher, name = '', tag = 'latest'] = match
  return { kind: 'name', name, tag, ...(publisher === undefined ? {} : { publisher: addressShape.parse(publisher.toLowerCase()) }) }
}

/**
 * The manifest CID that a name means: the record of the named publisher, else of the first trusted publisher that has one.
 * `latest` is the record with the highest seq. Throws RegistryError REGISTRY_UNKNOWN_MODULE.
 */
export function resolveName (reference: { publisher?: Address, name: string, tag: string }, entries: readonly Entry[], trusted: readonly Address[]): string {
  const publishers = reference.publisher === undefined ? trusted : [reference.publisher]
  for (const publisher of publishers) {
    const found = entries
      .filter((entry) => entry.record.account === publisher)
      .map((entry) => ({ seq: entry.record.seq, body: decodeBody(moduleRecordShape, entry.record) }))
      .filter(({ body }) => body.name === reference.name && (reference.tag === 'latest' || body.tag === reference.tag))
      .sort((a, b) => b.seq - a.seq)[0]
    if (found !== undefined) return found.body.manifest
  }
  const known = [...new Set(entries.filter((entry) => publishers.includes(entry.record.account)).map((entry) => decodeBody(moduleRecordShape, entry.record)).map(({ name, tag }) => `${name}:${tag}`))]
  throw new RegistryError('REGISTRY_UNKNOWN_MODULE', `no module record for ${reference.name}:${reference.tag}`, {
    data: { name: reference.name, tag: reference.tag, known: known.slice(0, 20) },
    hint: known.length === 0 ? 'This node holds no module records yet; is it connected?' : `Known here: ${known.slice(0, 5).join(', ')}.`
  })
}
