/** What bin/lilynode gives Node for a service: nodes of tests and benchmarks run as users' do. */
export const NODE_FLAGS = ['--max-semi-space-size=8'] as const
