import { z } from 'zod'
import { cidShape } from './shapes.ts'

/** protocol/module.md. A publisher's statement that `name:tag` means this manifest. The name is the publisher's own. */
export const moduleRecordShape = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  tag: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  manifest: cidShape
})
export type ModuleRecord = z.output<typeof moduleRecordShape>

/** The manifest document behind the CID: canonical CBOR, at most 64 KB. */
export const moduleManifestShape = z.strictObject({
  name: z.string().max(64),
  tag: z.string().max(64),
  engine: z.literal('wasm'),
  /** CID of the .wasm file (raw block or UnixFS file). */
  wasm: cidShape,
  /** argv; `{{Name}}` is replaced by the input of that name. */
  args: z.array(z.string().max(4096)).max(64),
  /** Inputs by name. Pairs given by the user and not named here are refused unless `open` is true. */
  inputs: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/), z.strictObject({
    default: z.string().max(4096).optional(),
    maxBytes: z.number().int().min(0).max(65_536)
  })),
  /** True: any K=V is accepted and reaches the guest as an environment variable (local .wasm files). */
  open: z.boolean(),
  resources: z.strictObject({ cpuMilli: z.number().int().min(1), memoryMiB: z.number().int().min(1), diskMiB: z.number().int().min(0) }),
  runSeconds: z.number().int().min(1).max(604_800)
})
export type ModuleManifest = z.output<typeof moduleManifestShape>
