// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What votes may change. Units, bounds and meanings: protocol/governance.md.
enum Param {
    VotingDelay,
    VotingPeriod,
    ProposalThreshold,
    TimelockDelay,
    EpochSeconds,
    EpochBudget,
    ChallengeSeconds,
    RulingSeconds,
    PosterBond,
    ReputationExponent,
    FeesExponent,
    CollateralExponent,
    WindowEpochs,
    CreatorWeight,
    ProviderWeight,
    SolverWeight,
    MediatorWeight,
    ModuleProviderWeight
}

/// @title The governed parameters, each within bounds that no vote can move
/// @notice What was begun under a value keeps it: deals pin theirs in the signed terms, Rewards pins
/// an epoch's when it begins and a round's when it opens, the Governor pins a proposal's.
interface IParams {
    /// @notice `param` has a new value; at deployment `before` is 0.
    event ParamChanged(Param indexed param, uint64 before, uint64 value);

    /// @notice The caller is not the Timelock.
    error NotOwner();
    /// @notice The value is below `least` or above `most`.
    error OutOfBounds(Param param, uint64 value, uint64 least, uint64 most);

    /// @notice Changes one parameter; the Timelock only.
    function set(Param param, uint64 value) external;

    /// @notice The present value.
    function get(Param param) external view returns (uint64);

    /// @notice All present values, in the order of Param.
    function all() external view returns (uint64[18] memory);

    /// @notice The bounds of a parameter, which nothing changes.
    function bounds(Param param) external pure returns (uint64 least, uint64 most);

    /// @notice keccak256 of the values at deployment, ABI-encoded: part of the code, so that a
    /// deployment file that names them can be held against it at any time.
    // solhint-disable-next-line func-name-mixedcase
    function INITIAL() external view returns (bytes32);
}
