import type { Helia, SessionBlockstore } from 'helia'
import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { SESSION_BLOCK_MS } from './options.ts'
import { collect } from './verified-blockstore.ts'

type Blockstore = Pick<Helia['blockstore'], 'get' | 'put' | 'has'>

/**
 * Reads through a session, and what it does not bring within SESSION_BLOCK_MS through all peers and the DHT, this block and
 * those after it. @helia/bitswap 4.0.19 listens for an answer only after its question was sent: one that is faster than
 * that is not heard, and the session would wait for ever for a block that its peer has.
 */
export function createPatientSession (components: { session: Pick<SessionBlockstore, 'get'>, all: Blockstore, logger: Logger }): Blockstore {
  const { session, all, logger } = components
  let isTrusted = true
  return {
    put: all.put.bind(all),
    has: all.has.bind(all),
    get: async function * (cid, options) {
      if (isTrusted) {
        const late = AbortSignal.timeout(SESSION_BLOCK_MS)
        try {
          const signal = AbortSignal.any([late, ...(options?.signal === undefined || options.signal === null ? [] : [options.signal])])
          yield await collect(session.get(cid, { ...options, signal }))
          return
        } catch (error) {
          if (options?.signal?.aborted === true) throw error
          logger.debug('not from the given peers', { cid: cid.toString(), error: errorMessage(error) })
          isTrusted = false
        }
      }
      yield * all.get(cid, options)
    }
  }
}
