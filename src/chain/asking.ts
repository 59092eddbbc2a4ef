import { unreachable, type Endpoint } from './endpoints.ts'
import { ChainError } from './errors.ts'

/** protocol/deployment.md, RPC endpoints: the ways to ask several nodes of one chain the same. All reject with ChainError. */

/** The first that answers, in the order of the URLs, those that rest last. */
export async function askFirst (endpoints: readonly Endpoint[], method: string, params: readonly unknown[]): Promise<unknown> {
  return await inTurn(endpoints, method, params, (error) => error.code === 'CHAIN_UNREACHABLE')
}

/** The first that gives a result: one that claims a refusal does not speak for the others. */
export async function askAny (endpoints: readonly Endpoint[], method: string, params: readonly unknown[]): Promise<unknown> {
  return await inTurn(endpoints, method, params, () => true)
}

/** All at once; the first result counts, a refusal only when there is none. */
export async function tellAll (endpoints: readonly Endpoint[], method: string, params: readonly unknown[]): Promise<unknown> {
  const answers = endpoints.map(async (endpoint) => await endpoint.ask(method, params))
  try {
    return await Promise.any(answers)
  } catch (error) {
    const reasons = (error as AggregateError).errors as ChainError[]
    throw reasons.find(({ code }) => code !== 'CHAIN_UNREACHABLE') ?? unreachable(endpoints.map(({ url }) => url), method, reasons[0])
  }
}

/** One endpoint's word: `key` is equal for equal answers. */
interface Word { endpoint: Endpoint, key: string, value: unknown, error?: ChainError }

/**
 * What `quorum` endpoints say alike. `canonical` leaves of a result what every node gives alike. With `isTelling` a node that only
 * lags would have refused to answer: who says otherwise rests.
 * Rejects with CHAIN_UNREACHABLE when too few answer and with CHAIN_DISAGREED when too few agree.
 */
export async function askAgreed (endpoints: readonly Endpoint[], method: string, params: readonly unknown[], options: { quorum: number, canonical: (result: unknown) => unknown, isTelling: boolean }): Promise<unknown> {
  const words: Word[] = []
  let chosen: Word | undefined
  const failures: unknown[] = []
  const judge = (word: Word): void => {
    if (options.isTelling && chosen !== undefined && word.key !== chosen.key && word.error === undefined) word.endpoint.distrust(method)
  }
  const hear = (word: Word): void => {
    words.push(word)
    if (chosen === undefined && words.filter(({ key }) => key === word.key).length >= options.quorum) {
      chosen = word
      words.forEach(judge)
    } else {
      judge(word)
    }
  }
  const askOne = async (endpoint: Endpoint): Promise<void> => {
    try {
      const value = options.canonical(await endpoint.ask(method, params))
      hear({ endpoint, key: JSON.stringify(value), value })
    } catch (error) {
      if (!(error instanceof ChainError) || error.code === 'CHAIN_UNREACHABLE') failures.push(error)
      else hear({ endpoint, key: `refused ${String(error.data['rpcData'])}`, value: undefined, error })
    }
  }
  const usable = endpoints.filter((endpoint) => endpoint.isUsable())
  for (const group of [usable, endpoints.filter((endpoint) => !usable.includes(endpoint))]) {
    await untilSettled(group.map(askOne), () => chosen !== undefined)
    if (chosen !== undefined) break
  }
  const agreed: Word | undefined = chosen
  if (agreed !== undefined) {
    if (agreed.error !== undefined) throw agreed.error
    return agreed.value
  }
  if (words.length < options.quorum) throw unreachable(endpoints.filter(({ url }) => !words.some(({ endpoint }) => endpoint.url === url)).map(({ url }) => url), method, failures[0])
  throw new ChainError('CHAIN_DISAGREED', `${words.length} RPC endpoints answer ${method} differently; ${options.quorum} have to agree`, {
    data: { method, answers: Object.fromEntries(words.map(({ endpoint, key }) => [endpoint.url, key.slice(0, 200)])) }, hint: 'An endpoint that lags agrees soon; one that lies has to leave rpcUrls of the network file.'
  })
}

/** Resolves when all have settled, or as soon as `isEnough`. */
async function untilSettled (pending: ReadonlyArray<Promise<void>>, isEnough: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    let left = pending.length
    if (left === 0) { resolve(); return }
    for (const one of pending) void one.finally(() => { if (--left === 0 || isEnough()) resolve() })
  })
}

async function inTurn (endpoints: readonly Endpoint[], method: string, params: readonly unknown[], goesOn: (error: ChainError) => boolean): Promise<unknown> {
  const usable = endpoints.filter((endpoint) => endpoint.isUsable())
  let refusal: ChainError | undefined
  let silence: unknown
  for (const endpoint of [...usable, ...endpoints.filter((one) => !usable.includes(one))]) {
    try {
      return await endpoint.ask(method, params)
    } catch (error) {
      if (!(error instanceof ChainError) || !goesOn(error)) throw error
      if (error.code === 'CHAIN_UNREACHABLE') silence = error
      else refusal ??= error
    }
  }
  throw refusal ?? unreachable(endpoints.map(({ url }) => url), method, silence)
}
