import type { Address } from '../../wire/shapes.ts'
import { ABIS } from '../abis.ts'
import { toAmount } from '../amounts.ts'
import type { ChainClients } from '../clients.ts'
import type { Deployment } from '../deployment.ts'

/** A pair's channel on chain; amounts in nLILY, in all. */
export interface Channel {
  /** Of the newest channel, live or not; 0: there never was one. */
  readonly nonce: number
  readonly reserved: number
  readonly paid: number
  /** Last second to redeem; 0: none is live. */
  readonly until: number
  readonly signer: Address
  readonly closeSeconds: number
  /** By its payer. */
  readonly isClosing: boolean
}

/** The channel of a pair, at present or at a recent block. Rejects with ChainError when the chain is away. */
export type ReadChannel = (payer: Address, payee: Address, block?: number) => Promise<Channel>

export function createChannelRead ({ viem, guard }: Pick<ChainClients, 'viem' | 'guard'>, { contracts }: Pick<Deployment, 'contracts'>): ReadChannel {
  return async (payer, payee, block) => {
    const { nonce, reserved, paid, until, signer, closeSeconds, isClosing } = await guard('channelOf', async () =>
      await viem.readContract({ address: contracts.vouchers, abi: ABIS.vouchers, functionName: 'channelOf', args: [payer, payee], ...(block === undefined ? {} : { blockNumber: BigInt(block) }) }))
    return { nonce: toAmount(nonce), reserved: toAmount(reserved), paid: toAmount(paid), until: toAmount(until), signer: signer.toLowerCase() as Address, closeSeconds, isClosing }
  }
}
