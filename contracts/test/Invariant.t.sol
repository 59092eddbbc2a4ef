// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Handler} from "./Handler.sol";

struct FuzzSelector {
    address addr;
    bytes4[] selectors;
}

/// @dev Money is conserved, belongs to live deals, and always comes out again.
contract InvariantTest {
    Handler private _handler;

    function setUp() public {
        _handler = new Handler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](8);
        selectors[0] = Handler.open.selector;
        selectors[1] = Handler.step.selector;
        selectors[2] = Handler.pass.selector;
        selectors[3] = Handler.deposit.selector;
        selectors[4] = Handler.withdraw.selector;
        selectors[5] = Handler.bond.selector;
        selectors[6] = Handler.step.selector; // twice as often
        selectors[7] = Handler.open.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    /// @dev One look for all three: what is asserted costs as much as a call.
    function invariant_moneyIsConservedBelongsToLiveDealsAndGoesToNoCoalition() public {
        _handler.solvent();
        _handler.escrowsAddUp();
        _handler.coalitionGainsNothing();
    }

    function afterInvariant() public {
        _handler.releaseAll();
    }
}
