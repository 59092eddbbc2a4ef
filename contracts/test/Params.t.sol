// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./SetFixture.sol";
import {FuzzSelector} from "./Invariant.t.sol";

/// @dev Who may change parameters, and how far.
contract ParamsTest is SetFixture {
    function test_deploymentHasTheValuesItWasGiven() public view {
        uint64[18] memory values = params.all();
        for (uint256 i; i < values.length; ++i) {
            eq(values[i], _initial()[i], "value");
            eq(params.get(Param(i)), values[i], "get");
        }
        isTrue(params.INITIAL() == keccak256(abi.encode(_initial())), "hash of the values");
    }

    function test_nobodyButTheTimelockChangesThem() public {
        address[3] memory others = [address(this), address(governor), creator];
        for (uint256 i; i < 3; ++i) {
            vm.prank(others[i]);
            _expectRevert(IParams.NotOwner.selector);
            params.set(Param.PosterBond, 1_000 * LILY);
        }
        vm.prank(address(timelock));
        params.set(Param.PosterBond, 1_000 * LILY);
        eq(params.get(Param.PosterBond), 1_000 * LILY, "changed");
        eq(params.get(Param.RulingSeconds), 42 days, "its neighbour in the slot");
        isTrue(params.INITIAL() == keccak256(abi.encode(_initial())), "what was first stays known");
    }

    function testFuzz_valuesOutsideTheirBoundsAreRefused(uint8 which, uint64 value) public {
        Param param = Param(which % 18);
        (uint64 least, uint64 most) = params.bounds(param);
        isTrue(least <= most, "bounds");
        vm.prank(address(timelock));
        if (value < least || value > most) {
            vm.expectRevert(abi.encodeWithSelector(IParams.OutOfBounds.selector, param, value, least, most));
        }
        params.set(param, value);
    }

    function test_noDeploymentBeginsOutsideTheBounds() public {
        for (uint256 i; i < 18; ++i) {
            (uint64 least, uint64 most) = params.bounds(Param(i));
            uint64[18] memory values = _initial();
            values[i] = most + 1;
            isTrue(_create("Params", abi.encode(address(this), values)) == address(0), "above");
            if (least == 0) continue;
            values[i] = least - 1;
            isTrue(_create("Params", abi.encode(address(this), values)) == address(0), "below");
        }
    }

    function test_aVoteCanAlwaysAnswerInTime() public view {
        (, uint64 delay) = params.bounds(Param.VotingDelay);
        (, uint64 period) = params.bounds(Param.VotingPeriod);
        (, uint64 lock) = params.bounds(Param.TimelockDelay);
        (uint64 ruling,) = params.bounds(Param.RulingSeconds);
        isTrue(delay + period + lock < ruling, "the longest vote is shorter than the shortest ruling time");
    }
}

/// @dev Any calls by anyone, the Timelock among them.
contract ParamsHandler is SetFixture {
    constructor() {
        setUp();
    }

    function set(uint8 which, uint64 value, bool byTimelock) external {
        vm.prank(byTimelock ? address(timelock) : stranger);
        try params.set(Param(which % 18), value) {} catch {}
    }

    function setInside(uint8 which, uint64 value) external {
        (uint64 least, uint64 most) = params.bounds(Param(which % 18));
        vm.prank(address(timelock));
        params.set(Param(which % 18), least + value % (most - least + 1));
    }

    function check() external view {
        uint64[18] memory values = params.all();
        for (uint256 i; i < values.length; ++i) {
            (uint64 least, uint64 most) = params.bounds(Param(i));
            isTrue(least <= values[i] && values[i] <= most, "within bounds");
        }
    }
}

contract ParamsInvariantTest {
    ParamsHandler private _handler;

    function setUp() public {
        _handler = new ParamsHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (ParamsHandler.set.selector, ParamsHandler.setInside.selector);
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    function invariant_everyParameterStaysWithinItsBounds() public view {
        _handler.check();
    }
}
