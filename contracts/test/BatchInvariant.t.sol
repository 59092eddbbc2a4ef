// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHandler} from "./BatchHandler.sol";
import {FuzzSelector} from "./Invariant.t.sol";

/// @dev Over batches, claimed leaves and direct deals: money is conserved, a deal is locked and paid
/// once, the solver never loses, and everything comes out again.
contract BatchInvariantTest {
    BatchHandler private _handler;

    function setUp() public {
        _handler = new BatchHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = BatchHandler.commit.selector;
        selectors[1] = BatchHandler.settle.selector;
        selectors[2] = BatchHandler.claim.selector;
        selectors[3] = BatchHandler.expire.selector;
        selectors[4] = BatchHandler.open.selector;
        selectors[5] = BatchHandler.step.selector;
        selectors[6] = BatchHandler.pass.selector;
        selectors[7] = BatchHandler.fund.selector;
        selectors[8] = BatchHandler.commit.selector; // twice as often
        selectors[9] = BatchHandler.challengeLeaf.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    function invariant_moneyIsConservedAndLocksAreWhatTheyStandFor() public view {
        _handler.check();
    }

    function afterInvariant() public {
        _handler.releaseAll();
    }
}
