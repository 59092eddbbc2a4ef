import { collect, ON, type CommandDefinition } from './context.ts'

const NETWORK = ['--network <file>', 'network file (default: network.json in the data folder)'] as const

/** Every command, in the order of `lilynode --help`. Code is loaded when a command runs. */
export const COMMANDS: readonly CommandDefinition[] = [
  {
    usage: 'run <module>',
    summary: 'run a module (name:tag, manifest CID or .wasm file) and fetch its result',
    example: 'lilynode run cowsay:v0.0.4 -i Message=moo',
    options: [
      ['-i, --input-value <K=V>', 'an input of the module; repeatable', collect],
      ['--input <dir>', 'a folder that the job sees as /inputs'],
      ['--arg <text>', 'an argument for a local .wasm file; repeatable', collect],
      ['--target <address>', 'only this provider; repeatable', collect],
      ['--max-price <lily>', 'pay at most this for the run, in LILY'],
      ['--verify <strategy>', 'none, receipt or audit:P with P from 0 to 1 (default receipt)'],
      ['--run-seconds <n>', 'longest run; the price is for this span'],
      ['--cpu <milli>', 'thousandths of a core'], ['--memory <mib>', 'memory in MiB'], ['--disk <mib>', 'room for files in MiB, at most 256'],
      ['-o, --output <dir>', 'write the result folder here'],
      ['--timeout <seconds>', 'give up waiting after this (the job goes on)'],
      ['--detach', 'submit and return at once'],
      NETWORK, ON
    ],
    load: async () => (await import('./run.ts')).runRun
  },
  { usage: 'jobs', summary: 'list this creator\'s jobs', example: 'lilynode jobs --json', options: [ON], load: async () => (await import('./jobs.ts')).runJobs },
  { usage: 'job <id>', summary: 'show one job: states, deal, transactions, result', example: 'lilynode job 0x1f2e3d4c', options: [ON], load: async () => (await import('./jobs.ts')).runJob },
  { usage: 'cancel <id>', summary: 'withdraw a job that has no open deal', example: 'lilynode cancel 0x1f2e3d4c', options: [ON], load: async () => (await import('./jobs.ts')).runCancel },
  { usage: 'appeal <deal>', summary: 'have the ruling on a deal of this node judged again; stakes the minimum bond of mediators', example: 'lilynode appeal 0x9d4573ba', options: [ON], load: async () => (await import('./appeal.ts')).runAppeal },
  { usage: 'explain <id>', summary: 'why a job does or does not match, or an offer stays idle', example: 'lilynode explain 0x1f2e3d4c', options: [['--offer', 'the id is an offer\'s, of this node or another'], ON], load: async () => (await import('./jobs.ts')).runExplain },
  {
    usage: 'book', summary: 'the order book as this node holds it', example: 'lilynode book --follow',
    options: [['--follow', 'tell of each record that comes, changes or goes, until Ctrl-C'], ON],
    load: async () => (await import('./book.ts')).runBook
  },
  { usage: 'peers', summary: 'connected peers and whether their book equals ours', example: 'lilynode peers', options: [ON], load: async () => (await import('./network.ts')).runPeers },
  { usage: 'status', summary: 'what the local node is and does', example: 'lilynode status', options: [ON], load: async () => (await import('./network.ts')).runStatus },
  { usage: 'balance', summary: 'wallet and vault balances', example: 'lilynode balance', options: [ON], load: async () => (await import('./money.ts')).runBalance },
  {
    usage: 'ledger', summary: 'every movement of this account\'s money in the vault, held against the chain', example: 'lilynode ledger --deal 0x1f2e3d4c',
    options: [['--deal <id>', 'only what belongs to this deal or batch; the start of its id is enough'], ON],
    load: async () => (await import('./ledger.ts')).runLedger
  },
  { usage: 'session [action]', summary: 'the money that batches are paid from; "end" frees it after ten minutes, "renew" takes that back', example: 'lilynode session end', options: [ON], load: async () => (await import('./session.ts')).runSession },
  {
    usage: 'voucher <action> [args...]',
    summary: 'pay one payee often and little: open, pay, take, redeem, close, ls',
    example: [
      'lilynode voucher open 0x5b...c1 10                 # reserves 10 LILY for this payee; again: 10 more',
      'lilynode voucher pay 0x5b...c1 0.02                # signs the voucher that pays so much more',
      'lilynode voucher take \'{"payer":...}\'             # the payee keeps it',
      'lilynode voucher redeem                            # the highest of each payer; redeem 0xa6...c7: of one',
      'lilynode voucher close 0x5b...c1                   # as payer: the rest comes back after the closing time',
      'lilynode voucher ls'
    ].join('\n  '),
    options: [['--hours <n>', 'open: until the channel expires (default 24)'], ['--close-minutes <n>', 'open: what the payee has once this node closes (default 60)'], ['--as <side>', 'close: payer or payee, where both sides pay each other'], ON],
    load: async () => (await import('./voucher.ts')).runVoucher
  },
  { usage: 'deposit <lily>', summary: 'move LILY from the wallet into the vault', example: 'lilynode deposit 100', options: [ON], load: async () => (await import('./money.ts')).runDeposit },
  { usage: 'withdraw <lily>', summary: 'move free LILY from the vault to the wallet', example: 'lilynode withdraw 12.5', options: [ON], load: async () => (await import('./money.ts')).runWithdraw },
  { usage: 'stake <lily>', summary: 'bond LILY (mediators and solvers)', example: 'lilynode stake 50', options: [ON], load: async () => (await import('./money.ts')).runStake },
  {
    usage: 'start',
    summary: 'run a node of a network',
    example: 'lilynode start --role resource-provider,solver --network network.json',
    options: [
      ['--role <list>', 'resource-provider, solver, mediator, creator (jobcreator), bootstrap, module-provider'],
      ['--network <file>', 'network file (default: network.json in the data folder); repeatable: the node is on each of these networks', collect],
      ['--delegation <file>', 'sign records for the account that delegated to this node (lilynode delegate)', collect],
      ['--fleet <file>', 'roster of the fleet that this node belongs to (lilynode fleet)', collect],
      ['--markets <list>', 'follow only these markets of the network, or one class of them, like default,render/gpu (default all)', collect],
      ['--listen <multiaddr>', 'where to listen, e.g. /ip4/0.0.0.0/tcp/4001 or /ip4/0.0.0.0/tcp/4002/ws (default /ip4/127.0.0.1/tcp/0); repeatable; NAME=multiaddr for another network than the first, as --announce, --markets, --delegation and --fleet', collect],
      ['--announce <multiaddr>', 'where others reach this node, if not where it listens (port forwarding, reverse proxy); repeatable', collect],
      ['--reachability <kind>', 'whether others can dial this node: public, private (it keeps places at relays) or auto (default auto)'],
      ['--relay', 'let nodes that cannot be dialled be reached through this one (a bootstrap node does)'],
      ['--upnp', 'ask the local router to forward a port'],
      ['--api-port <port>', 'port of the local API (default any free one)'],
      ['--engine <names>', 'solver engines, joined by commas: floor, lp, price, highs, or the path of an executable, as ./engine.py (default price)'],
      ['--unit <name=share>', 'offer a share of this machine as a unit, like gpu0=0.5; repeatable', collect],
      ['--ask <factor>', 'ask this multiple of the reference prices (default 0.9), rounded up to ticks'],
      ['--module <folder>', 'publish the module of this folder; repeatable', collect],
      ['--deposit <lily>', 'keep at least this much free in the vault'],
      ['--stake <lily>', 'keep at least this bond'],
      ['--direct', 'keep no session: open and settle every deal by itself, not in batches'],
      ['--fault <kind>', 'misbehave on purpose (devnet only): wrong-result'],
      ['--log-level <level>', 'debug, info, warn, error or silent (default info)']
    ],
    load: async () => (await import('./start.ts')).runStart
  },
  { usage: 'keys', summary: 'address, peer id and seal key of a data folder; makes them where there are none', example: 'lilynode keys --data ./publisher', load: async () => (await import('./keys.ts')).runKeys },
  {
    usage: 'delegate <operator>',
    summary: 'let another node\'s key sign records for this account',
    example: 'lilynode delegate 0x5b...c1 --peer 12D3KooW... --role module-provider > delegation.json',
    options: [['--peer <id>', 'peer id of the operator\'s node'], ['--role <list>', 'what it may sign for (default module-provider)'], ['--days <n>', 'in force for so long (default 30)'], NETWORK],
    load: async () => (await import('./keys.ts')).runDelegate
  },
  {
    usage: 'fleet <action> [args...]',
    summary: 'nodes of one owner as one: ls, cordon, uncordon, drain, price, use; and its roster: init, add, remove, bounds',
    example: [
      'lilynode fleet ls                                  # from any member',
      'lilynode fleet cordon gpu-2                        # no new deals; uncordon takes it back',
      'lilynode fleet drain gpu-2 --wait                  # until its deals are over',
      'lilynode fleet price 0.8                           # all nodes; fleet price gpu-2 default',
      'lilynode fleet init --data ./cold                  # the account\'s key, which stays there',
      'lilynode keys --json --data ./gpu-2 > gpu-2.json   # where the node is',
      'lilynode fleet add gpu-2 gpu-2.json --data ./cold  # also remove gpu-2, bounds --min-ask 0.7',
      'lilynode fleet use fleet.json --data ./gpu-1       # tells one member, which tells the others'
    ].join('\n  '),
    options: [
      ['--wait', 'drain: return when the node has drained'], ['--roster <file>', 'init, add, remove, bounds: the roster file (default fleet.json)'],
      ['--min-ask <factor>', 'init, bounds: no price of the fleet is below (default 0.5)'], ['--max-ask <factor>', 'init, bounds: nor above (default 2)'], NETWORK, ON
    ],
    load: async () => (await import('./fleet.ts')).runFleet
  },
  {
    usage: 'deploy',
    summary: 'deploy the contracts with this folder\'s key and write the deployment file of the new network',
    example: 'lilynode deploy --rpc http://127.0.0.1:8545 --out deployment.json',
    options: [
      ['--rpc <url>', 'JSON-RPC URL of the chain'], ['--out <file>', 'where the deployment file goes; must not exist (default deployment.json)'],
      ['--holder <address>', 'who gets the whole token supply (default the deployer)'],
      ['--parameters <file>', 'JSON of unbondSeconds, minMediatorBond, appealJudge and governed; what it leaves out has its default'],
      ['--wait <seconds>', 'give up when the transactions are not in blocks after this (default 600)']
    ],
    load: async () => (await import('./deploy.ts')).runDeploy
  },
  {
    usage: 'devnet',
    summary: 'keep a whole local network up until Ctrl-C; resumes where it was',
    example: 'lilynode devnet --providers 3 --solvers 2',
    options: [
      ['--providers <n>', 'resource providers (default 2)'], ['--solvers <n>', 'solvers (default 2)'], ['--mediators <n>', 'mediators (default 1)'], ['--creators <n>', 'creators (default 1)'],
      ['--units <n>', 'offers per provider (default 5)'], ['--fault <kind>', 'provider-1 misbehaves: wrong-result'], ['--chain-port <port>', 'port of the embedded chain'],
      ['--epoch-ms <n>', 'epoch length (default 2000)'], ['--stop', 'end the devnet of this folder']
    ],
    load: async () => (await import('./devnet.ts')).runDevnet
  },
  {
    usage: 'demo',
    summary: 'the whole mission once: a fresh mesh, one job, payment, tear-down',
    example: 'lilynode demo --cheat',
    options: [['--cheat', 'one provider returns a wrong result and is caught'], ['--seed <n>', 'seed of the other jobs in the book (default 1)'], ['--keep', 'leave the data folder for inspection']],
    load: async () => (await import('./demo.ts')).runDemo
  },
  { usage: 'doctor', summary: 'check this machine and the node on it', example: 'lilynode doctor', options: [['--network <file>', `${NETWORK[1]}; repeatable`, collect]], load: async () => (await import('./doctor.ts')).runDoctor },
  { usage: 'version', summary: 'the version', example: 'lilynode version', load: async () => (await import('./version.ts')).runVersion },
  {
    usage: 'chain',
    summary: 'run the embedded chain (devnet starts it)',
    example: 'lilynode chain --data ./chain --port 8545',
    hidden: true,
    options: [['--port <port>', 'RPC port (default 8545)'], ['--chain-id <id>', 'chain id (default 31337)']],
    load: async () => (await import('./chain.ts')).runChain
  }
]
