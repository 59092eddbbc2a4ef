// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./BatchFixture.sol";
import {ICourtEvents} from "../src/interfaces/ICourtEvents.sol";
import {IMediators} from "../src/interfaces/IMediators.sol";
import {SignedBy} from "../src/libraries/SignedBy.sol";

/// @dev Several mediators for one verdict, appeals, leaves challenged as they are claimed, and the register by signature.
contract PanelsTest is BatchFixture {
    address private constant _JUDGE = address(0x1D6E);

    DealCore private core;
    DealRest private rest;

    function setUp() public override {
        super.setUp();
        core = _core(1);
        rest = _rest();
        vault.deposit(creator, FUNDS);
        vault.deposit(provider, FUNDS);
    }

    function _judge() internal pure override returns (address) {
        return _JUDGE;
    }

    /// @dev Deal 1 with these terms, challenged and drawn.
    function _dispute(uint8 verdicts, uint32 appealSeconds) private {
        (core.price, core.collateral, core.fee, core.reserve) = (20 * LILY, 60 * LILY, LILY, 2 * LILY);
        (rest.verdicts, rest.appealSeconds) = (verdicts, appealSeconds);
        _open(core, rest);
        vm.warp(START + 10);
        _challenge(core, rest);
        _reveal(core, rest);
    }

    function _bring(uint8 seat, uint8 outcome) private {
        Answer[] memory answers = new Answer[](1);
        answers[0] = _answer(core, seat, outcome);
        court.verdict(core, _docket(rest), _panel(core), answers);
    }

    // ---- k of n ----

    function test_twoOfThreeDecideAndShareTheFee() public {
        _dispute(2, 0);
        address[] memory panel = _panels[_id(core)];
        isTrue(panel.length == 3 && panel[0] != panel[1] && panel[1] != panel[2] && panel[0] != panel[2], "three");
        _bring(0, 1);
        _bring(1, 2);
        eq(_stateOf(core, rest), State.Drawn);
        _expectRevert(ICourtEvents.BadSeat.selector, 1);
        this.bring(1, 1);
        _bring(2, 2);
        eq(_stateOf(core, rest), State.MediationRejected);
        eq(_free(panel[0]), 0, "the minority is not paid");
        eq(_free(panel[1]), AUDIT_FEE / 2, "half");
        eq(_free(panel[2]), AUDIT_FEE / 2, "the other half");
        _expectAllSolvent();
    }

    function test_twoVerdictsInOneTransactionDecide() public {
        _dispute(2, 0);
        Answer[] memory answers = new Answer[](2);
        answers[0] = _answer(core, 2, 1);
        answers[1] = _answer(core, 0, 1);
        court.verdict(core, _docket(rest), _panel(core), answers);
        eq(_stateOf(core, rest), State.MediationAccepted);
    }

    function test_noTwoAgreeing() public {
        _dispute(2, 0);
        for (uint8 seat; seat < 3; ++seat) {
            _bring(seat, seat + 1);
        }
        eq(_stateOf(core, rest), State.Refunded);
        for (uint256 seat; seat < 3; ++seat) {
            eq(_free(_panels[_id(core)][seat]), AUDIT_FEE / 3, "a third each");
        }
        _expectAllSolvent();
    }

    function test_onlyTheSilentOfAPanelLose() public {
        _dispute(2, 0);
        address[] memory panel = _panels[_id(core)];
        _bring(0, 1);
        vm.warp(_until(core, rest) + 1);
        _timeoutVerdict(core, rest); // the list has nobody else
        eq(_stateOf(core, rest), State.Refunded);
        eq(_free(panel[0]), AUDIT_FEE / 3, "who answered is paid");
        eq(vault.account(panel[0]).bond, MIN_BOND, "and keeps its bond");
        eq(vault.account(panel[1]).bond, MIN_BOND - MIN_BOND / 10, "a silent one");
        eq(vault.account(panel[2]).bond, MIN_BOND - MIN_BOND / 10, "the other");
        _expectAllSolvent();
    }

    function test_severalSilentAreReplacedTogetherAndStayInTheRecord() public {
        MediatorList memory list;
        (list.mediators, list.weights) = (new address[](5), new uint64[](5));
        for (uint256 i; i < 5; ++i) {
            (list.mediators[i], list.weights[i]) = (vm.addr(MEDIATOR_KEY + i), 1);
            if (i < 3) continue;
            vault.deposit(list.mediators[i], MIN_BOND);
            vm.prank(list.mediators[i]);
            vault.addBond(MIN_BOND);
            vm.prank(list.mediators[i]);
            court.register();
        }
        rest.mediatorRoot = keccak256(abi.encode(list.mediators, list.weights));
        rest.verdicts = 2;
        _open(core, rest);
        _challenge(core, rest);
        address[] memory first = court.reveal(core, _docket(rest), list, SALT_P);
        _panels[_id(core)] = first;
        Answer[] memory answers = new Answer[](1);
        answers[0] = Answer(0, 1, 0, _signVerdict(_keyAmong(list, first[0]), Verdict(_id(core), MANIFEST, 1, 0)));
        court.verdict(core, _docket(rest), _panel(core), answers);
        vm.warp(_until(core, rest) + 1);
        address[] memory second = court.timeoutVerdict(core, _docket(rest), Panel(SALT_P, first), list);
        eq(second.length, 5, "three seats and two who had one");
        isTrue(second[0] == first[0], "who answered keeps its seat");
        isTrue(second[3] == first[1] && second[4] == first[2], "the silent, in the order of their seats");
        for (uint256 i; i < 5; ++i) {
            for (uint256 j; j < i; ++j) {
                isTrue(second[i] != second[j], "nobody twice");
            }
        }
    }

    function _keyAmong(MediatorList memory list, address mediator) private pure returns (uint256 key) {
        for (key = MEDIATOR_KEY; list.mediators[key - MEDIATOR_KEY] != mediator; ++key) {}
    }

    function test_nobodyHasTwoSeats() public {
        _dispute(2, 0);
        _bring(0, 1);
        _bring(1, 2);
        vm.warp(_until(core, rest) + 1);
        _timeoutVerdict(core, rest); // the list has nobody but the two who answered
        eq(_stateOf(core, rest), State.Refunded);
    }

    function bring(uint8 seat, uint8 outcome) external {
        _bring(seat, outcome);
    }

    function test_drawAndVerdictInOneTransaction() public {
        _dispute(1, 0);
        DealCore memory second = _core(2);
        second.lane = 1;
        DealRest memory plain = _rest();
        _open(second, plain);
        _challenge(second, plain);
        Docket memory docket = _docket(plain);
        address drawn = court.drawAudit(second, _list(), SALT_C, SALT_P);
        _panels[_id(second)].push(drawn);
        Answer[] memory answers = _answers(second, 1);
        court.rule(second, docket, _list(), SALT_P, answers);
        eq(_stateOf(second, plain), State.MediationAccepted);
    }

    // ---- appeals ----

    function _ruling(uint8 outcome) private view returns (Ruling memory ruling) {
        ruling.outcome = outcome;
        ruling.each = AUDIT_FEE;
        ruling.paid = new address[](1);
        ruling.paid[0] = _panels[_id(core)][0];
    }

    function _appeal(uint256 key, Ruling memory ruling) private returns (Ruling memory) {
        Signature memory sig =
            _signStruct(key, abi.encode(keccak256("Appeal(bytes32 dealId)"), _id(core)));
        court.appeal(core, _docket(rest), ruling, vm.addr(key), sig);
        ruling.appellant = vm.addr(key);
        return ruling;
    }

    function test_aRulingWaitsForAnAppealAndIsPaidWithoutOne() public {
        _dispute(1, 300);
        _bring(0, 2);
        eq(_stateOf(core, rest), State.Drawn);
        Docket memory docket = _docket(rest);
        Ruling memory ruling = _ruling(2);
        vm.warp(START + 10 + 300);
        _expectRevert(ICourtEvents.TooEarly.selector, START + 10 + 300);
        court.conclude(core, docket, ruling);
        vm.warp(START + 10 + 301);
        ruling.outcome = 1;
        _expectRevert(ICourtEvents.WrongCase.selector, uint256(_id(core)));
        court.conclude(core, docket, ruling);
        ruling.outcome = 2;
        vm.prank(stranger);
        court.conclude(core, docket, ruling);
        eq(_stateOf(core, rest), State.MediationRejected);
        eq(_free(_panels[_id(core)][0]), AUDIT_FEE, "the mediator's fee");
        _expectAllSolvent();
    }

    function test_aLargePriceWaitsThoughTheTermsDoNotSay() public view {
        DealCore memory large = _core(3);
        large.price = MIN_BOND + 1;
        eq(court.appealWindowOf(large, _rest()), 500, "more than the bond");
        large.price = MIN_BOND;
        eq(court.appealWindowOf(large, _rest()), 0, "not more");
    }

    function test_theJudgeMayChooseAnotherOutcomeAndNothingElse() public {
        _dispute(1, 300);
        _bring(0, 2);
        uint64 free = _free(provider);
        Ruling memory ruling = _appeal(PROVIDER_KEY, _ruling(2));
        eq(free - _free(provider), MIN_BOND, "the stake");
        Docket memory docket = _docket(rest);
        _expectRevert(ICourtEvents.NotTheJudge.selector);
        court.judge(core, docket, ruling, 1);
        for (uint8 outcome = 0; outcome < 5; outcome += 4) {
            vm.prank(_JUDGE);
            _expectRevert(ICourtEvents.BadOutcome.selector, outcome);
            court.judge(core, docket, ruling, outcome);
        }
        uint64 pool = vault.pool();
        vm.prank(_JUDGE);
        court.judge(core, docket, ruling, 1);
        eq(_stateOf(core, rest), State.MediationAccepted);
        eq(_free(provider), free + core.price + core.collateral + CLAIM_FEE, "stake, price, collateral, cost");
        eq(_free(ruling.paid[0]), 0, "overturned mediators are not paid");
        eq(vault.pool() - pool, AUDIT_FEE, "their fee is the pool's");
        _expectAllSolvent();
    }

    function test_anAppealIsLostWithTheSameOutcomeOrWithoutAnAnswer() public {
        _dispute(1, 300);
        _bring(0, 2);
        uint256 snapshot = vm.snapshotState();
        for (uint256 i; i < 2; ++i) {
            uint64 free = _free(creator);
            Ruling memory ruling = _appeal(PROVIDER_KEY, _ruling(2));
            Docket memory docket = _docket(rest);
            if (i == 0) {
                vm.prank(_JUDGE);
                court.judge(core, docket, ruling, 2);
            } else {
                uint256 until = _until(core, rest);
                eq(until, block.timestamp + UNBONDING / 2, "the judge's time");
                _expectRevert(ICourtEvents.TooEarly.selector, until);
                court.conclude(core, docket, ruling);
                vm.warp(until + 1);
                vm.prank(_JUDGE);
                _expectRevert(ICourtEvents.TooLate.selector, until);
                court.judge(core, docket, ruling, 1);
                court.conclude(core, docket, ruling);
            }
            eq(_stateOf(core, rest), State.MediationRejected);
            eq(vault.account(provider).locked, 0, "nothing left");
            eq(
                _free(creator) - free,
                CLAIM_FEE + core.price + core.fee + CLAIM_FEE + AUDIT_FEE + CLAIM_FEE,
                "cost of the appeal; price, fee, reserve, extra; cost of the deal"
            );
            _expectAllSolvent();
            vm.revertToState(snapshot);
        }
    }

    function test_appealAndJudgementComeInTimeInTheirLastSecond() public {
        _dispute(1, 300);
        _bring(0, 2);
        vm.warp(START + 10 + 300);
        Ruling memory ruling = _appeal(PROVIDER_KEY, _ruling(2));
        Docket memory docket = _docket(rest);
        vm.warp(_until(core, rest));
        vm.prank(_JUDGE);
        court.judge(core, docket, ruling, 3);
        eq(_stateOf(core, rest), State.Refunded);
        _expectAllSolvent();
    }

    function test_aRulingIsAppealedOnceAndJudgedOnlyThen() public {
        _dispute(1, 300);
        _bring(0, 2);
        Docket memory docket = _docket(rest);
        Ruling memory ruling = _ruling(2);
        vm.prank(_JUDGE);
        _expectRevert(ICourtEvents.NotDisputable.selector);
        court.judge(core, docket, ruling, 1);
        ruling = _appeal(PROVIDER_KEY, ruling);
        Signature memory sig = _signStruct(CREATOR_KEY, abi.encode(keccak256("Appeal(bytes32 dealId)"), _id(core)));
        _expectRevert(ICourtEvents.NotDisputable.selector);
        court.appeal(core, docket, ruling, creator, sig);
    }

    function test_onlyAPartyAppealsAndInTime() public {
        _dispute(1, 300);
        _bring(0, 2);
        Docket memory docket = _docket(rest);
        Signature memory sig = _signStruct(STRANGER_KEY, abi.encode(keccak256("Appeal(bytes32 dealId)"), _id(core)));
        Ruling memory ruling = _ruling(2);
        _expectRevert(ICourtEvents.NotAParty.selector, stranger);
        court.appeal(core, docket, ruling, stranger, sig);
        _expectRevert(SignedBy.BadSignature.selector, creator);
        court.appeal(core, docket, ruling, creator, sig);
        vm.warp(START + 10 + 301);
        sig = _signStruct(CREATOR_KEY, abi.encode(keccak256("Appeal(bytes32 dealId)"), _id(core)));
        _expectRevert(ICourtEvents.TooLate.selector, START + 10 + 300);
        court.appeal(core, docket, ruling, creator, sig);
    }

    // ---- a leaf ----

    function test_aLeafIsClaimedAndChallengedInOneTransaction() public {
        DealCore[] memory cores = _two();
        cores[0].openBy = START + 100;
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        DealRest memory terms = _restIn(cores[0].openBy);
        bytes32 digest = market.termsDigest(cores[0], terms);
        Opening memory opening = _opening(b, 0, proofs[0]);
        Signature memory c = _sign(CREATOR_KEY, digest);
        Signature memory p = _sign(PROVIDER_KEY, digest);
        vm.prank(stranger);
        court.challengeLeaf(opening, cores[0], terms, c, p, _complaint(cores[0], MANIFEST, 1));
        eq(_stateOf(cores[0], terms), State.Challenged);
        _reveal(cores[0], terms);
        _verdict(cores[0], terms, 1);
        eq(_stateOf(cores[0], terms), State.MediationAccepted);
        eq(vault.account(provider).locked, 0, "escrow left");
        _expectAllSolvent();
    }

    // ---- the register by signature ----

    function _enlist(address account, bool listed, uint64 nonce, uint256 key) private {
        bytes32 hash = keccak256(
            abi.encode(keccak256("Enlist(address account,bool listed,uint64 nonce)"), account, listed, nonce)
        );
        court.enlist(account, listed, nonce, _sig65(key, market.digest(hash)));
    }

    function enlist(address account, bool listed, uint64 nonce, uint256 key) external {
        _enlist(account, listed, nonce, key);
    }

    function test_aMediatorComesAndGoesBySignature() public {
        address m = vm.addr(MEDIATOR_KEY);
        _expectRevert(IMediators.NotTheMediator.selector, m);
        this.enlist(m, false, 0, STRANGER_KEY);
        _enlist(m, false, 0, MEDIATOR_KEY);
        isTrue(!court.isLive(m), "gone");
        vm.expectRevert(abi.encodeWithSelector(IMediators.BadNonce.selector, 0, 1));
        this.enlist(m, false, 0, MEDIATOR_KEY);
        eq(court.enlistNonce(m), 1, "nonce");
        _enlist(m, true, 1, MEDIATOR_KEY);
        isTrue(court.isLive(m), "back");
    }

    function test_whoseBondIsTooLowIsStruckOff() public {
        address m = vm.addr(MEDIATOR_KEY);
        _expectRevert(IMediators.BadRegistration.selector);
        court.strike(m);
        vm.prank(m);
        vault.startUnbond(1);
        court.strike(m);
        eq(court.mediatorCount(), 2, "two are left");
    }
}
