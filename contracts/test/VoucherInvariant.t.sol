// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {VoucherHandler} from "./VoucherHandler.sol";
import {FuzzSelector} from "./Invariant.t.sol";

/// @dev Channels pay no more than reserved and signed, to their payee alone, and always come out again.
contract VoucherInvariantTest {
    VoucherHandler private _handler;

    function setUp() public {
        _handler = new VoucherHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = VoucherHandler.reserve.selector;
        selectors[1] = VoucherHandler.redeem.selector;
        selectors[2] = VoucherHandler.startClose.selector;
        selectors[3] = VoucherHandler.close.selector;
        selectors[4] = VoucherHandler.withdraw.selector;
        selectors[5] = VoucherHandler.pass.selector;
        selectors[6] = VoucherHandler.redeem.selector; // twice as often
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    /// forge-config: default.invariant.runs = 150
    /// forge-config: nightly.invariant.runs = 5000
    function invariant_channelsPayTheirPayeeAndNoMoreThanReserved() public view {
        _handler.check();
    }

    function afterInvariant() public {
        _handler.endAll();
    }
}
