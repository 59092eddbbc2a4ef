// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISessions} from "./ISessions.sol";

/// @notice One account, one storage slot. All members are nLILY.
struct Account {
    uint64 free; // may be withdrawn or locked
    uint64 locked; // escrow: of deals this account provides for, of batches it committed, its stakes and reservations
    uint64 bond; // stands behind a role
    uint64 unbonding; // leaves the bond at `unbondAt`; still slashable until taken
}

/// @notice Something an account does with its money, for others to send. EIP-712:
/// Order(uint8 kind,address account,address to,uint8 number,uint64 amount,uint64 nonce)
struct Order {
    uint8 kind;
    address account;
    address to; // of a withdrawal
    uint8 number; // of a session
    uint64 amount;
    uint64 nonce;
}

/// @title The only holder of tokens
/// @notice token.balanceOf(vault) == sum(free + locked + bond + unbonding + session funds) + pool, but for tokens
/// sent here past `deposit`, which nobody can take out.
interface IVault is ISessions {
    /// @notice `by` moved `amount` tokens in; `account` may use them.
    event Deposited(address indexed account, address indexed by, uint64 amount);
    /// @notice `account` took `amount` of its free money out to `to`.
    event Withdrawn(address indexed account, address indexed to, uint64 amount);
    /// @notice `account` turned free money into bond.
    event Bonded(address indexed account, uint64 amount);
    /// @notice `amount` of free money became funds of a session.
    event SessionFunded(address indexed account, uint8 number, uint64 amount);
    /// @notice An ended session's funds became free money.
    event SessionSwept(address indexed account, uint8 number, uint64 amount);
    /// @notice `amount` stopped counting as bond; all that is unbonding is free at `freeAt`.
    event UnbondStarted(address indexed account, uint64 amount, uint64 freeAt);
    /// @notice The unbonded money is free.
    event Unbonded(address indexed account, uint64 amount);
    /// @notice Bond and unbonding money of `account` went to the pool.
    event BondSlashed(address indexed account, uint64 amount);
    /// @notice Slashed money, or a fee without payee, went to the pool.
    event Pooled(uint64 amount);

    /// @notice The caller is not the Market.
    error NotMarket();
    /// @notice The caller is not the Court.
    error NotCourt();
    /// @notice The caller is not Batches.
    error NotBatches();
    /// @notice The caller is none of Market, Court and Batches.
    error NotDealing();
    /// @notice The caller is none of Market, Court, Batches and Vouchers.
    error NotEscrowing();
    /// @notice `account` would have `locked` in escrow, more than its bond allows.
    error BondTooSmall(address account, uint64 locked, uint256 allowed);
    /// @notice `account` has `free` and needs `needed`.
    error InsufficientFree(address account, uint64 free, uint64 needed);
    /// @notice `account` has `bond` and needs `needed`.
    error InsufficientBond(address account, uint64 bond, uint64 needed);
    /// @notice Not before `freeAt`.
    error StillBonded(uint64 freeAt);
    /// @notice Kinds are 1 to 6.
    error BadOrder(uint8 kind);
    /// @notice The account's next order has nonce `expected`.
    error BadOrderNonce(uint64 nonce, uint64 expected);
    /// @notice A session's funds are below 2^56 nLILY.
    error FundsTooLarge();
    /// @notice There is nothing to move.
    error NothingThere();
    /// @notice More was to be released than stands in escrow.
    error BeyondEscrow();
    /// @notice Money for the zero address would be lost.
    error ZeroAddress();
    /// @notice The token's supply does not fit uint64.
    error SupplyTooLarge();

    /// @notice Moves `amount` of the caller's tokens into the account `to`.
    function deposit(address to, uint64 amount) external;

    /// @notice Moves `amount` of `owner`'s tokens into `owner`'s account by its ERC-2612 permit to
    /// this vault over exactly `amount`; anyone may send it.
    function depositFor(address owner, uint64 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Takes `amount` of the caller's free money out to `to`.
    function withdraw(address to, uint64 amount) external;

    /// @notice Turns `amount` of the caller's free money into bond.
    function addBond(uint64 amount) external;

    /// @notice Starts to free `amount` of the caller's bond; restarts the clock of what is pending.
    function startUnbond(uint64 amount) external;

    /// @notice Frees the caller's pending bond once its time has come.
    function finishUnbond() external;

    /// @notice Market only: escrows both sides' money in the provider's `locked`.
    function lock(address creator, address provider, uint64 fromCreator, uint64 fromProvider) external;

    /// @notice Market only: adds up to `wanted` of the creator's free money to the escrow.
    /// @return taken what was there to take.
    function pull(address creator, address provider, uint64 wanted) external returns (uint64 taken);

    /// @notice Market only: ends an escrow. What the four amounts leave of it goes to the pool, as
    /// does an amount whose payee is zero; amounts beyond the escrow revert.
    function release(
        address provider,
        uint64 escrow,
        uint64 toProvider,
        address creator,
        uint64 toCreator,
        address payee,
        uint64 toPayee,
        address mediator,
        uint64 toMediator
    ) external;

    /// @notice Court only: sends bond and unbonding money of `account` to the pool.
    function slashBond(address account) external returns (uint64 amount);

    /// @notice What `withdraw`, `addBond`, `startUnbond`, `finishUnbond` and `sweep` do for their
    /// caller (kinds 1 to 5), and moving free money into a session's funds (6), by the account's
    /// signature over Order; empty if the account calls. Nonces count up from zero.
    function order(Order calldata order_, bytes calldata signature) external;

    /// @notice The nonce of the account's next order.
    function orderNonce(address account) external view returns (uint64);

    /// @notice Batches only: moves owners' session funds into the solver's escrow. `from`: account in
    /// the lowest 160 bits of each word, number of its session in the next 8, amount above. Reverts if
    /// the solver then has more than `leverage` times its bond in escrow.
    /// @return short bit i: owner i lacks funds or allowance; nothing of it was moved.
    function lockBatch(address solver, uint256 leverage, uint256[] calldata from) external returns (uint256 short);

    /// @notice Batches only: undoes part of a `lockBatch` of this transaction; words as there.
    function unlockBatch(address solver, uint256[] calldata to) external;

    /// @notice Market, Court, Batches and Vouchers only: pays out of `holder`'s escrow, `toHolder` to itself and `to` as words of
    /// `lockBatch`; session zero is the account's free money, the zero address the pool.
    function payBatch(address holder, uint64 toHolder, uint256[] calldata to) external;

    /// @notice Market, Court, Batches and Vouchers only: moves `amount` of free money into the same account's escrow.
    function stake(address account, uint64 amount) external;

    /// @notice Batches only: moves escrow to another account's.
    function moveLock(address from, address to, uint64 amount) external;

    /// @notice Market, Court and Batches only: takes up to `wanted` of `account`'s bond and unbonding money; at most
    /// `share` of it goes to `victim`, the rest to the pool.
    function slash(address account, uint64 wanted, address victim, uint64 share) external returns (uint64 amount);

    /// @notice The contract that may move batches' escrow.
    function BATCHES() external view returns (address);

    /// @notice The contract that may move what is reserved for vouchers.
    function VOUCHERS() external view returns (address);

    /// @notice The contract that may move deals' escrow.
    function MARKET() external view returns (address);

    /// @notice The contract of disputes.
    function COURT() external view returns (address);

    /// @notice Seconds from `startUnbond` to `finishUnbond`.
    function UNBONDING() external view returns (uint64);

    /// @notice The balances of `who`.
    function account(address who) external view returns (Account memory);

    /// @notice What counts as `who`'s bond (unbonding money does not).
    function bondOf(address who) external view returns (uint64);

    /// @notice When `who`'s unbonding money can be taken; zero if it never started.
    function unbondAt(address who) external view returns (uint64);

    /// @notice Slashed money and fees without payee, in nLILY.
    function pool() external view returns (uint64);
}
