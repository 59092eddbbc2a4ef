// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Fixture.sol";
import {ICourtEvents} from "../src/interfaces/ICourtEvents.sol";
import {IMediators} from "../src/interfaces/IMediators.sol";
import {IMarket} from "../src/interfaces/IMarket.sol";
import {IVault} from "../src/interfaces/IVault.sol";
import {Draw} from "../src/libraries/Draw.sol";
import {SignedBy} from "../src/libraries/SignedBy.sol";

/// @dev Disputes from challenge to verdict or silence, audits, and the mediators themselves: one state machine, a test for each way
/// through it, so that the file is long.
contract MediationTest is Fixture {
    uint64 private constant WINDOW = 500;

    DealCore private core;

    function setUp() public override {
        super.setUp();
        core = _core(1);
        _open(core, _rest());
        vm.warp(START + 10);
    }

    function _drawn() private view returns (address) {
        return _panels[_id(core)][0];
    }

    function _dispute() private {
        _challenge(core, _rest());
        _reveal(core, _rest());
    }

    /// @dev A challenge that must revert, with the given parts of it changed.
    function _expectChallengeRevert(
        bytes memory reason,
        ResultCommit memory r,
        uint256 providerKey,
        Challenge memory c,
        uint256 creatorKey,
        bytes32 salt
    ) private {
        Complaint memory complaint = Complaint(
            r.manifest, r.outputRoot, _signResult(providerKey, r), c.kind, _signChallenge(creatorKey, c), salt
        );
        vm.expectRevert(reason);
        court.challenge(core, _rest(), complaint);
    }

    function _result() private view returns (ResultCommit memory) {
        return ResultCommit(_id(core), MANIFEST, OUTPUTS);
    }

    function _challengeOf(bytes32 manifest, uint8 kind) private view returns (Challenge memory) {
        return Challenge(_id(core), manifest, kind);
    }

    // ---- outcomes ----

    function test_correct() public {
        _dispute();
        uint64 before = _free(_drawn());
        _verdict(core, _rest(), 1);
        eq(_stateOf(core, _rest()), State.MediationAccepted);
        eq(_free(_drawn()) - before, AUDIT_FEE, "mediator's fee");
        _expectMoney(FUNDS - PRICE - FEE - CLAIM_FEE - AUDIT_FEE, FUNDS + PRICE + CLAIM_FEE, FEE, 0);
    }

    function test_wrong() public {
        _submit(core, _rest());
        _dispute();
        _verdict(core, _rest(), 2);
        eq(_stateOf(core, _rest()), State.MediationRejected);
        eq(_free(_drawn()), AUDIT_FEE, "mediator's fee");
        _expectMoney(FUNDS + CLAIM_FEE, FUNDS - COLLATERAL, 0, COLLATERAL - CLAIM_FEE - AUDIT_FEE);
    }

    function test_inconclusive() public {
        _dispute();
        _verdict(core, _rest(), 3);
        eq(_stateOf(core, _rest()), State.Refunded);
        eq(_free(_drawn()), AUDIT_FEE, "mediator's fee");
        _expectMoney(FUNDS - AUDIT_FEE, FUNDS, 0, 0);
    }

    function test_noReveal() public {
        _challenge(core, _rest());
        Docket memory docket = _docket(_rest());
        vm.warp(START + 10 + WINDOW);
        _expectRevert(ICourtEvents.TooEarly.selector, START + 10 + WINDOW);
        court.timeoutReveal(core, docket);
        vm.warp(START + 10 + WINDOW + 1);
        _expectRevert(ICourtEvents.TooLate.selector, START + 10 + WINDOW);
        court.reveal(core, docket, _list(), SALT_P);
        vm.prank(stranger);
        court.timeoutReveal(core, docket);
        eq(_stateOf(core, _rest()), State.TimedOut);
        _expectMoney(FUNDS + CLAIM_FEE, FUNDS - COLLATERAL, 0, COLLATERAL - CLAIM_FEE);
    }

    function test_theLastSecondIsInTime() public {
        _challenge(core, _rest());
        vm.warp(START + 10 + WINDOW);
        _reveal(core, _rest());
        vm.warp(START + 10 + 2 * WINDOW);
        _verdict(core, _rest(), 1);
        eq(_stateOf(core, _rest()), State.MediationAccepted);
    }

    function test_anAuditNeedsTheCreatorsOwnSaltAndTheListOfTheTerms() public {
        Verdict memory v = Verdict(_id(core), MANIFEST, 1, 0);
        Signature memory sig = _signVerdict(_keyOf(court.drawAudit(core, _list(), SALT_P, SALT_P)), v);
        Signature memory accept = _acceptance(CREATOR_KEY, core, MANIFEST);
        MediatorList memory list = _list();
        _expectRevert(ICourtEvents.BadSalt.selector);
        court.settleAudited(core, _rest(), list, SALT_P, SALT_P, v, sig, accept);
        list.weights[0] += 1;
        _expectRevert(Draw.BadMediatorList.selector);
        court.settleAudited(core, _rest(), list, SALT_C, SALT_P, v, sig, accept);
    }

    function test_anAuditTakesTheWholeReserveIfItsFeeIsThat() public {
        DealCore memory thin = _core(2);
        thin.lane = 1;
        thin.reserve = AUDIT_FEE;
        _open(thin, _rest());
        address auditor = court.drawAudit(thin, _list(), SALT_C, SALT_P);
        Verdict memory v = Verdict(_id(thin), MANIFEST, 1, 0);
        Signature memory sig = _signVerdict(_keyOf(auditor), v);
        Signature memory accept = _acceptance(CREATOR_KEY, thin, MANIFEST);
        court.settleAudited(thin, _rest(), _list(), SALT_C, SALT_P, v, sig, accept);
        eq(_free(auditor), AUDIT_FEE, "auditor's fee");
    }

    function test_aSilentMediatorIsSlashedAndAnotherDrawnUntilNoneIsLeft() public {
        _dispute();
        address first = _drawn();
        Docket memory docket = _docket(_rest());
        vm.warp(START + 10 + WINDOW);
        Panel memory panel = _panel(core);
        MediatorList memory list = _list();
        _expectRevert(ICourtEvents.TooEarly.selector, START + 10 + WINDOW);
        court.timeoutVerdict(core, docket, panel, list);
        vm.warp(START + 10 + WINDOW + 1);
        _expectVerdictRevert(
            abi.encodeWithSelector(ICourtEvents.TooLate.selector, START + 10 + WINDOW), _answer(core, 0, 1)
        );
        // Built before, so that the call in question is the next one.
        (docket, panel, list) = (_docket(_rest()), _panel(core), _list());
        vm.expectEmit(true, true, true, true);
        emit ICourtEvents.MediatorSlashed(_id(core), first, MIN_BOND / 10);
        vm.expectEmit(true, true, true, true);
        emit ICourtEvents.MediatorReplaced(_id(core), first, 0);
        vm.prank(stranger);
        _panels[_id(core)] = court.timeoutVerdict(core, docket, panel, list);
        isTrue(_drawn() != first && _panels[_id(core)][1] == first, "another has the seat");
        eq(vault.account(first).bond, MIN_BOND - MIN_BOND / 10, "a tenth of the bond");
        eq(_until(core, _rest()), block.timestamp + WINDOW, "a window of its own");
        eq(_stateOf(core, _rest()), State.Drawn);
        address second = _drawn();
        vm.warp(block.timestamp + WINDOW + 1);
        _exhaust(core, _rest());
        eq(vault.account(second).bond, MIN_BOND - MIN_BOND / 10, "the second too");
        eq(_stateOf(core, _rest()), State.Refunded);
        // Each of three silences brought each party a twentieth of a bond.
        _expectMoney(FUNDS + 3 * MIN_BOND / 20, FUNDS + 3 * MIN_BOND / 20, 0, 0);
    }

    function test_whoReplacesASilentMediatorDecides() public {
        _dispute();
        vm.warp(START + 10 + WINDOW + 1);
        _timeoutVerdict(core, _rest());
        _verdict(core, _rest(), 1);
        eq(_free(_drawn()), AUDIT_FEE, "its fee");
        eq(_stateOf(core, _rest()), State.MediationAccepted);
    }

    function test_whatTheReserveLacksIsTakenFromTheChallenger() public {
        DealCore memory poor = _core(2);
        poor.lane = 1;
        poor.reserve = 4 * LILY;
        _open(poor, _rest());
        _settle(core, _rest());
        uint64 before = _free(creator);
        _challenge(poor, _rest());
        eq(before - _free(creator), CLAIM_FEE + AUDIT_FEE - 4 * LILY, "extra");
        _reveal(poor, _rest());
        _verdict(poor, _rest(), 1);
        _expectMoney(FUNDS - 2 * (PRICE + FEE) - CLAIM_FEE - AUDIT_FEE, FUNDS + 2 * PRICE + CLAIM_FEE, 2 * FEE, 0);
    }

    function test_aChallengeWithoutMoneyForItsCostsIsRefused() public {
        DealCore memory poor = _core(2);
        poor.lane = 1;
        poor.reserve = 0;
        _open(poor, _rest());
        uint64 all = _free(creator);
        vm.prank(creator);
        vault.withdraw(creator, all - 1);
        Complaint memory complaint = _complaint(poor, MANIFEST, 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientFree.selector, creator, 1, CLAIM_FEE + AUDIT_FEE));
        court.challenge(poor, _rest(), complaint);
    }

    function test_anAcceptanceEndsADisputeUntilAMediatorIsDrawn() public {
        DealCore memory second = _core(2);
        second.lane = 1;
        second.reserve = 0;
        _open(second, _rest());
        _challenge(second, _rest()); // pulls both fees
        _settle(second, _rest());
        _settle(core, _rest());
        _expectMoney(FUNDS - 2 * (PRICE + FEE), FUNDS + 2 * PRICE, 2 * FEE, 0);
    }

    function test_noAcceptanceRobsADrawnMediator() public {
        _dispute();
        bytes32 restHash = market.restHash(_rest());
        Signature memory sig = _acceptance(CREATOR_KEY, core, MANIFEST);
        _expectRevert(IMarket.WrongState.selector, uint256(State.Drawn));
        market.settle(core, restHash, MANIFEST, sig);
        Docket memory docket = _docket(_rest());
        _expectRevert(ICourtEvents.NotDisputable.selector);
        court.settle(core, docket, MANIFEST, sig);
    }

    function test_onlyTheCreatorsAcceptanceEndsADispute() public {
        _challenge(core, _rest());
        Docket memory docket = _docket(_rest());
        Signature memory sig = _acceptance(PROVIDER_KEY, core, MANIFEST);
        _expectRevert(SignedBy.BadSignature.selector, creator);
        court.settle(core, docket, MANIFEST, sig);
        sig = _acceptance(CREATOR_KEY, core, OUTPUTS);
        _expectRevert(SignedBy.BadSignature.selector, creator);
        court.settle(core, docket, MANIFEST, sig);
    }

    function test_aWrongProviderWithLittleCollateralStillPaysTheMediatorFirst() public {
        DealCore memory cheap = _core(2);
        cheap.lane = 1;
        cheap.price = 4 * LILY;
        cheap.collateral = 10 * LILY; // half of the audit fee
        _open(cheap, _rest());
        _settle(core, _rest());
        _challenge(cheap, _rest());
        _reveal(cheap, _rest());
        uint64 before = _free(creator);
        _verdict(cheap, _rest(), 2);
        eq(_free(_panels[_id(cheap)][0]), AUDIT_FEE, "mediator's fee");
        eq(_free(creator) - before, 4 * LILY + FEE + RESERVE - 10 * LILY, "creator pays the other half");
        eq(vault.pool(), 0, "pool");
        _expectSolvent();
    }

    // ---- challenge ----

    function test_challengeChecksEverySignatureAndId() public {
        bytes memory bad = abi.encodeWithSelector(SignedBy.BadSignature.selector, provider);
        _expectChallengeRevert(bad, _result(), STRANGER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
        bad = abi.encodeWithSelector(SignedBy.BadSignature.selector, creator);
        _expectChallengeRevert(bad, _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), STRANGER_KEY, SALT_C);
        bytes32 other = market.dealId(creator, 2, 0);
        bad = abi.encodeWithSelector(SignedBy.BadSignature.selector, provider);
        ResultCommit memory r = _result();
        r.dealId = other;
        _expectChallengeRevert(bad, r, PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
        Challenge memory c = _challengeOf(MANIFEST, 1);
        c.dealId = other;
        bad = abi.encodeWithSelector(SignedBy.BadSignature.selector, creator);
        _expectChallengeRevert(bad, _result(), PROVIDER_KEY, c, CREATOR_KEY, SALT_C);
        _expectChallengeRevert(bad, _result(), PROVIDER_KEY, _challengeOf(OUTPUTS, 1), CREATOR_KEY, SALT_C);
    }

    function test_challengeChecksKindAndSalt() public {
        bytes memory bad = abi.encodeWithSelector(ICourtEvents.BadKind.selector, 0);
        _expectChallengeRevert(bad, _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 0), CREATOR_KEY, SALT_C);
        bad = abi.encodeWithSelector(ICourtEvents.BadKind.selector, 4);
        _expectChallengeRevert(bad, _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 4), CREATOR_KEY, SALT_C);
        bad = abi.encodePacked(ICourtEvents.BadSalt.selector);
        _expectChallengeRevert(bad, _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_P);
    }

    function test_aComplaintIsOfOneOfThreeKinds() public {
        uint256 snapshot = vm.snapshotState();
        for (uint8 kind = 1; kind <= 3; ++kind) {
            court.challenge(core, _rest(), _complaint(core, MANIFEST, kind));
            eq(_stateOf(core, _rest()), State.Challenged);
            vm.revertToState(snapshot);
        }
    }

    function test_aDealWithoutMediatorsCannotBeChallenged() public {
        DealCore memory plain = _core(2);
        plain.lane = 1;
        DealRest memory rest = _rest();
        rest.mediatorRoot = 0;
        _open(plain, rest);
        Complaint memory complaint = _complaint(plain, MANIFEST, 1);
        _expectRevert(ICourtEvents.NoMediator.selector);
        court.challenge(plain, rest, complaint);
    }

    function test_challengeOfASubmissionIsBoundToItsManifestAndWindow() public {
        _submit(core, _rest());
        ResultCommit memory r = _result();
        r.manifest = OUTPUTS;
        bytes memory bad = abi.encodeWithSelector(ICourtEvents.WrongManifest.selector, OUTPUTS);
        _expectChallengeRevert(bad, r, PROVIDER_KEY, _challengeOf(OUTPUTS, 1), CREATOR_KEY, SALT_C);
        vm.warp(START + 10 + 401);
        bad = abi.encodeWithSelector(ICourtEvents.TooLate.selector, START + 10 + 400);
        _expectChallengeRevert(bad, _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
        vm.warp(START + 10 + 400);
        _challenge(core, _rest());
    }

    function test_challengeFromOpenEndsWhereTheRefundBegins() public {
        vm.warp(START + 901);
        bytes memory bad = abi.encodeWithSelector(ICourtEvents.TooLate.selector, START + 900);
        _expectChallengeRevert(bad, _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
        vm.warp(START + 900);
        _challenge(core, _rest());
    }

    function test_aDealIsChallengedOnceAndNotAfterItsEnd() public {
        _challenge(core, _rest());
        bytes memory bad = abi.encodePacked(ICourtEvents.NotDisputable.selector);
        _expectChallengeRevert(bad, _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
        _settle(core, _rest());
        _expectChallengeRevert(bad, _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
    }

    // ---- reveal and draw ----

    function test_revealChecksSaltListAndState() public {
        Docket memory docket = _docket(_rest());
        _expectRevert(ICourtEvents.NotDisputable.selector);
        court.reveal(core, docket, _list(), SALT_P);
        _challenge(core, _rest());
        _expectRevert(ICourtEvents.BadSalt.selector);
        court.reveal(core, docket, _list(), SALT_C);
        MediatorList memory list = _list();
        list.mediators[0] = stranger;
        _expectRevert(Draw.BadMediatorList.selector);
        court.reveal(core, docket, list, SALT_P);
        list = _list();
        list.weights = new uint64[](2);
        _expectRevert(Draw.BadMediatorList.selector);
        court.reveal(core, docket, list, SALT_P);
        vm.prank(stranger);
        court.reveal(core, docket, _list(), SALT_P);
        _expectRevert(ICourtEvents.NotDisputable.selector);
        court.reveal(core, docket, _list(), SALT_P);
    }

    function test_everyFieldOfTheDocketIsBound() public {
        _challenge(core, _rest());
        for (uint256 i; i < 9; ++i) {
            Docket memory docket = _docket(_rest());
            if (i == 0) docket.mediatorRoot = MANIFEST;
            if (i == 1) docket.providerSaltHash = MANIFEST;
            if (i == 2) docket.manifest = OUTPUTS;
            if (i == 3) docket.saltCreator = SALT_P;
            if (i == 4) docket.claimFee += 1;
            if (i == 5) docket.auditFee += 1;
            if (i == 6) docket.window += 1;
            if (i == 7) docket.appealSeconds += 1;
            if (i == 8) docket.verdicts += 1;
            _expectRevert(ICourtEvents.WrongCase.selector, uint256(_id(core)));
            court.reveal(core, docket, _list(), SALT_P);
            _expectRevert(ICourtEvents.WrongCase.selector, uint256(_id(core)));
            court.timeoutReveal(core, docket);
            Signature memory sig = _acceptance(CREATOR_KEY, core, MANIFEST);
            _expectRevert(ICourtEvents.WrongCase.selector, uint256(_id(core)));
            court.settle(core, docket, MANIFEST, sig);
        }
    }

    function test_theDrawIsTheWeightedIntervalOfTheSeed() public {
        _dispute();
        uint256 point =
            uint256(keccak256(abi.encodePacked("lilynode/draw/1", SALT_C, SALT_P, _id(core)))) % (10 + 20 + 30);
        uint256 index = point < 10 ? 0 : point < 30 ? 1 : 2;
        isTrue(_drawn() == vm.addr(MEDIATOR_KEY + index), "drawn mediator");
        isTrue(court.drawAudit(core, _list(), SALT_C, SALT_P) == _drawn(), "audit draw");
    }

    function test_mediatorsWithoutALiveBondAreNotDrawn() public {
        // Only the first keeps its bond and its place on the register.
        vm.prank(vm.addr(MEDIATOR_KEY + 1));
        vault.startUnbond(1);
        vm.prank(vm.addr(MEDIATOR_KEY + 2));
        court.retire();
        _challenge(core, _rest());
        // Who registers once the challenge is there knows too much.
        vm.warp(block.timestamp + 1);
        vm.prank(vm.addr(MEDIATOR_KEY + 2));
        court.register();
        _reveal(core, _rest());
        isTrue(_drawn() == vm.addr(MEDIATOR_KEY), "the only eligible one");
        // What happens to the bond after the draw is of no use to its owner.
        vm.prank(vm.addr(MEDIATOR_KEY));
        vault.startUnbond(MIN_BOND);
        _verdict(core, _rest(), 1);
    }

    /// @dev All but `seated` leave the register and come back a second later.
    function _returnToTheRegister(address seated) private {
        for (uint256 time; time < 2; ++time) {
            for (uint256 i; i < 3; ++i) {
                if (vm.addr(MEDIATOR_KEY + i) == seated) continue;
                vm.prank(vm.addr(MEDIATOR_KEY + i));
                time == 0 ? court.retire() : court.register();
            }
            vm.warp(block.timestamp + 1);
        }
    }

    function test_nobodyIsDrawnWhoRegisteredSinceTheChallenge() public {
        _challenge(core, _rest());
        vm.warp(block.timestamp + 1);
        _returnToTheRegister(address(0));
        _reveal(core, _rest());
        eq(_panels[_id(core)].length, 0, "all of them knew the seed");
    }

    function test_nobodyReplacesTheSilentWhoRegisteredSinceTheDraw() public {
        _dispute();
        vm.warp(block.timestamp + 1);
        _returnToTheRegister(_drawn());
        vm.warp(START + 10 + WINDOW + 1);
        _timeoutVerdict(core, _rest());
        eq(_stateOf(core, _rest()), State.Refunded);
    }

    function test_partiesAreNeverDrawn() public {
        address[3] memory parties = [creator, provider, solver];
        MediatorList memory list = _list();
        for (uint256 i; i < 3; ++i) {
            list.mediators[i] = parties[i];
            _enlistMediator(parties[i]);
        }
        DealCore memory second = _core(2);
        second.lane = 1;
        DealRest memory rest = _rest();
        rest.mediatorRoot = keccak256(abi.encode(list.mediators, list.weights));
        _open(second, rest);
        court.challenge(second, rest, _complaint(second, MANIFEST, 2));
        Docket memory docket = _docket(rest);
        vm.expectEmit(true, true, true, true);
        emit ICourtEvents.MediatorDrawn(_id(second), address(0), SALT_P, block.timestamp + WINDOW);
        isTrue(court.reveal(second, docket, list, SALT_P).length == 0, "nobody drawn");
        // Still no dead end: anyone ends it.
        vm.prank(stranger);
        court.verdict(second, docket, Panel(SALT_P, new address[](0)), new Answer[](0));
        eq(_stateOf(second, rest), State.Refunded);
    }

    function testFuzz_drawStaysInsideTheEligibleList(uint64[5] memory weights, uint8 eligible, bytes32 seed)
        public
        view
    {
        MediatorList memory list;
        list.mediators = new address[](5);
        list.weights = new uint64[](5);
        uint256 total;
        for (uint256 i; i < 5; ++i) {
            list.mediators[i] = address(uint160(i + 1));
            list.weights[i] = weights[i];
            if (eligible >> i & 1 == 1) total += weights[i];
        }
        uint256 index = this.pick(list, eligible, seed);
        if (total == 0) {
            isTrue(index == Draw.NOBODY, "nobody");
        } else {
            isTrue(eligible >> index & 1 == 1 && weights[index] > 0, "eligible with weight");
        }
    }

    function pick(MediatorList calldata list, uint64 eligible, bytes32 seed) external pure returns (uint256) {
        return Draw.pick(list, eligible, seed);
    }

    function test_windowsNeverOutlastTheUnbonding() public view {
        DealRest memory rest = _rest();
        eq(court.windowOf(rest), 500, "as signed");
        rest.challengeSeconds = type(uint32).max;
        eq(court.windowOf(rest), UNBONDING / 2, "capped");
    }

    // ---- verdict ----

    function _expectVerdictRevert(bytes memory reason, Answer memory a) private {
        Answer[] memory answers = new Answer[](1);
        answers[0] = a;
        Docket memory docket = _docket(_rest());
        Panel memory panel = _panel(core);
        vm.expectRevert(reason);
        court.verdict(core, docket, panel, answers);
    }

    function test_verdictIsTheDrawnMediatorsOverThisManifest() public {
        _dispute();
        uint256 key = _keyOf(_drawn());
        bytes memory bad = abi.encodeWithSelector(SignedBy.BadSignature.selector, _drawn());
        Answer memory a = _answer(core, 0, 1);
        a.signature = _signVerdict(
            key == MEDIATOR_KEY ? MEDIATOR_KEY + 1 : MEDIATOR_KEY, Verdict(_id(core), MANIFEST, 1, a.evidence)
        );
        _expectVerdictRevert(bad, a);
        a.signature = _signVerdict(key, Verdict(_id(core), OUTPUTS, 1, a.evidence));
        _expectVerdictRevert(bad, a);
        a.signature = _signVerdict(key, Verdict(market.dealId(creator, 2, 0), MANIFEST, 1, a.evidence));
        _expectVerdictRevert(bad, a);
        for (uint8 outcome = 0; outcome < 5; outcome += 4) {
            _expectVerdictRevert(
                abi.encodeWithSelector(ICourtEvents.BadOutcome.selector, outcome), _answer(core, 0, outcome)
            );
        }
        _expectVerdictRevert(abi.encodeWithSelector(ICourtEvents.BadSeat.selector, 1), _answer(core, 1, 1));
        _verdict(core, _rest(), 3);
        _expectVerdictRevert(abi.encodePacked(ICourtEvents.NotDisputable.selector), _answer(core, 0, 3));
    }

    function test_theSilentAreReplacedTwiceThoughOneMoreIsThere() public {
        MediatorList memory list;
        (list.mediators, list.weights) = (new address[](4), new uint64[](4));
        for (uint256 i; i < 4; ++i) {
            (list.mediators[i], list.weights[i]) = (vm.addr(MEDIATOR_KEY + i), 1);
        }
        _enlistMediator(list.mediators[3]);
        DealCore memory second = _core(2);
        second.lane = 1;
        DealRest memory rest = _rest();
        rest.mediatorRoot = keccak256(abi.encode(list.mediators, list.weights));
        _open(second, rest);
        _challenge(second, rest);
        address[] memory panel = court.reveal(second, _docket(rest), list, SALT_P);
        for (uint256 round; round < 3; ++round) {
            eq(_stateOf(second, rest), State.Drawn);
            vm.warp(_until(second, rest) + 1);
            panel = court.timeoutVerdict(second, _docket(rest), Panel(SALT_P, panel), list);
        }
        eq(_stateOf(second, rest), State.Refunded);
        uint256 live;
        for (uint256 i; i < 4; ++i) {
            if (court.isLive(list.mediators[i])) ++live;
        }
        eq(live, 1, "who was never drawn");
    }

    function test_whoReplacesTheSilentComesFromTheListOfTheTerms() public {
        _dispute();
        vm.warp(START + 10 + WINDOW + 1);
        Docket memory docket = _docket(_rest());
        Panel memory panel = _panel(core);
        MediatorList memory list = _list();
        list.weights[0] += 1;
        _expectRevert(Draw.BadMediatorList.selector);
        court.timeoutVerdict(core, docket, panel, list);
    }

    function test_nobodySeatsAPanelOfItsOwn() public {
        _dispute();
        address other = vm.addr(_drawn() == vm.addr(MEDIATOR_KEY) ? MEDIATOR_KEY + 1 : MEDIATOR_KEY);
        Docket memory docket = _docket(_rest());
        Panel memory panel = _panel(core);
        panel.mediators[0] = other;
        Answer[] memory answers = new Answer[](1);
        bytes32 evidence = keccak256("evidence");
        Verdict memory verdict = Verdict(_id(core), MANIFEST, 1, evidence);
        answers[0] = Answer(0, 1, evidence, _signVerdict(_keyOf(other), verdict));
        _expectRevert(ICourtEvents.WrongCase.selector, uint256(_id(core)));
        court.verdict(core, docket, panel, answers);
        panel = Panel(SALT_C, _panel(core).mediators);
        _expectRevert(ICourtEvents.WrongCase.selector, uint256(_id(core)));
        court.verdict(core, docket, panel, new Answer[](0));
    }

    function test_aDisputeGoesItsWayRightAfterTheChainForked() public {
        vm.chainId(4242);
        DealCore memory second = _core(2);
        second.lane = 1;
        _open(second, _rest());
        _challenge(second, _rest());
        _reveal(second, _rest());
        _verdict(second, _rest(), 1);
        eq(_stateOf(second, _rest()), State.MediationAccepted);
    }

    function test_timeoutsNeedTheirState() public {
        vm.warp(START + 100_000);
        Docket memory docket = _docket(_rest());
        _expectRevert(ICourtEvents.NotDisputable.selector);
        court.timeoutReveal(core, docket);
        Panel memory panel = _panel(core);
        MediatorList memory list = _list();
        _expectRevert(ICourtEvents.NotDisputable.selector);
        court.timeoutVerdict(core, docket, panel, list);
    }

    // ---- audit ----

    function _auditWith(Verdict memory v, uint256 key, uint256 acceptKey, bytes32 saltP, bytes memory reason) private {
        Signature memory sig = _signVerdict(key, v);
        Signature memory accept = _acceptance(acceptKey, core, v.manifest);
        MediatorList memory list = _list();
        DealRest memory rest = _rest();
        if (reason.length > 0) vm.expectRevert(reason);
        court.settleAudited(core, rest, list, SALT_C, saltP, v, sig, accept);
    }

    function test_anAuditedSettlementPaysTheDrawnAuditorFromTheReserve() public {
        address auditor = court.drawAudit(core, _list(), SALT_C, SALT_P);
        uint256 key = _keyOf(auditor);
        Verdict memory v = Verdict(_id(core), MANIFEST, 1, 0);
        bytes memory bad = abi.encodeWithSelector(SignedBy.BadSignature.selector, auditor);
        _auditWith(v, key == MEDIATOR_KEY ? MEDIATOR_KEY + 1 : MEDIATOR_KEY, CREATOR_KEY, SALT_P, bad);
        bad = abi.encodeWithSelector(SignedBy.BadSignature.selector, creator);
        _auditWith(v, key, PROVIDER_KEY, SALT_P, bad);
        _auditWith(v, key, CREATOR_KEY, SALT_C, abi.encodePacked(ICourtEvents.BadSalt.selector));
        v.outcome = 2;
        _auditWith(v, key, CREATOR_KEY, SALT_P, abi.encodeWithSelector(ICourtEvents.BadOutcome.selector, 2));
        v.outcome = 1;
        v.dealId = MANIFEST;
        _auditWith(v, key, CREATOR_KEY, SALT_P, abi.encodeWithSelector(ICourtEvents.WrongDeal.selector, MANIFEST));
        v.dealId = _id(core);
        _auditWith(v, key, CREATOR_KEY, SALT_P, "");
        eq(_free(auditor), AUDIT_FEE, "auditor's fee");
        eq(_stateOf(core, _rest()), State.Settled);
        _expectMoney(FUNDS - PRICE - FEE - AUDIT_FEE, FUNDS + PRICE, FEE, 0);
        _auditWith(v, key, CREATOR_KEY, SALT_P, abi.encodePacked(ICourtEvents.NotDisputable.selector));
    }

    function test_anAuditorWithoutBondIsNotPaid() public {
        address auditor = court.drawAudit(core, _list(), SALT_C, SALT_P);
        vm.prank(auditor);
        vault.startUnbond(1);
        Verdict memory v = Verdict(_id(core), MANIFEST, 1, 0);
        _auditWith(v, _keyOf(auditor), CREATOR_KEY, SALT_P, abi.encodePacked(ICourtEvents.NoMediator.selector));
    }

    function test_anAuditNeedsItsFeeInTheReserve() public {
        DealCore memory thin = _core(2);
        thin.lane = 1;
        thin.reserve = AUDIT_FEE - 1;
        _open(thin, _rest());
        uint256 key = _keyOf(court.drawAudit(thin, _list(), SALT_C, SALT_P));
        Verdict memory v = Verdict(_id(thin), MANIFEST, 1, 0);
        Signature memory sig = _signVerdict(key, v);
        Signature memory accept = _acceptance(CREATOR_KEY, thin, MANIFEST);
        vm.expectRevert(abi.encodeWithSelector(ICourtEvents.ReserveTooLow.selector, AUDIT_FEE - 1, AUDIT_FEE));
        court.settleAudited(thin, _rest(), _list(), SALT_C, SALT_P, v, sig, accept);
    }

    // ---- mediators ----

    function test_registrationNeedsTheBond() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IMediators.BondTooLow.selector, 0, MIN_BOND));
        court.register();
        vm.prank(vm.addr(MEDIATOR_KEY));
        _expectRevert(IMediators.BadRegistration.selector);
        court.register();
        vm.prank(stranger);
        _expectRevert(IMediators.BadRegistration.selector);
        court.retire();
        eq(court.mediatorCount(), 3, "registered");
        isTrue(court.mediators(1, 3).length == 2 && court.mediators(1, 3)[0] == vm.addr(MEDIATOR_KEY + 1), "page");
        isTrue(court.isLive(vm.addr(MEDIATOR_KEY)) && !court.isLive(stranger), "live");
    }

    function test_twoOutcomesForOneManifestCostTheBond() public {
        address m = vm.addr(MEDIATOR_KEY);
        vm.prank(m);
        vault.startUnbond(MIN_BOND / 2); // fleeing does not help
        Verdict memory one = Verdict(_id(core), MANIFEST, 1, 0);
        Verdict memory other = Verdict(_id(core), MANIFEST, 2, 0);
        Signature memory a = _signVerdict(MEDIATOR_KEY, one);
        Signature memory b = _signVerdict(MEDIATOR_KEY, other);
        _expectRevert(ICourtEvents.NotEquivocation.selector);
        court.slashEquivocation(m, one, a, one, a);
        Signature memory foreign = _signVerdict(STRANGER_KEY, other);
        _expectRevert(SignedBy.BadSignature.selector, m);
        court.slashEquivocation(m, one, a, other, foreign);
        foreign = _signVerdict(STRANGER_KEY, one);
        _expectRevert(SignedBy.BadSignature.selector, m);
        court.slashEquivocation(m, one, foreign, other, b);
        vm.prank(stranger);
        court.slashEquivocation(m, one, a, other, b);
        eq(vault.pool(), MIN_BOND, "pool");
        isTrue(!court.isLive(m), "not live");
        _expectSolvent();
        _expectRevert(IVault.NothingThere.selector);
        court.slashEquivocation(m, one, a, other, b);
    }

    function test_verdictsOverDifferentResultsAreNoEquivocation() public {
        Verdict memory one = Verdict(_id(core), MANIFEST, 1, 0);
        Verdict memory other = Verdict(_id(core), OUTPUTS, 2, 0);
        Signature memory a = _signVerdict(MEDIATOR_KEY, one);
        Signature memory b = _signVerdict(MEDIATOR_KEY, other);
        _expectRevert(ICourtEvents.NotEquivocation.selector);
        court.slashEquivocation(vm.addr(MEDIATOR_KEY), one, a, other, b);
    }

    function test_aDeploymentThatDoesNotFitTogetherIsRefused() public {
        _expectCreateRevert(ICourtEvents.BadDeployment.selector, "Court", abi.encode(vault, market, MIN_BOND, address(0)));
        Part one = new Part();
        Part two = new Part();
        bytes memory args = abi.encode(one, two, MIN_BOND, address(0));
        for (uint256 wrong; wrong < 4; ++wrong) {
            address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
            one.set(wrong == 0 ? stranger : address(two), wrong == 1 ? stranger : next, stranger);
            two.set(stranger, wrong == 2 ? stranger : next, wrong == 3 ? stranger : address(one));
            _expectCreateRevert(ICourtEvents.BadDeployment.selector, "Court", args);
        }
        address last = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        one.set(address(two), last, stranger);
        two.set(stranger, last, address(one));
        isTrue(_create("Court", args) == last, "a set that fits");
    }
}

/// @dev What a Vault or a Market says of its set, right or wrong.
contract Part {
    address public MARKET;
    address public COURT;
    address public VAULT;
    address public constant BATCHES = address(1);
    uint64 public constant UNBONDING = 10_000;

    function set(address market, address court, address vault) external {
        (MARKET, COURT, VAULT) = (market, court, vault);
    }
}
