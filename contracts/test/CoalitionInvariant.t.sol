// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CoalitionHandler} from "./CoalitionHandler.sol";
import {Vm} from "./Vm.sol";
import {FuzzSelector} from "./Invariant.t.sol";

/// @dev An honest party loses no more than the rules allow, and the others together gain no more than it owed them.
contract CoalitionInvariantTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    CoalitionHandler private _handler;

    function setUp() public {
        _handler = new CoalitionHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](8);
        selectors[0] = CoalitionHandler.offer.selector;
        selectors[1] = CoalitionHandler.act.selector;
        selectors[2] = CoalitionHandler.act.selector; // four times as often
        selectors[3] = CoalitionHandler.act.selector;
        selectors[4] = CoalitionHandler.act.selector;
        selectors[5] = CoalitionHandler.stream.selector;
        selectors[6] = CoalitionHandler.reveals.selector;
        selectors[7] = CoalitionHandler.pass.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    /// forge-config: default.invariant.runs = 50
    /// forge-config: nightly.invariant.runs = 500
    function invariant_anHonestPartyLosesNoMoreThanItOwes() public view {
        _handler.check();
    }

    function afterInvariant() public {
        _handler.endAll();
    }

    /// @dev The handler is worth something only while its calls go through: a fixed sequence reaches every fault.
    function test_theCoalitionReachesEveryCall() public {
        bytes4[25] memory calls = [
            _handler.doOpen.selector, _handler.doCommit.selector, _handler.doAccept.selector, _handler.doClaim.selector,
            _handler.doSubmit.selector, _handler.doFinalize.selector, _handler.doRefund.selector,
            _handler.doTimeoutSubmit.selector, _handler.doExpire.selector, _handler.doChallenge.selector,
            _handler.doReveal.selector, _handler.doVerdict.selector, _handler.doTimeoutReveal.selector,
            _handler.doTimeoutVerdict.selector, _handler.doNullify.selector, _handler.doDisown.selector,
            _handler.doAnswerDisown.selector, _handler.doConcludeDisown.selector, _handler.doAccuse.selector,
            _handler.doAnswerPromise.selector, _handler.doConcludePromise.selector, _handler.doSlashReveals.selector,
            _handler.doReserve.selector, _handler.doRedeem.selector, _handler.doClose.selector
        ];
        uint256[25] memory count;
        CoalitionHandler h = _handler;
        uint256 fresh = vm.snapshotState();
        for (uint256 run; run < 24; ++run) {
            uint256 seed = uint256(keccak256(abi.encode(run)));
            for (uint256 step; step < 128; ++step) {
                seed = uint256(keccak256(abi.encode(seed)));
                uint256 what = seed >> 200 & 7;
                if (what < 1) h.offer(seed);
                else if (what < 5) h.act(seed);
                else if (what == 5) h.stream(seed);
                else if (what == 6) h.pass(uint16(seed));
                else h.reveals(seed);
            }
            h.check();
            h.endAll();
            for (uint256 k; k < 25; ++k) {
                count[k] += h.went(calls[k]);
            }
            vm.revertToState(fresh);
            fresh = vm.snapshotState();
        }
        for (uint256 k; k < 25; ++k) {
            if (count[k] == 0) revert NeverReached(k);
        }
    }

    error NeverReached(uint256 call);
}
