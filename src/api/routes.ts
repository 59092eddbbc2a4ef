import { z } from 'zod'
import { ApiError } from './errors.ts'
import type { JobView, NodeFacade } from './facade.ts'
import { FLEET_ROUTES } from './fleet.ts'
import { LEDGER_ROUTES } from './ledger.ts'
import { VOUCHER_ROUTES } from './vouchers.ts'

type Params = Record<string, string>
/** One line of protocol/api.md: a method and path, and what answers it. */
export interface Route {
  method: 'GET' | 'POST'
  path: string
  answer?: (facade: NodeFacade, params: Params, body: unknown) => unknown
  /** Sends JSON lines until `end`; the returned function is called when the reader goes away. */
  stream?: (facade: NodeFacade, params: Params, send: (line: unknown) => void, end: () => void) => () => void
}

const amountShape = z.strictObject({ amount: z.number().int().positive().max(Number.MAX_SAFE_INTEGER) })
const amountOf = (body: unknown): number => {
  const parsed = amountShape.safeParse(body)
  if (!parsed.success) throw new ApiError('API_BAD_REQUEST', 'amount must be a positive integer of nLILY', { data: { body }, hint: '1 LILY is 1,000,000,000 nLILY.' })
  return parsed.data.amount
}
const id = (params: Params): string => params['id'] ?? ''

/** States in which nothing more will come for a job. */
export function isOver (job: JobView): boolean {
  const accepted = job.state === 'ResultsAccepted' || job.state === 'MediationAccepted'
  return (accepted && job.result !== undefined) || job.state === 'Cancelled' || (job.state === 'TimedOut' && job.problem !== undefined)
}

export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/status', answer: (facade) => facade.status() },
  { method: 'GET', path: '/v1/book', answer: (facade) => facade.book() },
  { method: 'GET', path: '/v1/peers', answer: (facade) => facade.peers() },
  { method: 'GET', path: '/v1/balance', answer: (facade) => facade.balance() },
  ...LEDGER_ROUTES,
  { method: 'GET', path: '/v1/session', answer: (facade) => facade.session() },
  { method: 'POST', path: '/v1/session/end', answer: (facade) => facade.changeSession('end') },
  { method: 'POST', path: '/v1/session/renew', answer: (facade) => facade.changeSession('renew') },
  { method: 'POST', path: '/v1/deposit', answer: (facade, _params, body) => facade.deposit(amountOf(body)) },
  { method: 'POST', path: '/v1/withdraw', answer: (facade, _params, body) => facade.withdraw(amountOf(body)) },
  { method: 'POST', path: '/v1/stake', answer: (facade, _params, body) => facade.stake(amountOf(body)) },
  { method: 'GET', path: '/v1/jobs', answer: (facade) => facade.jobs() },
  { method: 'POST', path: '/v1/jobs', answer: (facade, _params, body) => facade.submit(body) },
  { method: 'GET', path: '/v1/jobs/:id', answer: (facade, params) => facade.job(id(params)) },
  { method: 'POST', path: '/v1/jobs/:id/cancel', answer: (facade, params) => facade.cancel(id(params)) },
  { method: 'POST', path: '/v1/deals/:id/appeal', answer: (facade, params) => facade.appeal(id(params)) },
  { method: 'GET', path: '/v1/jobs/:id/explain', answer: (facade, params) => facade.explain(id(params)) },
  { method: 'GET', path: '/v1/offers/:id/explain', answer: (facade, params) => facade.explainOffer(id(params)) },
  {
    method: 'GET',
    path: '/v1/jobs/:id/events',
    stream: (facade, params, send, end) => {
      const stop = facade.watch(id(params), (job) => {
        send(job)
        if (isOver(job)) end()
      })
      const now = facade.job(id(params))
      send(now)
      if (isOver(now)) end()
      return stop
    }
  },
  {
    method: 'GET',
    path: '/v1/auctions/:epoch',
    answer: (facade, params) => {
      const auction = facade.auction(Number(params['epoch']))
      if (auction === undefined) throw new ApiError('API_NO_ROUTE', `epoch ${params['epoch']} is not remembered here`, { data: { epoch: params['epoch'] }, hint: 'A node remembers the last epochs only.' })
      return auction
    }
  },
  ...FLEET_ROUTES,
  ...VOUCHER_ROUTES
]

/** The route for a request. Throws ApiError API_NO_ROUTE. */
export function findRoute (method: string, path: string): { route: Route, params: Params } {
  const parts = path.split('/')
  for (const route of ROUTES) {
    const pattern = route.path.split('/')
    if (route.method !== method || pattern.length !== parts.length) continue
    const params: Params = {}
    const fits = pattern.every((piece, index) => {
      if (!piece.startsWith(':')) return piece === parts[index]
      params[piece.slice(1)] = parts[index] ?? ''
      return true
    })
    if (fits) return { route, params }
  }
  throw new ApiError('API_NO_ROUTE', `no route ${method} ${path}`, { data: { method, path }, hint: 'protocol/api.md lists them.' })
}
