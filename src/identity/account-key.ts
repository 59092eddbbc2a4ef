import { randomBytes } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { hexToBytes, type Hex } from 'viem'
import { errorMessage } from '../core/errors.ts'
import { IdentityError } from './errors.ts'
import { createSigner, type Signer } from './signer.ts'

/**
 * The signer of this node's account: `configured` (64 hex digits, with or without 0x) when given, else the key file,
 * which is created with a fresh key and mode 0600 when `create` is set.
 * Throws IdentityError IDENTITY_KEY_INVALID, IDENTITY_KEY_MISSING.
 */
export async function loadAccountKey (options: { configured: string | undefined, path: string, create: boolean }): Promise<Signer> {
  if (options.configured !== undefined) return parseKey(options.configured, 'WEB3_PRIVATE_KEY')
  try {
    return parseKey((await readFile(options.path, 'utf8')).trim(), options.path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  if (!options.create) {
    throw new IdentityError('IDENTITY_KEY_MISSING', `no account key at ${options.path}`, { data: { path: options.path }, hint: 'Set WEB3_PRIVATE_KEY, or start the node once so that it makes a key.' })
  }
  const key = `0x${randomBytes(32).toString('hex')}`
  const file = await open(options.path, 'wx', 0o600)
  try {
    await file.writeFile(`${key}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  return parseKey(key, options.path)
}

function parseKey (text: string, source: string): Signer {
  const hex = text.startsWith('0x') ? text : `0x${text}`
  if (!/^0x[0-9a-fA-F]{64}$/.test(hex)) {
    throw new IdentityError('IDENTITY_KEY_INVALID', `${source} is not a private key of 64 hex digits`, { data: { source }, hint: 'Check the key; the value is not shown here on purpose.' })
  }
  try {
    return createSigner(hexToBytes(hex as Hex))
  } catch (error) {
    throw new IdentityError('IDENTITY_KEY_INVALID', `${source} is not a usable secp256k1 key: ${errorMessage(error)}`, { data: { source }, hint: 'A key is 32 bytes as 64 hex digits, with or without 0x; put the right one back, or name another data folder.' })
  }
}
