import { z } from 'zod'
import { networkShape } from '../../src/config/network.ts'
import { dealTermsShape } from '../../src/wire/deal-terms.ts'
import { delegationShape } from '../../src/wire/delegation.ts'
import { fleetRosterShape } from '../../src/wire/fleet-roster.ts'
import { jobOfferShape } from '../../src/wire/job-offer.ts'
import { moduleManifestShape, moduleRecordShape } from '../../src/wire/module-record.ts'
import { resourceOfferShape } from '../../src/wire/resource-offer.ts'
import { resultManifestShape } from '../../src/wire/result-manifest.ts'

const SHAPES = {
  'job-offer': jobOfferShape, 'resource-offer': resourceOfferShape, 'module-record': moduleRecordShape, 'module-manifest': moduleManifestShape,
  delegation: delegationShape, 'fleet-roster': fleetRosterShape, 'deal-terms': dealTermsShape, 'result-manifest': resultManifestShape, network: networkShape
}

/** protocol/schemas/: the documents that are maps of text, integers and lists, as JSON Schema 2020-12. */
export function schemas (): Record<string, unknown> {
  return Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [`${name}.json`, z.toJSONSchema(shape, { io: 'input' })]))
}
