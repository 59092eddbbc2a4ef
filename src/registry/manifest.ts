import { decodeCbor, encodeCbor } from '../wire/cbor.ts'
import { moduleManifestShape, type ModuleManifest } from '../wire/module-record.ts'
import { parseShape } from '../wire/shapes.ts'
import { RegistryError } from './errors.ts'

/** Largest manifest document. */
export const MAX_MANIFEST_BYTES = 65_536

/** The document behind a manifest CID. */
export function encodeManifest (manifest: ModuleManifest): Uint8Array {
  return encodeCbor(parseShape(moduleManifestShape, manifest, 'module manifest'))
}

/** Checks a fetched manifest. Throws WireError. */
export function decodeManifest (bytes: Uint8Array): ModuleManifest {
  return parseShape(moduleManifestShape, decodeCbor(bytes, MAX_MANIFEST_BYTES), 'module manifest')
}

/** What a local .wasm file without a manifest is taken for: any input becomes an environment variable. */
export function manifestForFile (name: string, wasm: string, args: readonly string[]): ModuleManifest {
  return {
    name, tag: 'local', engine: 'wasm', wasm, args: [name, ...args], inputs: {}, open: true,
    resources: { cpuMilli: 100, memoryMiB: 64, diskMiB: 64 }, runSeconds: 10
  }
}

/** argv and environment for a run: templates filled, defaults applied. Throws RegistryError REGISTRY_BAD_INPUT naming the input. */
export function bindInputs (manifest: ModuleManifest, inputs: Readonly<Record<string, string>>): { args: string[], env: Record<string, string> } {
  const values: Record<string, string> = {}
  for (const [name, value] of Object.entries(inputs)) {
    if (name === '' || /[=\0]/.test(name) || value.includes('\0')) throw new RegistryError('REGISTRY_BAD_INPUT', `input ${JSON.stringify(name.slice(0, 80))} cannot be an environment variable`, { data: { name: name.slice(0, 80) }, hint: 'Names are not empty and hold no "="; neither names nor values hold a NUL byte.' })
  }
  if (manifest.args.some((arg) => arg.includes('\0'))) throw new RegistryError('REGISTRY_BAD_INPUT', 'an argument holds a NUL byte', { data: { module: manifest.name }, hint: 'Leave it out: programs end an argument there.' })
  for (const [name, declared] of Object.entries(manifest.inputs)) {
    const value = inputs[name] ?? declared.default
    if (value === undefined) throw new RegistryError('REGISTRY_BAD_INPUT', `module ${manifest.name} needs the input ${name}`, { data: { name }, hint: `Pass -i ${name}=VALUE.` })
    if (Buffer.byteLength(value) > declared.maxBytes) throw new RegistryError('REGISTRY_BAD_INPUT', `input ${name} is longer than ${declared.maxBytes} bytes`, { data: { name, maxBytes: declared.maxBytes }, hint: 'Shorten it, or pass files with --input DIR.' })
    values[name] = value
  }
  for (const [name, value] of Object.entries(inputs)) {
    if (name in values) continue
    if (!manifest.open) {
      const known = Object.keys(manifest.inputs)
      throw new RegistryError('REGISTRY_BAD_INPUT', `module ${manifest.name} has no input ${name}`, { data: { name, known }, hint: known.length === 0 ? 'It takes no inputs.' : `It takes ${known.join(', ')}.` })
    }
    values[name] = value
  }
  return { args: manifest.args.map((arg) => arg.replace(/\{\{([A-Za-z0-9_]+)\}\}/g, (_, name: string) => values[name] ?? '')), env: values }
}
