import type { PrivateKey } from '@libp2p/interface'
import type { Datastore } from '../store/datastore.ts'
import { errorMessage } from '../core/errors.ts'
import { MeshError } from './errors.ts'

const KEY = 'mesh/identity'

/**
 * The node's Ed25519 key, made on first use. It is on disk before it is used, so that the peer id survives a crash.
 * Throws MeshError MESH_IDENTITY when what is stored is not a key.
 */
export async function loadIdentityKey (datastore: Pick<Datastore, 'get' | 'put'>): Promise<PrivateKey> {
  const { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } = await import('@libp2p/crypto/keys')
  const stored = await datastore.get(KEY)
  if (stored !== undefined) {
    try {
      return privateKeyFromProtobuf(stored)
    } catch (error) {
      throw new MeshError('MESH_IDENTITY', `the stored node key cannot be read: ${errorMessage(error)}`, { cause: error, hint: 'Restore the data folder from a backup, or start with a new one; the node then has a new peer id.' })
    }
  }
  const key = await generateKeyPair('Ed25519')
  await datastore.put(KEY, privateKeyToProtobuf(key), { sync: true })
  return key
}

/** The peer id of the same key, for a node that does not run. */
export async function loadPeerId (datastore: Datastore): Promise<string> {
  const { peerIdFromPrivateKey } = await import('@libp2p/peer-id')
  return peerIdFromPrivateKey(await loadIdentityKey(datastore)).toString()
}
