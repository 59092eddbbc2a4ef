/** protocol/topics.md. Topic of signed records of one chain. */
export function recordsTopic (chainId: number): string {
  return `/lily/records/1/${chainId}`
}

/** Topic of commits and reveals of one chain's auction. */
export function auctionTopic (chainId: number): string {
  return `/lily/auction/1/${chainId}`
}
