// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {State} from "./DealTypes.sol";

/// @title The one word that the chain keeps of a dispute
/// @dev Lowest bits first: state of the deal (8), phase (8), round (4), seats (4), verdicts of the seats
/// (8 x 2, zero: none yet), last second of the step (32); above them the upper 184 bits of a hash over
/// everything else, which calls bring. 184 bits: nobody finds two cases with one tag.
library CaseWord {
    /// @dev Waiting for the provider's salt, then for verdicts.
    uint256 internal constant SITTING = 0;
    /// @dev Ruled; an appeal is possible until the last second, payment after it.
    uint256 internal constant RULED = 1;
    /// @dev Appealed; the judge has until the last second.
    uint256 internal constant APPEALED = 2;

    uint256 private constant _TAG = type(uint256).max << 72;

    /// @dev Times beyond 32 bits mean never in this century.
    function pack(State state_, uint256 phase_, uint256 round_, uint256 seats_, uint256 votes_, uint256 last, bytes32 tag)
        internal
        pure
        returns (uint256)
    {
        if (last > type(uint32).max) last = type(uint32).max;
        return uint256(tag) & _TAG | last << 40 | votes_ << 24 | seats_ << 20 | round_ << 16 | phase_ << 8
            | uint256(state_);
    }

    /// @dev State of the deal.
    function state(uint256 word) internal pure returns (State) {
        return State(uint8(word));
    }

    /// @dev SITTING, RULED or APPEALED.
    function phase(uint256 word) internal pure returns (uint256) {
        return word >> 8 & 0xff;
    }

    /// @dev How often silent mediators were replaced.
    function round(uint256 word) internal pure returns (uint256) {
        return word >> 16 & 0xf;
    }

    /// @dev Number of mediators with a seat.
    function seats(uint256 word) internal pure returns (uint256) {
        return word >> 20 & 0xf;
    }

    /// @dev Two bits a seat.
    function votes(uint256 word) internal pure returns (uint256) {
        return word >> 24 & 0xffff;
    }

    /// @dev Last second of the step.
    function until(uint256 word) internal pure returns (uint256) {
        return word >> 40 & type(uint32).max;
    }

    /// @dev Whether the word stands for what hashes to `tag`.
    function isFor(uint256 word, bytes32 tag) internal pure returns (bool) {
        return (word ^ uint256(tag)) & _TAG == 0;
    }

    /// @dev The same case with other verdicts.
    function withVotes(uint256 word, uint256 votes_) internal pure returns (uint256) {
        return word & ~(uint256(0xffff) << 24) | votes_ << 24;
    }
}
