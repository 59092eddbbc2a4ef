import { access, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dataPaths, environmentKey } from '../config/paths.ts'
import { silentLogger } from '../core/logger.ts'
import { sealKeyOf } from '../fleet/seal-key.ts'
import { loadAccountKey } from '../identity/account-key.ts'
import type { Signer } from '../identity/signer.ts'
import { loadPeerId } from '../mesh/identity-key.ts'
import { createDatastore } from '../store/datastore.ts'
import type { Address, Hash } from '../wire/shapes.ts'

/** The key of a data folder, made on first use; account.json beside it names the address for others to see. */
export async function openKey (root: string): Promise<Signer> {
  await mkdir(root, { recursive: true })
  const path = join(root, 'account.json')
  // A folder that had an account shall not quietly get another one because its key is gone.
  const isNew = await access(path).then(() => false, () => true)
  const signer = await loadAccountKey({ configured: environmentKey(), path: dataPaths(root).accountKey, create: isNew })
  await writeWhole(path, { address: signer.address })
  return signer
}

/** What a delegation or a roster names of a node that does not run: the address of its key, its peer id, and what is sealed for it with. Throws as createNode does for the same folder. */
export async function readKeys (root: string): Promise<{ address: Address, peerId: string, sealKey: Hash }> {
  const signer = await openKey(root)
  const datastore = createDatastore({ logger: silentLogger }, { path: dataPaths(root).datastore })
  await datastore.start()
  try {
    return { address: signer.address, peerId: await loadPeerId(datastore), sealKey: sealKeyOf(signer).publicKey }
  } finally {
    await datastore.stop()
  }
}

/** Others read these files while they are written: they appear whole or not at all, for the owner's eyes only. */
export async function writeWhole (path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.partial`, `${JSON.stringify(value)}\n`, { mode: 0o600 })
  await rename(`${path}.partial`, path)
}
