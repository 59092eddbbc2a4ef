import { createHash } from 'node:crypto'
import type { CID } from 'multiformats/cid'

const RAW_CODEC = 0x55
const SHA2_256 = 0x12

/** Where the DHT keeps who plays `role` in `network`: the CID (raw, sha2-256) of `/lily/role/1/<network>/<role>`. */
export async function roleToCid (network: string, role: string): Promise<CID> {
  const [{ CID }, { create }] = await Promise.all([import('multiformats/cid'), import('multiformats/hashes/digest')])
  const hash = createHash('sha256').update(`/lily/role/1/${network}/${role}`).digest()
  return CID.createV1(RAW_CODEC, create(SHA2_256, new Uint8Array(hash)))
}
