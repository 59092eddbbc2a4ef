import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { errorMessage } from '../core/errors.ts'
import { addressShape, amountShape, uintShape } from '../wire/shapes.ts'
import { ChainError } from './errors.ts'
import { GOVERNED_DEFAULTS, governedShape } from './governed.ts'

/** protocol/deployment.md. What a deployment is made with. */
export const parametersShape = z.strictObject({
  /** Seconds from startUnbond to finishUnbond. */
  unbondSeconds: uintShape.min(1),
  /** nLILY a mediator must have bonded to be drawn. */
  minMediatorBond: amountShape,
  /** Who decides appeals against rulings of the Court: nobody, the Governor's votes through its Timelock, or an account. */
  appealJudge: z.union([z.enum(['none', 'timelock']), addressShape]),
  /** What votes may change, as it was at deployment. */
  governed: governedShape
})
export type DeploymentParameters = z.output<typeof parametersShape>

/** For a network on the internet: two weeks of unbonding, half of which is enough for a vote about an appeal; mediators with 1,000 LILY. */
export const DEFAULT_PARAMETERS: DeploymentParameters = { unbondSeconds: 1_209_600, minMediatorBond: 1e12, appealJudge: 'timelock', governed: GOVERNED_DEFAULTS }

const fileShape = parametersShape.extend({ governed: governedShape.partial() }).partial()

/** Reads parameters from a file; what it leaves out has its default. Throws ChainError DEPLOYMENT_INVALID naming the field. */
export async function loadParameters (path: string): Promise<DeploymentParameters> {
  try {
    const given = fileShape.parse(JSON.parse(await readFile(path, 'utf8')))
    const parameters = parametersShape.parse({ ...DEFAULT_PARAMETERS, ...given, governed: { ...GOVERNED_DEFAULTS, ...given.governed } })
    assertVoteInTime(parameters)
    return parameters
  } catch (error) {
    throw invalidFile('parameter file', path, error)
  }
}

/** The judge of an appeal has half of the unbonding time. Throws where a vote takes longer: all appeals would be lost by silence. */
function assertVoteInTime ({ appealJudge, unbondSeconds, governed }: DeploymentParameters): void {
  const vote = governed.votingDelay + governed.votingPeriod + governed.timelockDelay
  if (appealJudge === 'timelock' && unbondSeconds / 2 <= vote) throw new Error(`appealJudge: a vote takes ${vote} s and its judge has half of unbondSeconds, ${Math.floor(unbondSeconds / 2)} s; make unbondSeconds more than ${2 * vote}, or appealJudge "none" or an account`)
}

/** DEPLOYMENT_INVALID with the fields that a file has wrong. */
export function invalidFile (what: string, path: string, error: unknown): ChainError {
  const detail = error instanceof z.ZodError ? error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ') : errorMessage(error)
  return new ChainError('DEPLOYMENT_INVALID', `${what} ${path}: ${detail}`, { data: { path }, cause: error, hint: 'The fields are described in protocol/deployment.md.' })
}
