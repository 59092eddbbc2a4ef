// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DealCore, Docket, Payout, State} from "./DealTypes.sol";

/// @title How the ends of a dispute divide the escrow (protocol/deal.md, "Money")
/// @dev What mediators get is filled in by the caller; `forMediators` is what the division leaves them.
library Division {
    uint8 internal constant CORRECT = 1;
    uint8 internal constant WRONG = 2;
    uint8 internal constant INCONCLUSIVE = 3;

    /// @dev What a challenge adds to the escrow.
    function extra(DealCore calldata core, Docket memory docket) internal pure returns (uint64) {
        uint64 costs = docket.auditFee + docket.claimFee;
        return costs > core.reserve ? costs - core.reserve : 0;
    }

    /// @dev What the creator has in the escrow: price, fee, reserve and what the challenge added.
    function creatorMoney(DealCore calldata core, Docket memory docket) internal pure returns (uint64) {
        return core.price + core.fee + core.reserve + extra(core, docket);
    }

    /// @dev The provider kept its salt back.
    function refused(DealCore calldata core, Docket memory docket) internal pure returns (Payout memory payout) {
        payout.toCreator = creatorMoney(core, docket) + _min(docket.claimFee, core.collateral);
    }

    /// @dev The creator accepted after all.
    function settled(DealCore calldata core, Docket memory docket) internal pure returns (Payout memory payout) {
        payout.toProvider = core.price + core.collateral;
        payout.toFee = core.fee;
        payout.toCreator = core.reserve + extra(core, docket);
    }

    /// @dev A verdict. The challenge made sure that reserve + extra >= auditFee + claimFee.
    function ruled(DealCore calldata core, Docket memory docket, uint8 outcome, uint64 forMediators)
        internal
        pure
        returns (State to, Payout memory payout)
    {
        uint64 money = creatorMoney(core, docket);
        if (outcome == CORRECT) {
            to = State.MediationAccepted;
            payout.toProvider = core.price + core.collateral + docket.claimFee;
            payout.toFee = core.fee;
            payout.toCreator = money - core.price - core.fee - docket.claimFee - forMediators;
        } else if (outcome == WRONG) {
            // The loser pays the mediators, then the creator's pinned cost, as far as its collateral
            // goes; only then the creator's own money is touched.
            to = State.MediationRejected;
            uint64 audit = _min(forMediators, core.collateral);
            payout.toCreator = money - (forMediators - audit) + _min(docket.claimFee, core.collateral - audit);
        } else {
            to = State.Refunded;
            payout.toProvider = core.collateral;
            payout.toCreator = money - forMediators;
        }
    }

    function _min(uint64 a, uint64 b) private pure returns (uint64) {
        return a < b ? a : b;
    }
}
