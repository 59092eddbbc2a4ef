// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./RewardsFixture.sol";
import {FuzzSelector} from "./Invariant.t.sol";

/// @dev Legal traffic by posters who may lie about anything the contract cannot check.
contract RewardsHandler is RewardsFixture {
    uint64 private _creators; // of the root that counts
    uint64 private _solvers;
    uint64[2][2] private _candidates;
    uint64 private _claimedCreator;
    uint64 private _claimedSolver;
    uint64 private _paidBefore;
    uint64 private _totalBefore;

    constructor() {
        setUp();
    }

    function give(uint64 amount) external {
        _fund(amount % BUDGET);
    }

    function post(uint64 toCreator, uint64 toSolver, uint64 lie, bool second) external {
        (Round memory round, Candidate memory first, Candidate memory other) = rewards.running();
        bool isOpen = first.poster == address(0);
        if (!isOpen && (other.poster != address(0) || block.timestamp > round.challengeBy)) return;
        if (block.timestamp < _ends()) vm.warp(_ends());
        (uint64 number,, uint64 budget) = rewards.epoch();
        (uint64 total,, uint64 funded) = rewards.sums();
        uint64 most = total + budget < funded ? total + budget : funded;
        // A false root promises what it likes; only its total is bounded.
        uint64 creators = toCreator % (2 * most + 1);
        uint64 solvers = lie % 3 == 0 ? toSolver % (2 * most + 1) : (creators < most ? most - creators : 0);
        uint64 sum = total + lie % (most - total + 1);
        bytes32 root_ = _root(creators, solvers);
        if (!isOpen && root_ == first.root && sum == first.total) return;
        uint256 key = second ? STRANGER_KEY : PROVIDER_KEY;
        if (token.balanceOf(vm.addr(key)) < BOND) return;
        Posting memory p = _postingOf(key, number, sum, root_);
        vm.prank(vm.addr(key));
        rewards.post(p, "");
        _candidates[isOpen ? 0 : 1] = [creators, solvers];
    }

    function end(uint8 choice) external {
        (Round memory round, Candidate memory first, Candidate memory second) = rewards.running();
        if (first.poster == address(0)) return;
        if (second.poster == address(0)) {
            if (choice % 2 == 0) return; // leaves room for a contest
            if (block.timestamp <= round.challengeBy) vm.warp(round.challengeBy + 1);
            rewards.finalize();
            (_creators, _solvers) = (_candidates[0][0], _candidates[0][1]);
        } else if (choice % 4 == 3) {
            vm.warp(round.ruleBy + 1);
            rewards.lapse();
        } else {
            vm.prank(address(timelock));
            rewards.rule(round.id, choice % 4);
            if (choice % 4 != 0) {
                (_creators, _solvers) = (_candidates[choice % 4 - 1][0], _candidates[choice % 4 - 1][1]);
            }
        }
    }

    function claim(bool byCreator) external {
        if (rewards.root() == 0) return;
        (address who, uint64 amount) = byCreator ? (creator, _creators) : (solver, _solvers);
        uint64 before = rewards.claimed(who);
        (uint64 total, uint64 paid,) = rewards.sums();
        if (amount <= before || amount - before > total - paid) return;
        uint64 free = _free(who);
        if (byCreator) _claimCreator(_creators, _solvers);
        else _claimSolver(_creators, _solvers);
        eq(_free(who), free + amount - before, "paid what is above the claims before");
    }

    function check() external {
        (uint64 total, uint64 paid, uint64 funded) = rewards.sums();
        (Round memory round, Candidate memory first, Candidate memory second) = rewards.running();
        uint256 bonds = (first.poster == address(0) ? 0 : round.bond) + (second.poster == address(0) ? 0 : round.bond);
        isTrue(paid <= total && total <= funded, "paid <= total <= funded");
        eq(token.balanceOf(address(rewards)), uint256(funded) - paid + bonds, "tokens are what is not paid, and bonds");
        eq(rewards.claimed(creator) + rewards.claimed(solver), paid, "paid is the sum of claims");
        isTrue(rewards.claimed(creator) >= _claimedCreator && rewards.claimed(solver) >= _claimedSolver, "claims only rise");
        isTrue(paid >= _paidBefore && total >= _totalBefore, "sums only rise");
        (_claimedCreator, _claimedSolver) = (rewards.claimed(creator), rewards.claimed(solver));
        (_paidBefore, _totalBefore) = (paid, total);
    }

    /// @dev Whatever runs can be ended without the judge, and all bonds come back.
    function endAll() external {
        (Round memory round, Candidate memory first, Candidate memory second) = rewards.running();
        if (first.poster == address(0)) return;
        vm.warp(round.ruleBy + 1);
        vm.prank(address(0xdead));
        if (second.poster == address(0)) rewards.finalize();
        else rewards.lapse();
        (, uint64 paid, uint64 funded) = rewards.sums();
        eq(token.balanceOf(address(rewards)), uint256(funded) - paid, "no bond left");
    }
}

/// @dev Rewards never pay more than was given, and what was claimed never falls.
contract RewardsInvariantTest {
    RewardsHandler private _handler;

    function setUp() public {
        _handler = new RewardsHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](5);
        selectors[0] = RewardsHandler.give.selector;
        selectors[1] = RewardsHandler.post.selector;
        selectors[2] = RewardsHandler.end.selector;
        selectors[3] = RewardsHandler.claim.selector;
        selectors[4] = RewardsHandler.end.selector; // twice as often
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    function invariant_solventAndCumulative() public {
        _handler.check();
    }

    function afterInvariant() public {
        _handler.endAll();
    }
}
