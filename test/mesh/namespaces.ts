import { spawnSync } from 'node:child_process'
import type { Test } from 'tap'

/** Runs `ip ARGS`; throws with its words when it fails. */
function ip (...args: string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

/** Why network namespaces cannot be used here, or false. Tries it, since rights are of many kinds. */
export function whyNoNamespaces (): string | false {
  const name = `lily-try-${process.pid}`
  try {
    ip('netns', 'add', name)
    ip('-n', name, 'link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far')
    ip('-n', name, 'rule', 'add', 'ipproto', 'tcp', 'sport', '1', 'prohibit')
    return false
  } catch (error) {
    return `network namespaces are not permitted here: ${error instanceof Error ? error.message : String(error)}`
  } finally {
    spawnSync('ip', ['netns', 'del', name])
  }
}

/** A little internet: one router with an address in the network of each host; the hosts' ways out end there. */
export interface Internet {
  router: string
  /** Another host, behind the router at N.0.0.1 with the address N.0.0.2; `closed` hosts can only call out from `port`, as behind a firewall. */
  host: (n: number, options: { closedPort?: number }) => string
}

/** Namespaces of their own, removed with all that is in them when the test ends. Nothing leads from them to the machine's network. */
export function buildInternet (t: Test): Internet {
  const names: string[] = []
  const add = (name: string): string => {
    ip('netns', 'add', name)
    names.push(name)
    ip('-n', name, 'link', 'set', 'lo', 'up')
    return name
  }
  t.teardown(() => { for (const name of names) spawnSync('ip', ['netns', 'del', name]) })
  const router = add(`lily-${process.pid}-r`)
  ip('netns', 'exec', router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
  return {
    router,
    host: (n, { closedPort }) => {
      const host = add(`lily-${process.pid}-${n}`)
      ip('-n', router, 'link', 'add', 'name', `to${n}`, 'type', 'veth', 'peer', 'name', 'out', 'netns', host)
      ip('-n', router, 'addr', 'add', `${n}.0.0.1/24`, 'dev', `to${n}`)
      ip('-n', router, 'link', 'set', `to${n}`, 'up')
      ip('-n', host, 'addr', 'add', `${n}.0.0.2/24`, 'dev', 'out')
      ip('-n', host, 'link', 'set', 'out', 'up')
      ip('-n', host, 'route', 'add', 'default', 'via', `${n}.0.0.1`)
      // Who calls the port gets no answer; what the host starts itself comes from other ports.
      if (closedPort !== undefined) ip('-n', host, 'rule', 'add', 'ipproto', 'tcp', 'sport', String(closedPort), 'prohibit')
      return host
    }
  }
}
