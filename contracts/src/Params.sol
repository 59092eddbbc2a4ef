// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IParams, Param} from "./interfaces/IParams.sol";

/// @title The governed parameters
/// @dev Bounds are code, values are storage, four to a slot.
contract Params is IParams {
    uint64 private constant _LILY = 1e9;

    /// @notice The Timelock, for ever.
    address public immutable OWNER;
    /// @inheritdoc IParams
    bytes32 public immutable INITIAL;

    uint64[18] private _values;

    /// @param owner the address that the Timelock has or will have.
    /// @param values one for each Param, in its order, within its bounds.
    constructor(address owner, uint64[18] memory values) {
        OWNER = owner;
        INITIAL = keccak256(abi.encode(values));
        for (uint256 i; i < values.length; ++i) {
            _set(Param(i), values[i]);
        }
    }

    /// @inheritdoc IParams
    function set(Param param, uint64 value) external {
        if (msg.sender != OWNER) revert NotOwner();
        _set(param, value);
    }

    /// @inheritdoc IParams
    function get(Param param) external view returns (uint64) {
        return _values[uint256(param)];
    }

    /// @inheritdoc IParams
    function all() external view returns (uint64[18] memory) {
        return _values;
    }

    /// @inheritdoc IParams
    function bounds(Param param) public pure returns (uint64 least, uint64 most) {
        if (param == Param.VotingDelay) return (1 hours, 7 days);
        if (param == Param.VotingPeriod) return (1 days, 14 days);
        if (param == Param.ProposalThreshold) return (1_000 * _LILY, 5_000_000 * _LILY);
        if (param == Param.TimelockDelay) return (1 days, 14 days);
        if (param == Param.EpochSeconds) return (1 days, 90 days);
        if (param == Param.EpochBudget) return (0, 5_000_000 * _LILY);
        if (param == Param.ChallengeSeconds) return (1 days, 30 days);
        // The longest vote takes 7 + 14 + 14 days, so a judge that is a vote can always answer in time.
        if (param == Param.RulingSeconds) return (42 days, 120 days);
        if (param == Param.PosterBond) return (100 * _LILY, 1_000_000 * _LILY);
        if (param <= Param.CollateralExponent) return (0, 4_000);
        if (param == Param.WindowEpochs) return (1, 52);
        return (0, 10_000);
    }

    function _set(Param param, uint64 value) private {
        (uint64 least, uint64 most) = bounds(param);
        if (value < least || value > most) revert OutOfBounds(param, value, least, most);
        emit ParamChanged(param, _values[uint256(param)], value);
        _values[uint256(param)] = value;
    }
}
