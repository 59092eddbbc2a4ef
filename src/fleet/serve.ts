import { CodedError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { decodeFleetMessage, encodeFleetMessage, FLEET_PROTOCOL, fleetRequestShape, MAX_FLEET_MESSAGE_BYTES, type FleetAnswer, type FleetContent, type FleetRequest } from '../wire/fleet.ts'
import type { FleetDocument } from './document.ts'
import { openContent, sealContent, type EnvelopeHead } from './envelope.ts'
import { FleetError } from './errors.ts'
import { FLEET_LIMITS } from './options.ts'

/** Room in a message for everything but parts: what both hold (64 x 64 bytes), seal and head. */
export const MESSAGE_OVERHEAD_BYTES = 8_192

/** What no honest peer sends. */
const FAULTS: ReadonlySet<string> = new Set(['FLEET_PART', 'FLEET_ROSTER', 'FLEET_MEMBER'])
const FAULT_POINTS = 100

/** Whether an error is its sender's fault, who then pays for it. */
export function isFault (error: unknown): boolean {
  return error instanceof CodedError && error.data['remote'] !== true && (FAULTS.has(error.code) || error.code.startsWith('WIRE_'))
}

/** Lowers the score of a peer that sent what no honest one does. */
export function penaliseFault (mesh: Pick<Mesh, 'penalise'>, peer: string, error: unknown): void {
  if (isFault(error)) mesh.penalise(peer, FAULT_POINTS, `${(error as CodedError).code} on ${FLEET_PROTOCOL}`)
}

type Exchange = Extract<FleetRequest, { type: 'exchange' }>

/** Answers members' exchanges, and takes newer rosters from anybody; the returned function stops it. */
export function serveFleet (components: { mesh: Pick<Mesh, 'requests' | 'peerId' | 'penalise'>, document: FleetDocument, random: Pick<Random, 'bytes'> }): () => void {
  const { mesh, document } = components

  /** Undefined for another roster's seal: an account that signed two of one version made two keys. */
  const open = (request: Exchange, head: EnvelopeHead): FleetContent | undefined => {
    if (request.version !== head.roster.version) return undefined
    try {
      return openContent(document.key, head, request.sealed)
    } catch (error) {
      if (error instanceof FleetError) return undefined
      throw error
    }
  }
  const exchange = async (request: Exchange, peer: string): Promise<FleetAnswer> => {
    const { roster, key } = document
    if (document.memberOf(peer) === undefined || request.account !== roster.account) throw new FleetError('FLEET_REFUSED', 'this is not your fleet')
    const head = { roster, asker: peer, answerer: mesh.peerId }
    const content = open(request, { ...head, direction: 'ask' })
    if (content === undefined) return { type: 'roster', roster }
    await document.take(content.parts)
    // A newer roster may have come meanwhile, without this peer.
    if (document.roster !== roster) return await exchange(request, peer)
    const answer = { have: document.marks(), parts: document.lackedBy(content.have, MAX_FLEET_MESSAGE_BYTES - MESSAGE_OVERHEAD_BYTES) }
    return { type: 'exchange', sealed: sealContent(components, key, { ...head, direction: 'answer' }, answer) }
  }
  return mesh.requests.serve(FLEET_PROTOCOL, { ...FLEET_LIMITS, maxBytes: MAX_FLEET_MESSAGE_BYTES }, async (payload, { peer }) => {
    try {
      const request = decodeFleetMessage(fleetRequestShape, payload)
      if (request.type === 'exchange') return encodeFleetMessage(await exchange(request, peer))
      await document.adopt(request.roster)
      return encodeFleetMessage({ type: 'ok' })
    } catch (error) {
      penaliseFault(mesh, peer, error)
      throw error
    }
  })
}
