import { decodeFunctionData, hexToNumber, numberToHex, type Hex } from 'viem'
import { ABIS, type ContractName } from '../../src/chain/abis.ts'
import { ORDER_KINDS } from '../../src/wire/order.ts'
import type { Address } from '../../src/wire/shapes.ts'
import type { TestChain } from '../../test/support/chain.ts'

/** A transaction in a block: who sent it, what it does, and for whom where it is an errand of an account's money. */
export interface Sent { readonly from: Address, readonly name: string, readonly account?: Address }
/** All transactions of a chain's blocks, read as they come. */
export interface TransactionCount {
  read: () => Promise<void>
  /** Names of what an account sent, in order. Throws where its nonce says something else. */
  of: (account: Address) => Promise<string[]>
  /** Names of what others sent for it. */
  carriedFor: (account: Address) => string[]
}

interface RpcBlock { transactions: Array<{ from: Address, to: Address | null, input: Hex }> }

export function createTransactionCount ({ clients, deployment }: Pick<TestChain, 'clients' | 'deployment'>): TransactionCount {
  const contractAt = new Map(Object.entries(deployment.contracts).map(([name, address]) => [address.toLowerCase(), name as ContractName]))
  const sent: Sent[] = []
  let next = 0

  const shown = ({ from, to, input }: RpcBlock['transactions'][number]): Sent => {
    const contract = contractAt.get(to?.toLowerCase() ?? '')
    if (contract === undefined || !(contract in ABIS)) return { from, name: 'another' }
    const { functionName, args = [] } = decodeFunctionData({ abi: ABIS[contract], data: input })
    if (contract !== 'vault') return { from, name: functionName }
    const [first] = args as readonly unknown[]
    if (functionName === 'order' || functionName === 'authorise') {
      const { account, kind } = first as { account: Address, kind?: number }
      return { from, name: orderName(kind) ?? functionName, account: account.toLowerCase() as Address }
    }
    return functionName === 'depositFor' ? { from, name: 'deposit', account: (first as Address).toLowerCase() as Address } : { from, name: functionName }
  }
  return {
    read: async () => {
      const head = hexToNumber(await clients.request<Hex>('eth_blockNumber', []))
      for (; next <= head; next++) {
        const { transactions } = await clients.request<RpcBlock>('eth_getBlockByNumber', [numberToHex(next), true])
        sent.push(...transactions.map(shown))
      }
    },
    of: async (account) => {
      const names = sent.filter(({ from }) => from === account).map(({ name }) => name)
      const nonce = hexToNumber(await clients.request<Hex>('eth_getTransactionCount', [account, 'latest']))
      if (nonce !== names.length) throw new Error(`${account} sent ${names.length} transactions by the blocks and ${nonce} by its nonce`)
      return names
    },
    carriedFor: (account) => sent.filter((each) => each.account === account && each.from !== account).map(({ name }) => name)
  }
}

function orderName (kind: number | undefined): string | undefined {
  return Object.entries(ORDER_KINDS).find(([, number]) => number === kind)?.[0]
}
