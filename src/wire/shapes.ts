import { z } from 'zod'
import { WireError } from './errors.ts'
import { compileShape, type Check } from './shape-check.ts'

/** The field types that messages share. Each is a zod schema and the TypeScript type inferred from it. */

/** A 20-byte address as lower-case 0x hex. */
export const addressShape = z.string().regex(/^0x[0-9a-f]{40}$/) as unknown as z.ZodType<Address, string>
export type Address = `0x${string}`

/** 32 bytes as lower-case 0x hex. */
export const hashShape = z.string().regex(/^0x[0-9a-f]{64}$/) as unknown as z.ZodType<Hash, string>
export type Hash = `0x${string}`

/** A compact signature (EIP-2098), 64 bytes r || yParityAndS, as lower-case 0x hex; s is low by construction. */
export const signatureShape = z.string().regex(/^0x[0-9a-f]{128}$/) as unknown as z.ZodType<Signature, string>
export type Signature = `0x${string}`

/** A safe non-negative integer. */
export const uintShape = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

/** Money: nLILY, 1e-9 LILY. */
export const amountShape = uintShape

/** Unix time in milliseconds. */
export const millisShape = uintShape

/** A CIDv1 in base32 text. Parsed where it is used; here only its alphabet and length are held. */
export const cidShape = z.string().regex(/^b[a-z2-7]{20,120}$/)

/** A libp2p peer id in base58 text. */
export const peerIdShape = z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{32,64}$/)

const compiled = new WeakMap<z.ZodType, Check | undefined>()

/** Checks a decoded value against its shape. Throws WireError WIRE_INVALID naming the first offending field. */
export function parseShape<S extends z.ZodType> (shape: S, value: unknown, what: string): z.output<S> {
  if (!compiled.has(shape)) compiled.set(shape, compileShape(shape))
  if (compiled.get(shape)?.(value) === true) return value as z.output<S>
  const result = shape.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const path = issue?.path.map(String).join('.') ?? ''
  throw new WireError('WIRE_INVALID', `${what}${path === '' ? '' : ` field ${path}`}: ${issue?.message ?? 'invalid'}`, { data: { what, path } })
}
