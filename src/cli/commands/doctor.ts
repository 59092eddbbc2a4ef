import { access, constants, mkdir, statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { createSystemClock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import { silentLogger } from '../../core/logger.ts'
import { locateAnvil } from '../../chain/anvil.ts'
import { createClients } from '../../chain/clients.ts'
import { verifyDeployment } from '../../chain/deployment.ts'
import { loadNetwork } from '../../config/network.ts'
import { dataPaths } from '../../config/paths.ts'
import { createWasmExecutor } from '../../exec/executor.ts'
import { isNative } from '../../wire/secp256k1.ts'
import { EXIT } from '../exit-codes.ts'
import { findNode, nodeRoots } from '../node-client.ts'
import { listFlag, type CommandContext, type CommandRun } from './context.ts'

interface Check { name: string, level: 'ok' | 'warn' | 'fail', detail: string, hint?: string }

/** The smallest module: `(module (func (export "_start")) (memory (export "memory") 1))`. */
const EMPTY_MODULE = Buffer.from('0061736d0100000001040160000003020100050301000107130206' + '6d656d6f727902000' + '65f737461727400000a040102000b', 'hex')
const MIN_DISK_MIB = 1024
const MIN_MEMORY_MIB = 2048
const RPC_TIMEOUT_MS = 3_000

/** `lilynode doctor`: what of this machine and network works; exit 9 when something that is needed does not. */
export const runDoctor: CommandRun = async (context) => {
  const checks = [checkNode(), checkNative(), await checkData(context), checkMemory(), await checkSandbox(), checkAnvil(), ...await checkRunning(context), ...await checkNetworks(context)]
  const ok = checks.every((check) => check.level !== 'fail')
  context.output.result({ ok, checks }, checks.map((check) => `${check.level.padEnd(5)} ${check.name.padEnd(12)} ${check.detail}${check.hint === undefined ? '' : `\n                   ${check.hint}`}`).join('\n'))
  return ok ? EXIT.ok : EXIT.checkFailed
}

function checkNode (): Check {
  return { name: 'node', level: 'ok', detail: process.versions.node }
}

function checkNative (): Check {
  return isNative
    ? { name: 'secp256k1', level: 'ok', detail: 'native' }
    : { name: 'secp256k1', level: 'warn', detail: 'the native library does not load: signatures are checked in JavaScript, thirty times as slow', hint: 'Reinstall with "npm ci" on this platform.' }
}

async function checkData (context: CommandContext): Promise<Check> {
  try {
    await mkdir(context.root, { recursive: true })
    await access(context.root, constants.W_OK)
    const disk = await statfs(context.root)
    const free = Math.floor(disk.bavail * disk.bsize / 2 ** 20)
    return { name: 'data', level: free < MIN_DISK_MIB ? 'warn' : 'ok', detail: `${context.root}, ${free} MiB free` }
  } catch (error) {
    return { name: 'data', level: 'fail', detail: errorMessage(error), hint: 'Choose a writable folder with --data.' }
  }
}

function checkMemory (): Check {
  const mib = Math.floor(totalmem() / 2 ** 20)
  return { name: 'memory', level: mib < MIN_MEMORY_MIB ? 'warn' : 'ok', detail: `${mib} MiB` }
}

async function checkSandbox (): Promise<Check> {
  const executor = createWasmExecutor({ logger: silentLogger, clock: createSystemClock() }, { warm: 0 })
  try {
    await executor.start()
    const outcome = await executor.run({
      module: EMPTY_MODULE, args: [], env: {}, inputs: new Map(), seed: new Uint8Array(32), clockMs: 0,
      limits: { wallMs: 10_000, memoryMiB: 16, stdoutBytes: 1024, stderrBytes: 1024, outputBytes: 1024, outputFiles: 1 }
    }, { signal: AbortSignal.timeout(20_000) })
    if (outcome.reason !== 'exited') return { name: 'sandbox', level: 'fail', detail: `an empty module ended ${outcome.reason}: ${outcome.message}` }
    const isolated = executor.isolation() === 'bwrap'
    return { name: 'sandbox', level: isolated ? 'ok' : 'warn', detail: `WASM runs (${executor.isolation()})`, ...(isolated ? {} : { hint: 'Install bubblewrap to give jobs namespaces of their own; without it a job still reaches neither files nor network.' }) }
  } catch (error) {
    return { name: 'sandbox', level: 'fail', detail: errorMessage(error) }
  } finally {
    await executor.stop()
  }
}

function checkAnvil (): Check {
  try {
    return { name: 'anvil', level: 'ok', detail: locateAnvil() }
  } catch (error) {
    return { name: 'anvil', level: 'warn', detail: errorMessage(error), hint: 'Only devnets need it.' }
  }
}

/** One check for each network that the node is on. */
async function checkRunning (context: CommandContext): Promise<Check[]> {
  const roots = nodeRoots(context.root)
  const first = await findNode(roots)
  if (first === undefined) return [{ name: 'local node', level: 'ok', detail: `none running in ${context.root}` }]
  const { networks } = await first.status()
  return await Promise.all(networks.map(async (name): Promise<Check> => {
    const status = await (await findNode(roots, name) ?? first).status()
    return { name: 'local node', level: status.warnings.length > 0 ? 'warn' : 'ok', detail: `${name}: ${status.roles.join(', ')}, ${status.peers} peers, ${status.records} records`, ...(status.warnings.length > 0 ? { hint: status.warnings.join('; ') } : {}) }
  }))
}

/** The networks that are named, else the data folder's where it has one. */
async function checkNetworks (context: CommandContext): Promise<Check[]> {
  const given = listFlag(context, 'network')
  const checks = await Promise.all((given.length > 0 ? given : [dataPaths(context.root).network]).map(checkNetwork))
  return given.length > 0 ? checks : checks.filter(({ level }) => level === 'ok')
}

async function checkNetwork (path: string): Promise<Check> {
  try {
    const network = await loadNetwork(path)
    const clients = createClients({ rpcUrls: network.rpcUrls, chainId: network.deployment.chainId, requestTimeoutMs: RPC_TIMEOUT_MS })
    await verifyDeployment(clients, network.deployment)
    return { name: 'network', level: 'ok', detail: `${network.name}, contracts on chain ${network.deployment.chainId} verified` }
  } catch (error) {
    return { name: 'network', level: 'fail', detail: errorMessage(error) }
  }
}
