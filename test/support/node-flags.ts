import flags from '../../bin/node-flags.json' with { type: 'json' }

/** What bin/lilynode gives Node for a service: nodes of tests and benchmarks run as users' do. */
export const NODE_FLAGS: readonly string[] = flags
