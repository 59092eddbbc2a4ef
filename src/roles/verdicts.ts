import { openingToMessage } from '../chain/batch/opening-message.ts'
import { errorMessage } from '../core/errors.ts'
import { isLeaf } from '../deal/batched.ts'
import type { Deal, MediatorVerdict } from '../deal/deal.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { verdictDigest } from '../wire/deal-messages.ts'
import type { Address, Hash } from '../wire/shapes.ts'
import { recoverSigner } from '../wire/signature.ts'
import type { Domain } from '../wire/typed-data.ts'
import type { Leaves } from './batch/leaves.ts'
import type { Contacts } from './contacts.ts'
import type { DealRoom } from './deal-room.ts'
import { RoleError } from './errors.ts'

/** A party's way to mediators' words. */
export interface Verdicts {
  /** Rejects with RoleError ROLE_NO_RESULT, JOB_NO_VERDICT; DealError DEAL_NO_BATCH. */
  ask: (deal: Deal, mediator: Address, salts: { creator: Hash, provider: Hash }) => Promise<MediatorVerdict>
}

const FIND_TIMEOUT_MS = 5_000

export function createVerdicts (components: { room: Pick<DealRoom, 'mediate'>, mesh: Pick<Mesh, 'roles'>, contacts: Pick<Contacts, 'peerOf'>, leaves: Pick<Leaves, 'openingOf'> }, options: { domain: Domain, signal: AbortSignal }): Verdicts {
  const { room, mesh, contacts, leaves } = components
  return {
    // The mediator's own node where it is known, else every mediator node: only who was drawn answers, the others refuse.
    ask: async (deal, mediator, salts) => {
      const { dealId, result, creatorSignature, providerSignature } = deal
      if (result === undefined || creatorSignature === undefined || providerSignature === undefined) throw new RoleError('ROLE_NO_RESULT', 'nothing to judge yet', { data: { dealId } })
      const leaf = isLeaf(deal) ? { leaf: openingToMessage(await leaves.openingOf(deal)) } : {}
      const known = contacts.peerOf(mediator)
      const peers = known === undefined ? await mesh.roles.find('mediator', { signal: AbortSignal.any([options.signal, AbortSignal.timeout(FIND_TIMEOUT_MS)]) }) : [known]
      const failures: string[] = []
      for (const peer of peers) {
        try {
          const { mediator: by, outcome, evidence, signature } = await room.mediate(peer, {
            terms: deal.terms, creatorSignature, providerSignature, mediators: deal.mediators, jobRecord: deal.jobRecord,
            creatorSalt: salts.creator, providerSalt: salts.provider, manifest: result.manifestBytes, outputRoot: result.outputRoot, resultSignature: result.signature, ...leaf
          })
          const digest = verdictDigest(options.domain, { dealId, manifest: result.manifest, outcome, evidence })
          if (by === mediator && recoverSigner(digest, signature) === mediator) return { mediator, outcome, evidence, signature }
          failures.push(`${peer}: the verdict is not signed by the drawn mediator`)
        } catch (error) {
          failures.push(`${peer}: ${errorMessage(error)}`)
        }
      }
      throw new RoleError('JOB_NO_VERDICT', `no verdict from the drawn mediator ${mediator}`, { data: { dealId, mediator, failures }, hint: 'Without a verdict the deal is refunded after its deadlines and the job is matched again; --verify receipt needs no mediator.' })
    }
  }
}
