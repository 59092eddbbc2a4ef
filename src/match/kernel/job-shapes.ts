import { zeroHash } from 'viem'
import type { Address } from '../../wire/shapes.ts'
import type { JobOffer } from '../../wire/job-offer.ts'
import { trustedBy } from '../mediators.ts'
import type { MatchRules } from '../options.ts'

/** What a job asks for and what it demands of whoever serves it, without its limit, its times, its owner, its module and the accounts that it lists. */
export interface JobShape {
  /** Two offers have one number where all of that is the same. */
  readonly number: number
  /** What of it decides whom it may be served by, besides amounts: a text. */
  readonly access: string
  /** Whom an audited job trusts; nobody for others, of whom nobody asks. */
  readonly trusted: readonly Address[]
}

/** Shapes of the jobs of one network: found once for each offer, since most of a book stays from epoch to epoch. */
export interface JobShapes { of: (offer: JobOffer) => JobShape }

/** Shapes that are kept: more than large books have, and 20 MB at most, whatever strangers post. */
const MOST_SHAPES = 10_000
const known = new WeakMap<MatchRules, JobShapes>()

export function jobShapesOf (rules: MatchRules): JobShapes {
  const shapes = known.get(rules) ?? createJobShapes(rules)
  known.set(rules, shapes)
  return shapes
}

function createJobShapes (rules: MatchRules): JobShapes {
  let byText = new Map<string, JobShape>()
  let byOffer = new WeakMap<JobOffer, JobShape>()
  let next = 0
  return {
    of: (offer) => {
      const found = byOffer.get(offer)
      if (found !== undefined) return found
      const access = accessOf(offer)
      const text = `${amountsOf(offer)};${access}`
      let shape = byText.get(text)
      if (shape === undefined) {
        if (byText.size >= MOST_SHAPES) {
          // Numbers go on: whoever has shapes of before and of after tells apart equals at worst.
          byText = new Map()
          byOffer = new WeakMap()
        }
        shape = { number: next++, access, trusted: offer.verification.strategy === 'audit' ? trustedBy(offer, rules) : [] }
        byText.set(text, shape)
      }
      byOffer.set(offer, shape)
      return shape
    }
  }
}

function amountsOf ({ resources: { cpuMilli, memoryMiB, diskMiB }, runSeconds, collateralBp, gpus }: JobOffer): string {
  let text = `${cpuMilli} ${memoryMiB} ${diskMiB} ${runSeconds} ${collateralBp}`
  for (const { models, vramMiB, shareBp } of gpus) {
    text += ` ${vramMiB} ${shareBp} ${models.length}`
    for (const model of models) text += measured(model)
  }
  return text
}

function accessOf ({ verification, sealKey, minReputationBp, engine, market, mediators, mediatorSets }: JobOffer): string {
  const verified = 'replicas' in verification ? verification.quorum <= verification.replicas : verification.strategy
  return `${verified} ${verification.strategy === 'audit' ? `${mediators.join()} ${mediatorSets.join()}` : ''} ${sealKey === zeroHash ? '' : sealKey} ${minReputationBp}${measured(engine)}${measured(market)}`
}

/** With its length before it, a stranger's text ends where it says: no two lists of texts make one. */
function measured (text: string): string {
  return ` ${text.length}:${text}`
}
