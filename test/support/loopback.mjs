// Preload (`node --import`, or NODE_OPTIONS=--import=<this file> for every child process): connecting anywhere but to this
// machine throws, and each attempt is appended as a JSON line to the file named by LILY_LOOPBACK_LOG.
// Worker threads are held too, unless their code is given as text: Node does not wait for preloads there.
import dgram from 'node:dgram'
import dns from 'node:dns'
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

const local = new net.BlockList()
local.addSubnet('127.0.0.0', 8, 'ipv4')
local.addAddress('::1', 'ipv6')

/** True for loopback addresses, `localhost`, and no host at all, which means localhost. */
function isLocal (host) {
  if (host === undefined || host === null || host === '') return true
  const name = String(host).replace(/^\[|\]$/g, '').toLowerCase()
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  const plain = name.startsWith('::ffff:') ? name.slice(7) : name
  const family = net.isIP(plain)
  return family !== 0 && local.check(plain, family === 6 ? 'ipv6' : 'ipv4')
}

function refuse (api, target) {
  const log = process.env.LILY_LOOPBACK_LOG
  if (log !== undefined && log !== '') appendFileSync(log, JSON.stringify({ pid: process.pid, api, target: String(target) }) + '\n')
  const error = new Error(`loopback only: ${api} to ${String(target)} is not allowed in tests`)
  error.code = 'ERR_LOOPBACK_ONLY'
  throw error
}

/** Replaces `owner[name]` by a function that first checks the target that `targetOf` reads from its arguments. */
function guard (owner, name, api, targetOf) {
  const original = owner[name]
  if (typeof original !== 'function') return
  owner[name] = function (...args) {
    const target = targetOf(args)
    if (!isLocal(target)) refuse(api, target)
    return Reflect.apply(original, this, args)
  }
}

/** The host of `connect(port, host)`, `connect({ host })` or `connect(path)`; Node passes normalised arguments as one array. */
function connectTarget (args) {
  const [first, second] = Array.isArray(args[0]) ? args[0] : args
  if (typeof first === 'object' && first !== null) return first.path !== undefined && first.path !== null && first.port === undefined ? undefined : first.host
  if (typeof first === 'string' && Number.isNaN(Number(first))) return undefined
  return typeof second === 'string' ? second : undefined
}

// tls, http, https, http2 and Node's own fetch all end in this one.
guard(net.Socket.prototype, 'connect', 'net.connect', connectTarget)
// send(msg, [offset, length,] port [, address] [, callback]): the address is the only string after the message.
guard(dgram.Socket.prototype, 'send', 'dgram.send', (args) => args.slice(1).find((arg) => typeof arg === 'string' && Number.isNaN(Number(arg))))
guard(dgram.Socket.prototype, 'connect', 'dgram.connect', ([, address]) => typeof address === 'string' ? address : undefined)
guard(dns, 'lookup', 'dns.lookup', ([name]) => name)
guard(dns.promises, 'lookup', 'dns.lookup', ([name]) => name)
for (const owner of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
  for (const name of Object.getOwnPropertyNames(owner)) {
    // A resolver asks its server over the network, whatever the name.
    if (/^(resolve|reverse)/.test(name)) guard(owner, name, `dns.${name}`, ([target]) => `resolver for ${String(target)}`)
  }
}
const originalFetch = globalThis.fetch
globalThis.fetch = async function fetch (input, init) {
  const url = new URL(typeof input === 'string' || input instanceof URL ? input : input.url)
  if ((url.protocol === 'http:' || url.protocol === 'https:') && !isLocal(url.hostname)) refuse('fetch', url.host)
  return await originalFetch(input, init)
}
syncBuiltinESMExports()
