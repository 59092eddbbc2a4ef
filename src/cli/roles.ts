import { ROLES, type RoleName } from '../node/options.ts'
import { CliError } from './errors.ts'

/** Lilypad's names for roles, beside ours. */
const ROLE_NAMES: Readonly<Record<string, RoleName>> = { ...Object.fromEntries(ROLES.map((role) => [role, role])), jobcreator: 'creator', provider: 'resource-provider', rp: 'resource-provider' }

/** A comma-separated list of roles. Throws CliError USAGE_ROLE. */
export function parseRoles (text: string): RoleName[] {
  return text.split(',').map((name) => {
    const role = Object.hasOwn(ROLE_NAMES, name.trim()) ? ROLE_NAMES[name.trim()] : undefined
    if (role === undefined) throw new CliError('USAGE_ROLE', `"${name}" is no role`, { data: { role: name }, hint: `Roles: ${ROLES.join(', ')}.` })
    return role
  })
}
