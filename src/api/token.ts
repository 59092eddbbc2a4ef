import { timingSafeEqual } from 'node:crypto'
import { ApiError } from './errors.ts'

/** Throws ApiError API_UNAUTHORISED unless the given token is the expected one. Takes as long for a wrong one as for the right one. */
export function assertToken (given: string | undefined, expected: string): void {
  const [one, other] = [Buffer.from(given ?? ''), Buffer.from(expected)]
  if (one.length !== other.length || !timingSafeEqual(one, other)) throw new ApiError('API_UNAUTHORISED', 'missing or wrong token', { hint: 'The token is in api.json of the data folder.' })
}
