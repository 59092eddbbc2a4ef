import { z } from 'zod'
import { errorMessage } from '../core/errors.ts'
import { addressShape, amountShape, parseShape, uintShape, type Address } from '../wire/shapes.ts'
import type { SignedVoucher } from '../wire/voucher.ts'
import { ApiError } from './errors.ts'
import type { TransactionView } from './facade.ts'
import type { Route } from './routes.ts'

/** protocol/vouchers.md. What an account does with channels; money in nLILY, times in unix seconds. */
export interface VoucherFacade {
  list: () => Promise<ChannelView[]>
  open: (request: { payee: Address, amount: number, seconds: number, closeSeconds: number }) => Promise<TransactionView>
  pay: (payee: Address, amount: number) => Promise<SignedVoucher>
  take: (voucher: unknown) => Promise<{ payer: string, added: number, total: number, left: number }>
  /** Of this payer, or of all. */
  redeem: (payer?: Address) => Promise<TransactionView[]>
  /** As payer or as payee of the channel with `peer`. */
  close: (peer: Address, as: 'payer' | 'payee') => Promise<TransactionView[]>
}
/** `signed`: the highest voucher given or held. `until` 0: not live. */
export interface ChannelView { as: 'payer' | 'payee', peer: string, nonce: number, reserved: number, paid: number, signed: number, until: number, closeSeconds: number, isClosing: boolean }

const openShape = z.strictObject({ payee: addressShape, amount: amountShape.min(1), seconds: uintShape.min(1), closeSeconds: uintShape })
const payShape = z.strictObject({ payee: addressShape, amount: amountShape.min(1) })
const redeemShape = z.strictObject({ payer: addressShape.optional() })
const closeShape = z.strictObject({ peer: addressShape, as: z.enum(['payer', 'payee']) })

/** Throws ApiError API_BAD_REQUEST. */
function bodyOf<S extends z.ZodType> (shape: S, body: unknown): z.output<S> {
  try {
    return parseShape(shape, body, 'body')
  } catch (error) {
    throw new ApiError('API_BAD_REQUEST', errorMessage(error), { cause: error, hint: 'protocol/api.md has its fields.' })
  }
}

export const VOUCHER_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/vouchers', answer: ({ vouchers }) => vouchers.list() },
  { method: 'POST', path: '/v1/vouchers/open', answer: ({ vouchers }, _params, body) => vouchers.open(bodyOf(openShape, body)) },
  { method: 'POST', path: '/v1/vouchers/pay', answer: ({ vouchers }, _params, body) => { const { payee, amount } = bodyOf(payShape, body); return vouchers.pay(payee, amount) } },
  { method: 'POST', path: '/v1/vouchers/take', answer: ({ vouchers }, _params, body) => vouchers.take(body) },
  { method: 'POST', path: '/v1/vouchers/redeem', answer: ({ vouchers }, _params, body) => vouchers.redeem(bodyOf(redeemShape, body).payer) },
  { method: 'POST', path: '/v1/vouchers/close', answer: ({ vouchers }, _params, body) => { const { peer, as } = bodyOf(closeShape, body); return vouchers.close(peer, as) } }
]
