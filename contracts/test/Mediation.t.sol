// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Fixture.sol";
import {ICourt, Dispute} from "../src/interfaces/ICourt.sol";
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
        return court.disputeOf(_id(core)).mediator;
    }

    function _dispute() private {
        _challenge(core, _rest());
        _reveal(core, _rest());
    }

    /// @dev A challenge that must revert, with the given parts of it changed.
    function _expectChallengeRevert(
        bytes memory reason,
        MediatorList memory list,
        ResultCommit memory r,
        uint256 providerKey,
        Challenge memory c,
        uint256 creatorKey,
        bytes32 salt
    ) private {
        Signature memory a = _signResult(providerKey, r);
        Signature memory b = _signChallenge(creatorKey, c);
        vm.expectRevert(reason);
        court.challenge(core, _rest(), list, r, a, c, b, salt);
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
        vm.warp(START + 10 + WINDOW);
        _expectRevert(ICourt.TooEarly.selector, START + 10 + WINDOW);
        court.timeoutReveal(core, _rest());
        vm.warp(START + 10 + WINDOW + 1);
        _expectRevert(ICourt.TooLate.selector, START + 10 + WINDOW);
        court.reveal(core, _rest(), _list(), SALT_P);
        vm.prank(stranger);
        court.timeoutReveal(core, _rest());
        eq(_stateOf(core, _rest()), State.TimedOut);
        _expectMoney(FUNDS + CLAIM_FEE, FUNDS - COLLATERAL, 0, COLLATERAL - CLAIM_FEE);
    }

    function test_noVerdict() public {
        _dispute();
        vm.warp(START + 10 + WINDOW);
        _expectRevert(ICourt.TooEarly.selector, START + 10 + WINDOW);
        court.timeoutVerdict(core, _rest());
        vm.warp(START + 10 + WINDOW + 1);
        Verdict memory v = Verdict(_id(core), MANIFEST, 1, 0);
        Signature memory sig = _signVerdict(_keyOf(_drawn()), v);
        _expectRevert(ICourt.TooLate.selector, START + 10 + WINDOW);
        court.verdict(core, _rest(), v, sig);
        vm.prank(stranger);
        court.timeoutVerdict(core, _rest());
        eq(_stateOf(core, _rest()), State.Refunded);
        _expectMoney(FUNDS, FUNDS, 0, 0);
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
        ResultCommit memory r = ResultCommit(_id(poor), MANIFEST, OUTPUTS);
        Challenge memory c = Challenge(_id(poor), MANIFEST, 1);
        Signature memory a = _signResult(PROVIDER_KEY, r);
        Signature memory b = _signChallenge(CREATOR_KEY, c);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientFree.selector, creator, 1, CLAIM_FEE + AUDIT_FEE));
        court.challenge(poor, _rest(), _list(), r, a, c, b, SALT_C);
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
        eq(_free(court.disputeOf(_id(cheap)).mediator), AUDIT_FEE, "mediator's fee");
        eq(_free(creator) - before, 4 * LILY + FEE + RESERVE - 10 * LILY, "creator pays the other half");
        eq(vault.pool(), 0, "pool");
        _expectSolvent();
    }

    // ---- challenge ----

    function test_challengeChecksEverySignatureAndId() public {
        bytes memory bad = abi.encodeWithSelector(SignedBy.BadSignature.selector, provider);
        _expectChallengeRevert(bad, _list(), _result(), STRANGER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
        bad = abi.encodeWithSelector(SignedBy.BadSignature.selector, creator);
        _expectChallengeRevert(bad, _list(), _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), STRANGER_KEY, SALT_C);
        bytes32 other = market.dealId(creator, 2, 0);
        bad = abi.encodeWithSelector(ICourt.WrongDeal.selector, other);
        ResultCommit memory r = _result();
        r.dealId = other;
        _expectChallengeRevert(bad, _list(), r, PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
        Challenge memory c = _challengeOf(MANIFEST, 1);
        c.dealId = other;
        _expectChallengeRevert(bad, _list(), _result(), PROVIDER_KEY, c, CREATOR_KEY, SALT_C);
        bad = abi.encodeWithSelector(ICourt.WrongManifest.selector, OUTPUTS);
        _expectChallengeRevert(bad, _list(), _result(), PROVIDER_KEY, _challengeOf(OUTPUTS, 1), CREATOR_KEY, SALT_C);
    }

    function test_challengeChecksKindSaltAndList() public {
        bytes memory bad = abi.encodeWithSelector(ICourt.BadKind.selector, 0);
        _expectChallengeRevert(bad, _list(), _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 0), CREATOR_KEY, SALT_C);
        bad = abi.encodeWithSelector(ICourt.BadKind.selector, 4);
        _expectChallengeRevert(bad, _list(), _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 4), CREATOR_KEY, SALT_C);
        bad = abi.encodePacked(ICourt.BadSalt.selector);
        _expectChallengeRevert(bad, _list(), _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_P);
        MediatorList memory list = _list();
        list.weights[0] += 1;
        bad = abi.encodePacked(Draw.BadMediatorList.selector);
        _expectChallengeRevert(bad, list, _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
        list = _list();
        list.weights = new uint64[](2);
        _expectChallengeRevert(bad, list, _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
    }

    function test_aDealWithoutMediatorsCannotBeChallenged() public {
        DealCore memory plain = _core(2);
        plain.lane = 1;
        DealRest memory rest = _rest();
        rest.mediatorRoot = 0;
        _open(plain, rest);
        ResultCommit memory r = ResultCommit(_id(plain), MANIFEST, OUTPUTS);
        Challenge memory c = Challenge(_id(plain), MANIFEST, 1);
        Signature memory a = _signResult(PROVIDER_KEY, r);
        Signature memory b = _signChallenge(CREATOR_KEY, c);
        MediatorList memory none;
        _expectRevert(Draw.BadMediatorList.selector);
        court.challenge(plain, rest, none, r, a, c, b, SALT_C);
    }

    function test_challengeOfASubmissionIsBoundToItsManifestAndWindow() public {
        _submit(core, _rest());
        ResultCommit memory r = _result();
        r.manifest = OUTPUTS;
        bytes memory bad = abi.encodeWithSelector(ICourt.WrongManifest.selector, OUTPUTS);
        _expectChallengeRevert(bad, _list(), r, PROVIDER_KEY, _challengeOf(OUTPUTS, 1), CREATOR_KEY, SALT_C);
        vm.warp(START + 10 + 401);
        bad = abi.encodeWithSelector(ICourt.TooLate.selector, START + 10 + 400);
        _expectChallengeRevert(bad, _list(), _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
        vm.warp(START + 10 + 400);
        _challenge(core, _rest());
    }

    function test_challengeFromOpenEndsWhereTheRefundBegins() public {
        vm.warp(START + 901);
        bytes memory bad = abi.encodeWithSelector(ICourt.TooLate.selector, START + 900);
        _expectChallengeRevert(bad, _list(), _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
        vm.warp(START + 900);
        _challenge(core, _rest());
    }

    function test_aDealIsChallengedOnceAndNotAfterItsEnd() public {
        _challenge(core, _rest());
        bytes memory bad = abi.encodePacked(ICourt.NotDisputable.selector);
        _expectChallengeRevert(bad, _list(), _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
        _settle(core, _rest());
        _expectChallengeRevert(bad, _list(), _result(), PROVIDER_KEY, _challengeOf(MANIFEST, 1), CREATOR_KEY, SALT_C);
    }

    // ---- reveal and draw ----

    function test_revealChecksSaltListAndState() public {
        _expectRevert(ICourt.NotDisputable.selector);
        court.reveal(core, _rest(), _list(), SALT_P);
        _challenge(core, _rest());
        _expectRevert(ICourt.BadSalt.selector);
        court.reveal(core, _rest(), _list(), SALT_C);
        MediatorList memory list = _list();
        list.mediators[0] = stranger;
        _expectRevert(Draw.BadMediatorList.selector);
        court.reveal(core, _rest(), list, SALT_P);
        vm.prank(stranger);
        court.reveal(core, _rest(), _list(), SALT_P);
        _expectRevert(ICourt.NotDisputable.selector);
        court.reveal(core, _rest(), _list(), SALT_P);
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
        eq(court.disputeOf(_id(core)).eligible, 1, "eligible bits");
        // What happens to bonds after the challenge does not move the draw.
        vm.prank(vm.addr(MEDIATOR_KEY + 2));
        court.register();
        vm.prank(vm.addr(MEDIATOR_KEY));
        vault.startUnbond(MIN_BOND);
        _reveal(core, _rest());
        isTrue(_drawn() == vm.addr(MEDIATOR_KEY), "the only eligible one");
        _verdict(core, _rest(), 1);
    }

    function test_partiesAreNeverDrawn() public {
        address[3] memory parties = [creator, provider, solver];
        MediatorList memory list = _list();
        for (uint256 i; i < 3; ++i) {
            list.mediators[i] = parties[i];
            token.transfer(parties[i], 0);
            vault.deposit(parties[i], MIN_BOND);
            vm.prank(parties[i]);
            vault.addBond(MIN_BOND);
            vm.prank(parties[i]);
            court.register();
        }
        DealCore memory second = _core(2);
        second.lane = 1;
        DealRest memory rest = _rest();
        rest.mediatorRoot = keccak256(abi.encode(list.mediators, list.weights));
        _open(second, rest);
        ResultCommit memory r = ResultCommit(_id(second), MANIFEST, OUTPUTS);
        Challenge memory c = Challenge(_id(second), MANIFEST, 2);
        court.challenge(second, rest, list, r, _signResult(PROVIDER_KEY, r), c, _signChallenge(CREATOR_KEY, c), SALT_C);
        court.reveal(second, rest, list, SALT_P);
        isTrue(court.disputeOf(_id(second)).mediator == address(0), "nobody drawn");
        Verdict memory v = Verdict(_id(second), MANIFEST, 1, 0);
        Signature memory sig = _signVerdict(CREATOR_KEY, v);
        _expectRevert(ICourt.NoMediator.selector);
        court.verdict(second, rest, v, sig);
        // Still no dead end: the refund comes by itself.
        vm.warp(START + 10 + WINDOW + 1);
        court.timeoutVerdict(second, rest);
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
        address drawn = this.pick(list, eligible, seed);
        if (total == 0) {
            isTrue(drawn == address(0), "nobody");
        } else {
            uint256 index = uint160(drawn) - 1;
            isTrue(eligible >> index & 1 == 1 && weights[index] > 0, "eligible with weight");
        }
    }

    function pick(MediatorList calldata list, uint64 eligible, bytes32 seed) external pure returns (address) {
        return Draw.pick(list, eligible, seed);
    }

    function test_windowsNeverOutlastTheUnbonding() public view {
        DealRest memory rest = _rest();
        eq(court.windowOf(rest), 500, "as signed");
        rest.challengeSeconds = type(uint32).max;
        eq(court.windowOf(rest), UNBONDING / 2, "capped");
    }

    // ---- verdict ----

    function test_verdictIsTheDrawnMediatorsOverThisManifest() public {
        _dispute();
        uint256 key = _keyOf(_drawn());
        Verdict memory v = Verdict(_id(core), MANIFEST, 1, 0);
        Signature memory sig = _signVerdict(key == MEDIATOR_KEY ? MEDIATOR_KEY + 1 : MEDIATOR_KEY, v);
        _expectRevert(SignedBy.BadSignature.selector, _drawn());
        court.verdict(core, _rest(), v, sig);
        v.manifest = OUTPUTS;
        sig = _signVerdict(key, v);
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongManifest.selector, OUTPUTS));
        court.verdict(core, _rest(), v, sig);
        v = Verdict(market.dealId(creator, 2, 0), MANIFEST, 1, 0);
        sig = _signVerdict(key, v);
        vm.expectRevert(abi.encodeWithSelector(ICourt.WrongDeal.selector, v.dealId));
        court.verdict(core, _rest(), v, sig);
        for (uint8 outcome = 0; outcome < 5; outcome += 4) {
            v = Verdict(_id(core), MANIFEST, outcome, 0);
            sig = _signVerdict(key, v);
            _expectRevert(ICourt.BadOutcome.selector, outcome);
            court.verdict(core, _rest(), v, sig);
        }
        _verdict(core, _rest(), 3);
        v = Verdict(_id(core), MANIFEST, 3, keccak256("evidence"));
        sig = _signVerdict(key, v);
        _expectRevert(ICourt.NotDisputable.selector);
        court.verdict(core, _rest(), v, sig);
    }

    function test_timeoutsNeedTheirState() public {
        vm.warp(START + 100_000);
        _expectRevert(ICourt.NotDisputable.selector);
        court.timeoutReveal(core, _rest());
        _expectRevert(ICourt.NotDisputable.selector);
        court.timeoutVerdict(core, _rest());
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
        _auditWith(v, key, CREATOR_KEY, SALT_C, abi.encodePacked(ICourt.BadSalt.selector));
        v.outcome = 2;
        _auditWith(v, key, CREATOR_KEY, SALT_P, abi.encodeWithSelector(ICourt.BadOutcome.selector, 2));
        v.outcome = 1;
        v.dealId = MANIFEST;
        _auditWith(v, key, CREATOR_KEY, SALT_P, abi.encodeWithSelector(ICourt.WrongDeal.selector, MANIFEST));
        v.dealId = _id(core);
        _auditWith(v, key, CREATOR_KEY, SALT_P, "");
        eq(_free(auditor), AUDIT_FEE, "auditor's fee");
        eq(_stateOf(core, _rest()), State.Settled);
        _expectMoney(FUNDS - PRICE - FEE - AUDIT_FEE, FUNDS + PRICE, FEE, 0);
        _auditWith(v, key, CREATOR_KEY, SALT_P, abi.encodePacked(ICourt.NotDisputable.selector));
    }

    function test_anAuditorWithoutBondIsNotPaid() public {
        address auditor = court.drawAudit(core, _list(), SALT_C, SALT_P);
        vm.prank(auditor);
        vault.startUnbond(1);
        Verdict memory v = Verdict(_id(core), MANIFEST, 1, 0);
        _auditWith(v, _keyOf(auditor), CREATOR_KEY, SALT_P, abi.encodePacked(ICourt.NoMediator.selector));
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
        vm.expectRevert(abi.encodeWithSelector(ICourt.ReserveTooLow.selector, AUDIT_FEE - 1, AUDIT_FEE));
        court.settleAudited(thin, _rest(), _list(), SALT_C, SALT_P, v, sig, accept);
    }

    // ---- mediators ----

    function test_registrationNeedsTheBond() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(ICourt.BondTooLow.selector, 0, MIN_BOND));
        court.register();
        vm.prank(vm.addr(MEDIATOR_KEY));
        _expectRevert(ICourt.BadRegistration.selector);
        court.register();
        vm.prank(stranger);
        _expectRevert(ICourt.BadRegistration.selector);
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
        _expectRevert(ICourt.NotEquivocation.selector);
        court.slashEquivocation(m, one, a, one, a);
        Signature memory foreign = _signVerdict(STRANGER_KEY, other);
        _expectRevert(SignedBy.BadSignature.selector, m);
        court.slashEquivocation(m, one, a, other, foreign);
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
        _expectRevert(ICourt.NotEquivocation.selector);
        court.slashEquivocation(vm.addr(MEDIATOR_KEY), one, a, other, b);
    }

    function test_aDeploymentThatDoesNotFitTogetherIsRefused() public {
        _expectCreateRevert(ICourt.BadDeployment.selector, "Court", abi.encode(vault, market, MIN_BOND));
    }
}
