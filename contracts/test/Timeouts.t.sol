// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Fixture.sol";
import {IMarket} from "../src/interfaces/IMarket.sol";
import {SignedBy} from "../src/libraries/SignedBy.sol";

/// @dev Submission, silence and abandonment: who gets what, and not a second too early or late.
contract TimeoutsTest is Fixture {
    uint64 private constant SUBMIT_BY = START + 10 + 300; // startedAt + submitSeconds
    uint64 private constant REFUND_AFTER = START + 200 + 300 + 400; // startBy + submit + judge

    DealCore private core;

    function setUp() public override {
        super.setUp();
        core = _core(1);
        _open(core, _rest());
        vm.warp(START + 10);
    }

    function _submitWith(StartReceipt memory receipt, uint256 key1, uint256 key2, ResultCommit memory r, uint256 key3)
        private
    {
        market.submit(
            core, _rest(), receipt, _signReceipt(key1, receipt), _signReceipt(key2, receipt), r, _signResult(key3, r)
        );
    }

    /// @dev Signatures first: expectRevert watches the next call only.
    function _expectSubmitRevert(
        bytes memory reason,
        StartReceipt memory receipt,
        uint256 key1,
        uint256 key2,
        ResultCommit memory r,
        uint256 key3
    ) private {
        Signature memory a = _signReceipt(key1, receipt);
        Signature memory b = _signReceipt(key2, receipt);
        Signature memory c = _signResult(key3, r);
        vm.expectRevert(reason);
        market.submit(core, _rest(), receipt, a, b, r, c);
    }

    function _result() private view returns (ResultCommit memory) {
        return ResultCommit(_id(core), MANIFEST, OUTPUTS);
    }

    function test_submitPutsTheResultOnChain() public {
        vm.warp(SUBMIT_BY);
        _submit(core, _rest());
        eq(_stateOf(core, _rest()), State.Submitted);
        Submission memory s = market.submission(_id(core));
        isTrue(s.submittedAt == SUBMIT_BY && s.manifest == MANIFEST, "submission");
    }

    function test_submitIsRefusedAfterItsDeadline() public {
        vm.warp(SUBMIT_BY + 1);
        _expectSubmitRevert(
            abi.encodeWithSelector(IMarket.TooLate.selector, SUBMIT_BY),
            _receipt(core),
            CREATOR_KEY,
            PROVIDER_KEY,
            _result(),
            PROVIDER_KEY
        );
    }

    function test_submitNeedsAllThreeSignatures() public {
        bytes memory bad = abi.encodeWithSelector(SignedBy.BadSignature.selector, creator);
        _expectSubmitRevert(bad, _receipt(core), PROVIDER_KEY, PROVIDER_KEY, _result(), PROVIDER_KEY);
        bad = abi.encodeWithSelector(SignedBy.BadSignature.selector, provider);
        _expectSubmitRevert(bad, _receipt(core), CREATOR_KEY, CREATOR_KEY, _result(), PROVIDER_KEY);
        _expectSubmitRevert(bad, _receipt(core), CREATOR_KEY, PROVIDER_KEY, _result(), CREATOR_KEY);
    }

    function test_messagesOfAnotherDealAreRefused() public {
        bytes32 other = market.dealId(creator, 2, 0);
        bytes memory wrong = abi.encodeWithSelector(IMarket.WrongDeal.selector, other);
        StartReceipt memory receipt = _receipt(core);
        receipt.dealId = other;
        _expectSubmitRevert(wrong, receipt, CREATOR_KEY, PROVIDER_KEY, _result(), PROVIDER_KEY);
        ResultCommit memory r = _result();
        r.dealId = other;
        _expectSubmitRevert(wrong, _receipt(core), CREATOR_KEY, PROVIDER_KEY, r, PROVIDER_KEY);
    }

    function test_aReceiptFromTheFutureOrAfterStartByIsRefused() public {
        StartReceipt memory receipt = _receipt(core);
        receipt.startedAt = START + 11;
        bytes memory bad = abi.encodeWithSelector(IMarket.BadStart.selector, START + 11);
        _expectSubmitRevert(bad, receipt, CREATOR_KEY, PROVIDER_KEY, _result(), PROVIDER_KEY);
        vm.warp(START + 201);
        receipt.startedAt = START + 201;
        bad = abi.encodeWithSelector(IMarket.BadStart.selector, START + 201);
        _expectSubmitRevert(bad, receipt, CREATOR_KEY, PROVIDER_KEY, _result(), PROVIDER_KEY);
        receipt.startedAt = START + 200;
        _submitWith(receipt, CREATOR_KEY, PROVIDER_KEY, _result(), PROVIDER_KEY);
    }

    function test_anAcceptanceAfterSubmissionSettlesWithoutClaimFee() public {
        _submit(core, _rest());
        _settle(core, _rest());
        _expectMoney(FUNDS - PRICE - FEE, FUNDS + PRICE, FEE, 0);
    }

    function test_silencePaysTheProviderAfterTheJudgeWindow() public {
        _submit(core, _rest());
        vm.warp(START + 10 + 400);
        _expectRevert(IMarket.TooEarly.selector, START + 10 + 400);
        market.finalize(core, _rest());
        vm.warp(START + 10 + 401);
        vm.prank(stranger);
        market.finalize(core, _rest());
        eq(_stateOf(core, _rest()), State.Settled);
        _expectMoney(FUNDS - PRICE - FEE - CLAIM_FEE, FUNDS + PRICE + CLAIM_FEE, FEE, 0);
    }

    function test_theClaimFeeComesFromFreeMoneyWhereTheReserveLacks() public {
        DealCore memory second = _core(2);
        second.lane = 1;
        second.reserve = 3 * LILY;
        _open(second, _rest());
        _settle(core, _rest());
        _submit(second, _rest());
        vm.warp(START + 10 + 401);
        market.finalize(second, _rest());
        _expectMoney(FUNDS - 2 * (PRICE + FEE) - CLAIM_FEE, FUNDS + 2 * PRICE + CLAIM_FEE, 2 * FEE, 0);
    }

    function test_anEmptyCreatorPaysTheClaimFeeAsFarAsItGoes() public {
        DealCore memory second = _core(2);
        second.lane = 1;
        second.reserve = 3 * LILY;
        _open(second, _rest());
        _settle(core, _rest());
        uint64 all = _free(creator);
        vm.prank(creator);
        vault.withdraw(creator, all - 2 * LILY);
        _submit(second, _rest());
        vm.warp(START + 10 + 401);
        market.finalize(second, _rest());
        _expectMoney(0, FUNDS + 2 * PRICE + 5 * LILY, 2 * FEE, 0);
    }

    function test_refundReturnsEverythingAfterItsDeadline() public {
        vm.warp(REFUND_AFTER);
        _expectRevert(IMarket.TooEarly.selector, REFUND_AFTER);
        market.refund(core, _rest());
        vm.warp(REFUND_AFTER + 1);
        uint64 escrow = vault.account(provider).locked;
        vm.expectEmit(true, true, true, true);
        emit IMarket.DealClosed(_id(core), State.Open, State.Refunded, COLLATERAL, escrow - COLLATERAL, 0, 0, 0);
        vm.prank(stranger);
        market.refund(core, _rest());
        eq(_stateOf(core, _rest()), State.Refunded);
        _expectMoney(FUNDS, FUNDS, 0, 0);
    }

    function test_aProviderThatStartedAndDidNotSubmitIsSlashed() public {
        vm.warp(SUBMIT_BY);
        StartReceipt memory receipt = _receipt(core);
        Signature memory a = _signReceipt(CREATOR_KEY, receipt);
        Signature memory b = _signReceipt(PROVIDER_KEY, receipt);
        _expectRevert(IMarket.TooEarly.selector, SUBMIT_BY);
        market.timeoutSubmit(core, _rest(), receipt, a, b);
        vm.warp(SUBMIT_BY + 1);
        _expectRevert(SignedBy.BadSignature.selector, provider);
        market.timeoutSubmit(core, _rest(), receipt, a, a);
        vm.prank(stranger);
        market.timeoutSubmit(core, _rest(), receipt, a, b);
        eq(_stateOf(core, _rest()), State.TimedOut);
        // Restitution is the creator's own money and its pinned cost; the rest is nobody's income.
        _expectMoney(FUNDS + CLAIM_FEE, FUNDS - COLLATERAL, 0, COLLATERAL - CLAIM_FEE);
    }

    function test_theSlashComesBeforeTheRefundForTheLatestReceipt() public {
        // startedAt == startBy: slashable from startBy + submit + 1, refundable judgeSeconds later.
        StartReceipt memory receipt = _receipt(core);
        receipt.startedAt = START + 200;
        vm.warp(START + 200 + 300 + 1);
        _expectRevert(IMarket.TooEarly.selector, REFUND_AFTER);
        market.refund(core, _rest());
        market.timeoutSubmit(
            core, _rest(), receipt, _signReceipt(CREATOR_KEY, receipt), _signReceipt(PROVIDER_KEY, receipt)
        );
    }

    function test_aCostAboveTheCollateralIsCapped() public {
        DealCore memory second = _core(2);
        second.lane = 1;
        DealRest memory rest = _rest();
        rest.claimFee = type(uint64).max;
        vm.warp(START + 20);
        _settle(core, _rest());
        _open(second, rest);
        vm.warp(SUBMIT_BY + 1);
        _timeoutSubmit(second, rest);
        _expectMoney(FUNDS - PRICE - FEE + COLLATERAL, FUNDS + PRICE - COLLATERAL, FEE, 0);
    }

    function test_nothingButTheRightStateTimesOut() public {
        _submit(core, _rest());
        vm.warp(REFUND_AFTER + 1000);
        _expectRevert(IMarket.WrongState.selector, uint256(State.Submitted));
        market.refund(core, _rest());
        StartReceipt memory receipt = _receipt(core);
        Signature memory a = _signReceipt(CREATOR_KEY, receipt);
        Signature memory b = _signReceipt(PROVIDER_KEY, receipt);
        _expectRevert(IMarket.WrongState.selector, uint256(State.Submitted));
        market.timeoutSubmit(core, _rest(), receipt, a, b);
        _expectSubmitRevert(
            abi.encodeWithSelector(IMarket.WrongState.selector, State.Submitted),
            receipt,
            CREATOR_KEY,
            PROVIDER_KEY,
            _result(),
            PROVIDER_KEY
        );
        market.finalize(core, _rest());
        _expectRevert(IMarket.WrongState.selector, uint256(State.Settled));
        market.finalize(core, _rest());
    }

    function test_finalizeNeedsASubmission() public {
        vm.warp(REFUND_AFTER + 1000);
        _expectRevert(IMarket.WrongState.selector, uint256(State.Open));
        market.finalize(core, _rest());
    }
}
