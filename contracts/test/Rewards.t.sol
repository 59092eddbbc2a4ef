// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./RewardsFixture.sol";
import {SmartAccount} from "./Sessions.t.sol";

/// @dev Roots, contests and claims.
contract RewardsTest is RewardsFixture {
    function setUp() public override {
        super.setUp();
        _fund(1_000_000 * LILY);
    }

    function test_anUncontestedRootIsClaimedIntoTheVault() public {
        uint64 before = _free(creator);
        uint256 held = token.balanceOf(poster);
        vm.warp(_ends());
        _post(PROVIDER_KEY, 300 * LILY, 700 * LILY);
        eq(token.balanceOf(poster), held - BOND, "the bond is taken");
        vm.warp(block.timestamp + 3 days);
        _expectRevert(IRewards.TooEarly.selector, block.timestamp);
        rewards.finalize();
        vm.warp(block.timestamp + 1);
        vm.prank(stranger);
        rewards.finalize();
        eq(token.balanceOf(poster), held, "and returned");
        vm.prank(stranger);
        _claimCreator(300 * LILY, 700 * LILY);
        eq(_free(creator), before + 300 * LILY, "paid by anyone's transaction");
        eq(rewards.claimed(creator), 300 * LILY, "counted");
        _expectSolvent();
    }

    function test_aClaimPaysWhatIsAboveTheClaimsBefore() public {
        _settleEpoch(300, 700);
        _claimCreator(300, 700);
        vm.expectRevert(abi.encodeWithSelector(IRewards.NothingToClaim.selector, creator, 300));
        _claimCreator(300, 700);
        _settleEpoch(300, 900);
        _settleEpoch(450, 900);
        uint64 before = _free(creator);
        _claimCreator(450, 900);
        eq(_free(creator), before + 150, "the difference");
        before = _free(solver);
        _claimSolver(450, 900);
        eq(_free(solver), before + 900, "three epochs at once");
        (uint64 total, uint64 paid,) = rewards.sums();
        eq(total, 1350, "total");
        eq(paid, 1350, "paid");
    }

    function test_aLaterRootWithLessTakesNothingBack() public {
        _settleEpoch(300, 700);
        _claimCreator(300, 700);
        _settleEpoch(200, 800);
        vm.expectRevert(abi.encodeWithSelector(IRewards.NothingToClaim.selector, creator, 300));
        _claimCreator(200, 800);
        eq(rewards.claimed(creator), 300, "claimed");
    }

    function test_onlyLeavesOfTheRootThatCountsAreClaimed() public {
        vm.expectRevert(abi.encodeWithSelector(IRewards.NothingToClaim.selector, creator, 0));
        _claimCreator(300, 700);
        _settleEpoch(300, 700);
        vm.expectRevert(abi.encodeWithSelector(IRewards.NothingToClaim.selector, creator, 0));
        _claimCreator(301, 700);
        // An inner node does not pass for a leaf, nor one account's leaf for another's.
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = _leaf(solver, 700);
        vm.expectRevert(abi.encodeWithSelector(IRewards.NothingToClaim.selector, rival, 0));
        rewards.claim(rival, 300, proof);
        _settleEpoch(400, 700);
        vm.expectRevert(abi.encodeWithSelector(IRewards.NothingToClaim.selector, creator, 0));
        _claimCreator(300, 700);
    }

    function test_aTreeThatLiesAboutItsTotalPaysNoMore() public {
        vm.warp(_ends());
        Posting memory p = _posting(PROVIDER_KEY, 300, 700);
        p.total = 800;
        rewards.post(p, _signPosting(PROVIDER_KEY, p));
        vm.warp(block.timestamp + 3 days + 1);
        rewards.finalize();
        _claimCreator(300, 700);
        _expectRevert(IRewards.BeyondTotal.selector);
        _claimSolver(300, 700);
    }

    function test_totalsStayWithinBudgetAndFunds() public {
        _settleEpoch(300, 700);
        vm.warp(_ends());
        uint64[3] memory wrong = [uint64(999), 1001 + BUDGET, type(uint64).max];
        for (uint256 i; i < 3; ++i) {
            Posting memory p = _postingOf(PROVIDER_KEY, 2, wrong[i], bytes32(uint256(1)));
            bytes memory signature = _signPosting(PROVIDER_KEY, p);
            vm.expectRevert(abi.encodeWithSelector(IRewards.BadTotal.selector, wrong[i], 1000, 1000 + BUDGET));
            rewards.post(p, signature);
        }
    }

    function test_nothingIsPromisedThatIsNotFunded() public {
        rewards = IRewards(_create("Rewards", abi.encode(token, vault, market, params, address(this))));
        vm.prank(poster);
        token.approve(address(rewards), BOND);
        token.approve(address(rewards), 999);
        _fund(999);
        vm.warp(_ends());
        Posting memory p = _posting(PROVIDER_KEY, 300, 700);
        bytes memory signature = _signPosting(PROVIDER_KEY, p);
        vm.expectRevert(abi.encodeWithSelector(IRewards.BadTotal.selector, 1000, 0, 999));
        rewards.post(p, signature);
    }

    function test_postingsThatAreNotDueAreRefused() public {
        Posting memory p = _posting(PROVIDER_KEY, 300, 700);
        bytes memory signature = _signPosting(PROVIDER_KEY, p);
        _expectRevert(IRewards.TooEarly.selector, _ends());
        rewards.post(p, signature);
        vm.warp(_ends());
        p = _postingOf(PROVIDER_KEY, 2, 1000, _root(300, 700));
        _expectRevert(IRewards.WrongEpoch.selector, 1);
        rewards.post(p, signature);
        p = _postingOf(PROVIDER_KEY, 1, 1000, 0);
        _expectRevert(IRewards.BadRoot.selector);
        rewards.post(p, signature);
        p = _posting(PROVIDER_KEY, 300, 700);
        p.bond = BOND - 1;
        signature = _signPosting(PROVIDER_KEY, p);
        _expectRevert(IRewards.BadBond.selector, BOND);
        rewards.post(p, signature);
        _expectRevert(IRewards.TooEarly.selector, 0);
        rewards.finalize();
    }

    function test_aPostingIsItsPostersWord() public {
        vm.warp(_ends());
        Posting memory p = _posting(PROVIDER_KEY, 300, 700);
        bytes memory signature = _signPosting(STRANGER_KEY, p);
        vm.expectRevert(abi.encodeWithSignature("NotTheAccount(address)", poster));
        rewards.post(p, signature);
        signature = _signPosting(PROVIDER_KEY, p);
        p.total += 1;
        vm.expectRevert(abi.encodeWithSignature("NotTheAccount(address)", poster));
        rewards.post(p, signature);
        p.total -= 1;
        rewards.post(p, signature);
        vm.expectRevert(abi.encodeWithSelector(INonces.InvalidAccountNonce.selector, poster, 1));
        rewards.post(p, signature); // a replay
    }

    function test_theJudgeChoosesAndTheLoserPaysTheFunds() public {
        uint256 heldByPoster = token.balanceOf(poster);
        uint256 heldByRival = token.balanceOf(rival);
        vm.warp(_ends());
        _post(PROVIDER_KEY, 300, 700);
        _post(STRANGER_KEY, 400, 600);
        vm.warp(block.timestamp + 3 days + 1);
        _expectRevert(IRewards.Contested.selector);
        rewards.finalize();
        _expectRevert(IRewards.NotJudge.selector);
        rewards.rule(1, 2);
        vm.prank(address(timelock));
        rewards.rule(1, 2);
        eq(token.balanceOf(poster), heldByPoster - BOND, "the loser's bond is gone");
        eq(token.balanceOf(rival), heldByRival, "the winner has its own and no more");
        (,, uint64 funded) = rewards.sums();
        eq(funded, 1_000_000 * LILY + BOND, "it is for rewards now");
        _claimCreator(400, 600);
        eq(rewards.claimed(creator), 400, "the winner's root counts");
        (uint64 number,,) = rewards.epoch();
        eq(number, 2, "the next epoch runs");
    }

    function test_theFirstPosterMayWin() public {
        uint256 held = token.balanceOf(poster);
        vm.warp(_ends());
        _post(PROVIDER_KEY, 300, 700);
        _post(STRANGER_KEY, 400, 600);
        vm.prank(address(timelock));
        rewards.rule(1, 1);
        eq(token.balanceOf(poster), held, "its bond");
        isTrue(rewards.root() == _root(300, 700), "its root");
    }

    function test_twoFalseRootsAreBothLost() public {
        vm.warp(_ends());
        _post(PROVIDER_KEY, 300, 700);
        _post(STRANGER_KEY, 400, 600);
        vm.prank(address(timelock));
        rewards.rule(1, 0);
        (,, uint64 funded) = rewards.sums();
        eq(funded, 1_000_000 * LILY + 2 * BOND, "both bonds");
        isTrue(rewards.root() == 0, "no root");
        _post(STRANGER_KEY, 350, 650); // the epoch is open again
        vm.prank(address(timelock));
        _expectRevert(IRewards.WrongRound.selector, 2);
        rewards.rule(1, 1); // the old ruling cannot hit the new round
        vm.prank(address(timelock));
        _expectRevert(IRewards.WrongRound.selector, 2);
        rewards.rule(2, 3);
        vm.prank(address(timelock));
        _expectRevert(IRewards.NotContested.selector);
        rewards.rule(2, 1);
    }

    function test_aSilentJudgeKeepsNobodysMoney() public {
        uint256 held = token.balanceOf(poster) + token.balanceOf(rival);
        vm.warp(_ends());
        _post(PROVIDER_KEY, 300, 700);
        _expectRevert(IRewards.NotContested.selector);
        rewards.lapse();
        _post(STRANGER_KEY, 400, 600);
        (Round memory round,,) = rewards.running();
        eq(round.ruleBy, block.timestamp + 45 days, "ruleBy");
        vm.warp(round.ruleBy);
        _expectRevert(IRewards.TooEarly.selector, round.ruleBy);
        rewards.lapse();
        vm.warp(round.ruleBy + 1);
        vm.prank(address(timelock));
        _expectRevert(IRewards.TooLate.selector, round.ruleBy);
        rewards.rule(1, 1);
        vm.prank(stranger);
        rewards.lapse();
        eq(token.balanceOf(poster) + token.balanceOf(rival), held, "both bonds are back");
        isTrue(rewards.root() == 0, "no root");
        _settleEpoch(300, 700);
    }

    function test_aContestNeedsAnotherRootInTimeAndIsTheOnlyOne() public {
        vm.warp(_ends());
        _post(PROVIDER_KEY, 300, 700);
        Posting memory p = _posting(STRANGER_KEY, 300, 700);
        bytes memory signature = _signPosting(STRANGER_KEY, p);
        _expectRevert(IRewards.BadRoot.selector);
        rewards.post(p, signature);
        p = _posting(STRANGER_KEY, 400, 600);
        signature = _signPosting(STRANGER_KEY, p);
        uint256 snapshot = vm.snapshotState();
        uint256 deadline = block.timestamp + 3 days;
        vm.warp(deadline + 1);
        _expectRevert(IRewards.TooLate.selector, deadline);
        rewards.post(p, signature);
        vm.revertToState(snapshot);
        vm.warp(deadline);
        rewards.post(p, signature);
        p = _posting(PROVIDER_KEY, 500, 500);
        signature = _signPosting(PROVIDER_KEY, p);
        _expectRevert(IRewards.Contested.selector);
        rewards.post(p, signature);
    }

    function test_aRoundKeepsTheParametersItOpenedWith() public {
        vm.warp(_ends());
        _post(PROVIDER_KEY, 300, 700);
        vm.prank(address(timelock));
        params.set(Param.PosterBond, 20_000 * LILY);
        vm.prank(address(timelock));
        params.set(Param.EpochBudget, 0);
        vm.prank(address(timelock));
        params.set(Param.ChallengeSeconds, 30 days);
        _post(STRANGER_KEY, 400, 600); // the old bond and budget
        vm.prank(address(timelock));
        rewards.rule(1, 1);
        (,, uint64 budget) = rewards.epoch();
        eq(budget, 0, "the next epoch has the new budget");
    }

    function test_epochsFollowEachOtherHoweverLateTheirRootsCome() public {
        uint64 ends = _ends();
        eq(ends, START + 7 days, "the first");
        vm.warp(ends + 100 days);
        _settleEpoch(300, 700);
        eq(_ends(), ends + 7 days, "the second begins where the first ended");
        _settleEpoch(400, 700);
        eq(_ends(), ends + 14 days, "the third");
    }

    function test_fundingIsItsGiversWord() public {
        bytes32 typehash = keccak256("RewardFunding(address from,uint64 amount,uint256 nonce)");
        bytes memory signature = _signBytes(PROVIDER_KEY, abi.encode(typehash, poster, uint64(50), uint256(0)));
        vm.expectRevert(abi.encodeWithSignature("NotTheAccount(address)", poster));
        rewards.fund(poster, 51, 0, signature);
        vm.expectRevert(abi.encodeWithSignature("NotTheAccount(address)", rival));
        rewards.fund(rival, 50, 0, "");
        rewards.fund(poster, 50, 0, signature);
        (,, uint64 funded) = rewards.sums();
        eq(funded, 1_000_000 * LILY + 50, "funded");
        vm.expectRevert(abi.encodeWithSelector(INonces.InvalidAccountNonce.selector, poster, 1));
        rewards.fund(poster, 50, 0, signature);
    }

    function test_anAccountThatIsAContractPosts() public {
        address smart = address(new SmartAccount(vm.addr(CREATOR_KEY)));
        token.transfer(smart, BOND);
        vm.prank(smart);
        token.approve(address(rewards), BOND);
        vm.warp(_ends());
        Posting memory p = _posting(CREATOR_KEY, 300, 700);
        p.poster = smart;
        rewards.post(p, _signPosting(CREATOR_KEY, p));
        eq(token.balanceOf(smart), 0, "bonded");
        vm.warp(block.timestamp + 3 days + 1);
        rewards.finalize();
        eq(token.balanceOf(smart), BOND, "returned");
    }
}
