import type { ConnectionProtector } from '@libp2p/interface'
import { MeshError } from './errors.ts'

/** The key of a private network as libp2p takes it: 32 bytes, written as 64 hex digits in the network file. */
const FORM = /^[0-9a-f]{64}$/

/**
 * What wraps every connection of a network with a pre-shared key, before the handshake: who does not have the key sees
 * random bytes. Loaded only where there is a key. MeshError MESH_PSK; the value is never shown.
 */
export async function swarmProtector (psk: string): Promise<() => ConnectionProtector> {
  if (!FORM.test(psk)) throw new MeshError('MESH_PSK', 'the pre-shared key is not 64 hex digits in lower case', { hint: 'Make one with "openssl rand -hex 32" and give all nodes of the network the same.' })
  const { preSharedKey } = await import('@libp2p/pnet')
  return preSharedKey({ psk: new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${psk}`) })
}

/** What to do when a dial fails as it does between nodes with different keys. */
export const KEY_HINT = 'If a node runs there, check that both have the same "psk" in their network file, or both none.'

/**
 * True for a failure of a dial that may come from another pre-shared key, or from only one side having one: what either
 * sends is noise to the other, which breaks off, or waits for more until time is out (that alone says something only
 * where there is a key).
 */
export function isKeyMismatch (error: unknown, hasKey: boolean): boolean {
  if (!(error instanceof Error)) return false
  if (hasKey && (error.name === 'TimeoutError' || error.message.includes('ECONNRESET'))) return true
  return error.name === 'EncryptionFailedError' || error.name === 'UnexpectedEOFError'
}
