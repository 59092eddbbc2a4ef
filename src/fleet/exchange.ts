import { errorCode } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { decodeFleetMessage, encodeFleetMessage, FLEET_PROTOCOL, fleetAnswerShape, MAX_FLEET_MESSAGE_BYTES, type FleetAnswer, type FleetRequest, type PartMark } from '../wire/fleet.ts'
import type { FleetMember } from '../wire/fleet-roster.ts'
import type { FleetDocument } from './document.ts'
import { openContent, sealContent } from './envelope.ts'
import { FleetError } from './errors.ts'
import { FLEET } from './options.ts'
import { MESSAGE_OVERHEAD_BYTES, penaliseFault } from './serve.ts'

export interface ExchangeComponents { mesh: Pick<Mesh, 'requests' | 'peerId' | 'penalise'>, document: FleetDocument, random: Pick<Random, 'bytes'> }

/**
 * Asks one member until neither has something for the other. `known`: what it held when it was last asked. Resolves to what it holds now.
 * Rejects with FleetError FLEET_NOT_TAKEN, FLEET_SEAL, FLEET_PART, FLEET_ROSTER, FLEET_NOT_MEMBER, WireError, RequestError (FLEET_REFUSED with `data.remote`).
 */
export async function exchangeWith (components: ExchangeComponents, member: FleetMember, known: readonly PartMark[], signal: AbortSignal): Promise<readonly PartMark[]> {
  const { mesh, document } = components
  const budget = MAX_FLEET_MESSAGE_BYTES - MESSAGE_OVERHEAD_BYTES
  const peer = member.peerId
  let theirs = known
  let isIntroduced = false

  const ask = async (request: FleetRequest): Promise<FleetAnswer> => {
    const late = AbortSignal.any([signal, AbortSignal.timeout(FLEET.timeoutMs)])
    return decodeFleetMessage(fleetAnswerShape, await mesh.requests.request(peer, FLEET_PROTOCOL, encodeFleetMessage(request), { signal: late, maxBytes: MAX_FLEET_MESSAGE_BYTES }))
  }
  /** One of the two has an older roster: the asker's is replaced, or the newer one is sent. */
  const settleRosters = async (answer: Extract<FleetAnswer, { type: 'roster' }>): Promise<void> => {
    if (await document.adopt(answer.roster)) return
    if (answer.roster.account === document.roster.account && answer.roster.version > document.roster.version) throw new FleetError('FLEET_NOT_MEMBER', `a newer roster of ${answer.roster.account} does not name this node`, { data: { version: answer.roster.version } })
    await ask({ type: 'roster', roster: document.roster })
  }
  /** False when nothing is left to say. */
  const round = async (): Promise<boolean> => {
    const { roster, key } = document
    const head = { roster, asker: mesh.peerId, answerer: peer }
    const parts = document.lackedBy(theirs, budget)
    const sealed = sealContent(components, key, { ...head, direction: 'ask' }, { have: document.marks(), parts })
    const answer = await ask({ type: 'exchange', account: roster.account, version: roster.version, sealed })
    if (answer.type === 'roster') {
      await settleRosters(answer)
      theirs = []
      return true
    }
    if (answer.type !== 'exchange') throw new FleetError('FLEET_SEAL', 'the answer is none to an exchange')
    const content = openContent(key, { ...head, direction: 'answer' }, answer.sealed)
    const taken = await document.take(content.parts)
    const before = theirs
    theirs = content.have
    if (document.lackedBy(theirs, budget).length === 0) return taken > 0
    if (taken === 0 && parts.length > 0 && isSame(before, theirs)) throw new FleetError('FLEET_NOT_TAKEN', `${member.name} does not take what this node states`, { data: { member: member.name }, hint: 'Its clock or this node\'s is wrong: "lilynode doctor" on both.' })
    return true
  }
  /** A member that does not know us yet may have an older roster: one that names us makes us known, once. */
  const introduced = async (error: unknown): Promise<boolean> => {
    if (isIntroduced || errorCode(error) !== 'FLEET_REFUSED') throw error
    isIntroduced = true
    await ask({ type: 'roster', roster: document.roster })
    return true
  }
  try {
    for (let rounds = 0; rounds < FLEET.maxRounds && document.memberOf(peer) !== undefined; rounds++) if (!(await round().catch(introduced))) break
  } catch (error) {
    penaliseFault(mesh, peer, error)
    throw error
  }
  return theirs
}

function isSame (a: readonly PartMark[], b: readonly PartMark[]): boolean {
  const ids = new Set(a.map(({ id }) => id))
  return a.length === b.length && b.every(({ id }) => ids.has(id))
}
