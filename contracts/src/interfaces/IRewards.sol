// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice "The rewards of all time up to the end of this epoch are this root." EIP-712:
/// RewardPosting(address poster,uint64 epoch,uint64 total,uint64 bond,bytes32 root,bytes32 data,uint256 nonce)
struct Posting {
    address poster; // pays the bond, by an allowance to Rewards
    uint64 epoch;
    uint64 total; // sum of all leaves, nLILY
    uint64 bond; // what the round asks for
    bytes32 root; // of the Merkle tree over (account, cumulative amount)
    bytes32 data; // sha2-256 of the published list of leaves
    uint256 nonce; // of the poster at Rewards
}

/// @notice A posting in a round: the first opened it, the second contests it.
struct Candidate {
    address poster;
    uint64 total;
    bytes32 root;
}

/// @notice One epoch's root in the making.
struct Round {
    uint64 id; // counts the rounds of all epochs from 1
    uint64 bond; // of each candidate
    uint64 challengeBy; // until then another root may be posted
    uint64 ruleBy; // until then the judge may rule between two
}

/// @title Rewards by cumulative Merkle roots, one an epoch, open to challenge
/// @notice Tokens here >= funded - paid + bonds of the running round, and paid <= total <= funded.
/// Every action may be sent by anyone with the account's signature. Rules: protocol/rewards.md.
interface IRewards {
    /// @notice `from` gave `amount` for rewards.
    event Funded(address indexed from, uint64 amount);
    /// @notice The epoch runs until `ends` and may add `budget` to the total.
    event EpochStarted(uint64 indexed epoch, uint64 ends, uint64 budget);
    /// @notice Candidate 1 opened the round, candidate 2 contests it.
    event Posted(
        uint64 indexed round,
        uint64 indexed epoch,
        uint8 candidate,
        address indexed poster,
        uint64 total,
        bytes32 root,
        bytes32 data,
        uint64 challengeBy,
        uint64 ruleBy
    );
    /// @notice The root counts from now on.
    event Finalized(uint64 indexed round, uint64 indexed epoch, uint64 total, bytes32 root);
    /// @notice The judge chose candidate 1 or 2, or neither (0); `forfeited` of bonds became funds.
    event Ruled(uint64 indexed round, uint8 winner, uint64 forfeited);
    /// @notice The judge was silent: both bonds went back and the epoch is open again.
    event Lapsed(uint64 indexed round);
    /// @notice `amount` went to the account in the Vault.
    event Claimed(address indexed account, uint64 amount);

    /// @notice The caller is not the judge.
    error NotJudge();
    /// @notice The epoch to be posted is `epoch`.
    error WrongEpoch(uint64 epoch);
    /// @notice The round is `round`, or the winner is none of 0 to 2.
    error WrongRound(uint64 round);
    /// @notice The root is zero, or what the first candidate posted.
    error BadRoot();
    /// @notice The total is below what was final before, or above what the budget and the funds allow.
    error BadTotal(uint64 total, uint64 least, uint64 most);
    /// @notice The round asks for `needed`.
    error BadBond(uint64 needed);
    /// @notice Two roots stand against each other: the judge is asked.
    error Contested();
    /// @notice There are no two roots to judge between.
    error NotContested();
    /// @notice The account has claimed `claimed` already, or the amount is not in the root.
    error NothingToClaim(address account, uint64 claimed);
    /// @notice The leaves of the root sum to more than its total.
    error BeyondTotal();
    /// @notice Possible only from `time` on.
    error TooEarly(uint256 time);
    /// @notice Was possible until `deadline`.
    error TooLate(uint256 deadline);

    /// @notice Gives `amount` of `from`'s tokens, by an allowance and its signature over
    /// RewardFunding(address from,uint64 amount,uint256 nonce); empty if it calls.
    function fund(address from, uint64 amount, uint256 nonce, bytes calldata signature) external;

    /// @notice Posts a root once the epoch is over, or contests the one that stands until challengeBy.
    function post(Posting calldata posting, bytes calldata signature) external;

    /// @notice Makes a root count that nobody contested in time, and returns its bond.
    function finalize() external;

    /// @notice The judge's word between two roots until ruleBy: the winner's root counts and its bond
    /// goes back; who lost forfeits its bond to the funds. 0: both lost, the epoch is open again.
    function rule(uint64 round, uint8 winner) external;

    /// @notice Ends a contest that the judge let pass.
    function lapse() external;

    /// @notice Pays into `account`'s Vault account what `amount` is above all it claimed before.
    function claim(address account, uint64 amount, bytes32[] calldata proof) external;

    /// @notice The running round; id of the last one and zeros if none runs.
    function running() external view returns (Round memory round, Candidate memory first, Candidate memory second);

    /// @notice The epoch to be posted next, when it ends, and what it may add to the total.
    function epoch() external view returns (uint64 number, uint64 ends, uint64 budget);

    /// @notice The root that counts.
    function root() external view returns (bytes32);

    /// @notice Sum of the leaves that count; of it paid; given for rewards at any time. nLILY.
    function sums() external view returns (uint64 total, uint64 paid, uint64 funded);

    /// @notice All that the account ever claimed.
    function claimed(address account) external view returns (uint64);

    /// @notice Leaf of the tree: hashed twice, so that no inner node passes for one.
    function leaf(address account, uint64 amount) external pure returns (bytes32);
}
