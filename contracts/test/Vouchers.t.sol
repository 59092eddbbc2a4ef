// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./VoucherFixture.sol";
import {Session} from "../src/libraries/BatchTypes.sol";
import {SmartAccount} from "./Sessions.t.sol";

/// @dev Channels: what is reserved, what vouchers pay of it, and how the rest comes back. A test for each refusal, so that the file is long.
contract VouchersTest is VoucherFixture {
    // ---- paying ----

    function test_theHighestVoucherCountsAndPaysTheDifference() public {
        _reserve(_reservation(100 * LILY, 1));
        eq(_free(creator), FUNDS - 100 * LILY, "reserved");
        eq(_locked(creator), 100 * LILY, "in the payer's escrow");
        _redeem(30 * LILY);
        eq(_free(provider), FUNDS + 30 * LILY, "the first");
        _redeem(50 * LILY);
        eq(_free(provider), FUNDS + 50 * LILY, "the difference");
        eq(_locked(creator), 50 * LILY, "what is left");
        eq(_channel().paid, 50 * LILY, "counted");
        _expectRevert(IVouchers.NothingToRedeem.selector, uint256(50 * LILY));
        this.redeem(50 * LILY);
        _expectRevert(IVouchers.NothingToRedeem.selector, uint256(50 * LILY));
        this.redeem(30 * LILY);
        _expectSolvent();
    }

    function test_neverMoreThanReservedIsPaid() public {
        _reserve(_reservation(100 * LILY, 1));
        _redeem(type(uint64).max);
        eq(_free(provider), FUNDS + 100 * LILY, "all of it and no more");
        _expectRevert(IVouchers.NothingToRedeem.selector, uint256(100 * LILY));
        this.redeem(type(uint64).max);
        Reservation memory r = _reservation(120 * LILY, 1);
        _reserve(r);
        _redeem(type(uint64).max);
        eq(_free(provider), FUNDS + 120 * LILY, "the same voucher, once more was reserved");
        eq(_locked(creator), 0, "nothing left");
        _expectSolvent();
    }

    function test_onlyTheSignerOfTheChannelPays() public {
        _reserve(_reservation(100 * LILY, 1));
        Voucher memory v = Voucher(creator, provider, 1, LILY);
        bytes4 bad = bytes4(keccak256("BadSignature(address)"));
        Signature memory signature = _signVoucher(CREATOR_KEY, v);
        _expectRevert(bad, hot);
        vouchers.redeem(v, signature);
        signature = _signVoucher(HOT_KEY, v);
        signature.r ^= bytes32(uint256(1));
        vm.expectRevert();
        vouchers.redeem(v, signature);
    }

    function test_aSessionsOperatorIsNotTheSigner() public {
        vm.prank(hot);
        vault.authorise(Session(hot, stranger, 1e9, 1 days, 0, 0, uint64(block.timestamp) + 1 days, 257), "");
        isTrue(vault.speaksFor(hot, stranger), "an operator of the signer");
        _reserve(_reservation(100 * LILY, 1));
        Voucher memory v = Voucher(creator, provider, 1, LILY);
        Signature memory signature = _signVoucher(STRANGER_KEY, v);
        _expectRevert(bytes4(keccak256("BadSignature(address)")), hot);
        vouchers.redeem(v, signature);
    }

    function test_aVoucherOfAnotherPairChannelChainOrDeploymentPaysNothing() public {
        _reserve(_reservation(100 * LILY, 1));
        Reservation memory r = _reservation(100 * LILY, 1);
        r.payee = stranger;
        _reserve(r);
        Signature memory signature = _signVoucher(HOT_KEY, Voucher(creator, provider, 1, LILY));
        bytes4 bad = bytes4(keccak256("BadSignature(address)"));
        _expectRevert(bad, hot);
        vouchers.redeem(Voucher(creator, stranger, 1, LILY), signature);
        _expectRevert(bad, hot);
        vouchers.redeem(Voucher(creator, provider, 1, LILY + 1), signature);
        vm.expectRevert(abi.encodeWithSelector(IVouchers.NoChannel.selector));
        vouchers.redeem(Voucher(provider, creator, 1, LILY), signature);

        uint256 id = vm.snapshotState();
        vm.prank(provider);
        vouchers.close(creator, provider, 1, "");
        _reserve(_reservation(100 * LILY, 2));
        vm.expectRevert(abi.encodeWithSelector(IVouchers.BadNonce.selector, 1, 2));
        vouchers.redeem(Voucher(creator, provider, 1, LILY), signature);
        _expectRevert(bad, hot);
        vouchers.redeem(Voucher(creator, provider, 2, LILY), signature);
        vm.revertToState(id);

        vm.chainId(777);
        _expectRevert(bad, hot);
        vouchers.redeem(Voucher(creator, provider, 1, LILY), signature);
        vm.chainId(31_337);
        (IVault otherVault,,) = _deploy(token); // `vouchers` is the other deployment's now
        token.approve(address(otherVault), FUNDS);
        otherVault.deposit(creator, FUNDS);
        _reserve(_reservation(100 * LILY, 1));
        _expectRevert(bad, hot);
        vouchers.redeem(Voucher(creator, provider, 1, LILY), signature);
    }

    function test_aContractSignsForItselfAndAKeyStaysAKey() public {
        Reservation memory r = _reservation(100 * LILY, 1);
        r.signer = address(new SmartAccount(hot));
        _reserve(r);
        _redeem(LILY);
        eq(_free(provider), FUNDS + LILY, "asked by ERC-1271");
        vm.expectRevert();
        this.redeemAs(STRANGER_KEY, 2 * LILY);

        r = _reservation(100 * LILY, 1);
        r.payee = stranger;
        _reserve(r);
        vm.etch(hot, address(new Refuser()).code); // as EIP-7702 lets any account do
        _redeem(HOT_KEY, Voucher(creator, stranger, 1, LILY));
        eq(_free(stranger), LILY, "a key cannot take its vouchers back by becoming a contract");
    }

    // ---- reserving ----

    function test_reservationsAreRelayedAndCountOnce() public {
        Reservation memory r = _reservation(100 * LILY, 1);
        bytes memory signature = _signReservation(CREATOR_KEY, r);
        vm.prank(stranger);
        vouchers.reserve(r, signature);
        eq(_locked(creator), 100 * LILY, "reserved");
        _expectRevert(IVouchers.BadReservation.selector);
        vouchers.reserve(r, signature);
        vm.prank(provider);
        vouchers.close(creator, provider, 1, "");
        vm.expectRevert(abi.encodeWithSelector(IVouchers.BadNonce.selector, 1, 2));
        vouchers.reserve(r, signature);
        r.nonce = 2;
        _expectRevert(bytes4(keccak256("NotTheAccount(address)")), creator);
        vouchers.reserve(r, signature);
        _expectRevert(bytes4(keccak256("NotTheAccount(address)")), creator);
        vouchers.reserve(r, "");
        r.nonce = 3;
        vm.expectRevert(abi.encodeWithSelector(IVouchers.BadNonce.selector, 3, 2));
        vouchers.reserve(r, signature);
    }

    function test_aSmartAccountReservesClosesAndIsPaid() public {
        address payer = address(new SmartAccount(creator));
        address payee = address(new SmartAccount(provider));
        vault.deposit(payer, FUNDS);
        Reservation memory r = _reservation(100 * LILY, 1);
        (r.payer, r.payee) = (payer, payee);
        vouchers.reserve(r, _signReservation(CREATOR_KEY, r));
        _redeem(HOT_KEY, Voucher(payer, payee, 1, 10 * LILY));
        vouchers.startClose(payer, payee, 1, _signEnd(CREATOR_KEY, "StartClose", payer, payee, 1));
        vouchers.close(payer, payee, 1, _signEnd(PROVIDER_KEY, "Close", payer, payee, 1));
        eq(_free(payer), FUNDS - 10 * LILY, "the rest");
        eq(_free(payee), 10 * LILY, "paid");
    }

    function test_onlyMoreCanBeReservedLater() public {
        Reservation memory r = _reservation(100 * LILY, 1);
        _reserve(r);
        Reservation[5] memory bad;
        for (uint256 i; i < 5; ++i) {
            bad[i] = _reservation(100 * LILY, 1);
            (bad[i].amount, bad[i].expiry) = (110 * LILY, r.expiry + 1);
        }
        (bad[0].amount, bad[1].expiry) = (99 * LILY, r.expiry - 1);
        (bad[2].signer, bad[3].closeSeconds) = (stranger, CLOSE - 1);
        (bad[4].amount, bad[4].expiry) = (r.amount, r.expiry);
        for (uint256 i; i < 5; ++i) {
            vm.prank(creator);
            _expectRevert(IVouchers.BadReservation.selector);
            vouchers.reserve(bad[i], "");
        }
        r.expiry += 1;
        _reserve(r);
        r.amount += 1;
        _reserve(r);
        eq(_channel().until, r.expiry, "longer");
        eq(_locked(creator), 100 * LILY + 1, "and more");
        r.amount = FUNDS + 1;
        vm.prank(creator);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.InsufficientFree.selector, creator, FUNDS - 100 * LILY - 1, FUNDS - 100 * LILY
            )
        );
        vouchers.reserve(r, "");
    }

    function test_reservationsThatMakeNoSenseAreRefused() public {
        Reservation[8] memory bad;
        for (uint256 i; i < 8; ++i) {
            bad[i] = _reservation(LILY, 1);
        }
        (bad[0].payee, bad[1].payee, bad[2].signer) = (address(0), creator, address(0));
        (bad[3].expiry, bad[4].amount) = (uint64(block.timestamp), 0);
        (bad[5].closeSeconds, bad[6].closeSeconds) = (10 minutes - 1, 30 days + 1);
        bad[7].expiry = uint64(type(uint32).max) + 1;
        for (uint256 i; i < 8; ++i) {
            vm.prank(creator);
            _expectRevert(IVouchers.BadReservation.selector);
            vouchers.reserve(bad[i], "");
        }
        Reservation memory r = _reservation(LILY, 1);
        (r.closeSeconds, r.expiry) = (10 minutes, uint64(block.timestamp) + 1);
        _reserve(r);
        (r.payee, r.closeSeconds, r.expiry) = (stranger, 30 days, type(uint32).max);
        _reserve(r);
    }

    // ---- closing ----

    function test_aClosingPayerLeavesThePayeeItsTime() public {
        _reserve(_reservation(100 * LILY, 1));
        uint256 end = block.timestamp + CLOSE;
        vm.prank(creator);
        vouchers.startClose(creator, provider, 1, "");
        eq(_channel().until, end, "from now");
        vm.warp(end);
        _redeem(40 * LILY);
        _expectRevert(bytes4(keccak256("NotTheAccount(address)")), provider);
        vouchers.close(creator, provider, 1, "");
        vm.warp(end + 1);
        _expectRevert(IVouchers.TooLate.selector, end);
        this.redeem(50 * LILY);
        vm.prank(stranger);
        vouchers.close(creator, provider, 1, "");
        eq(_free(creator), FUNDS - 40 * LILY, "the rest is back");
        eq(_free(provider), FUNDS + 40 * LILY, "paid within the time");
        eq(_locked(creator), 0, "nothing left");
        vm.expectRevert(abi.encodeWithSelector(IVouchers.NoChannel.selector));
        this.redeem(50 * LILY);
        vm.expectRevert(abi.encodeWithSelector(IVouchers.NoChannel.selector));
        vouchers.close(creator, provider, 1, "");
        _expectSolvent();
    }

    function test_whatWasSignedBeforeClosingOpensNothingAgain() public {
        Reservation memory r = _reservation(100 * LILY, 1);
        _reserve(r);
        (r.amount, r.expiry) = (200 * LILY, r.expiry + 1);
        bytes memory raised = _signReservation(CREATOR_KEY, r);
        vm.prank(creator);
        vouchers.startClose(creator, provider, 1, "");
        _expectRevert(IVouchers.TooLate.selector, block.timestamp + CLOSE);
        vouchers.reserve(r, raised);
        _expectRevert(IVouchers.TooLate.selector, block.timestamp + CLOSE);
        vm.prank(creator);
        vouchers.startClose(creator, provider, 1, "");
        vm.warp(block.timestamp + CLOSE + 1);
        vouchers.close(creator, provider, 1, "");
        vm.expectRevert(abi.encodeWithSelector(IVouchers.BadNonce.selector, 1, 2));
        vouchers.reserve(r, raised);
    }

    function test_aLiveChannelKeepsItsNonce() public {
        Reservation memory r = _reservation(100 * LILY, 1);
        _reserve(r);
        (r.amount, r.nonce) = (200 * LILY, 2);
        vm.prank(creator);
        vm.expectRevert(abi.encodeWithSelector(IVouchers.BadNonce.selector, 2, 1));
        vouchers.reserve(r, "");
    }

    function test_aChannelIsRaisedAndClosingInItsLastSecond() public {
        Reservation memory r = _reservation(100 * LILY, 1);
        _reserve(r);
        vm.warp(r.expiry);
        (r.amount, r.expiry) = (200 * LILY, r.expiry + 10);
        _reserve(r);
        vm.warp(r.expiry);
        vm.prank(creator);
        vouchers.startClose(creator, provider, 1, "");
        isTrue(_channel().isClosing && _channel().until == r.expiry, "closing");
    }

    function test_closingNeverOutlastsTheExpiry() public {
        Reservation memory r = _reservation(100 * LILY, 1);
        r.expiry = uint64(block.timestamp) + 100;
        _reserve(r);
        vm.prank(creator);
        vouchers.startClose(creator, provider, 1, "");
        eq(_channel().until, r.expiry, "the earlier end");
    }

    function test_anExpiredChannelPaysNothingAndComesBackByAnyone() public {
        Reservation memory r = _reservation(100 * LILY, 1);
        _reserve(r);
        vm.warp(r.expiry);
        _redeem(LILY);
        vm.warp(r.expiry + 1);
        _expectRevert(IVouchers.TooLate.selector, r.expiry);
        this.redeem(2 * LILY);
        vm.prank(creator);
        _expectRevert(IVouchers.TooLate.selector, r.expiry);
        vouchers.startClose(creator, provider, 1, "");
        Reservation memory raised = _reservation(200 * LILY, 1);
        vm.prank(creator);
        _expectRevert(IVouchers.TooLate.selector, r.expiry);
        vouchers.reserve(raised, "");
        vm.prank(address(0xdead));
        vouchers.close(creator, provider, 1, "");
        eq(_free(creator), FUNDS - LILY, "back");
        raised.nonce = 2;
        _reserve(raised);
        eq(_channel().paid, 0, "a new channel begins at zero");
    }

    function test_thePayeeClosesAtOnceAlsoBySignature() public {
        _reserve(_reservation(100 * LILY, 1));
        bytes memory ofPayer = _signEnd(CREATOR_KEY, "Close", creator, provider, 1);
        _expectRevert(bytes4(keccak256("NotTheAccount(address)")), provider);
        vouchers.close(creator, provider, 1, ofPayer);
        bytes memory word = _signEnd(PROVIDER_KEY, "Close", creator, provider, 1);
        vouchers.close(creator, provider, 1, word);
        eq(_free(creator), FUNDS, "all of it");
        _reserve(_reservation(100 * LILY, 2));
        _expectRevert(bytes4(keccak256("NotTheAccount(address)")), provider);
        vouchers.close(creator, provider, 2, word);
        vm.expectRevert(abi.encodeWithSelector(IVouchers.BadNonce.selector, 1, 2));
        vouchers.close(creator, provider, 1, word);
    }

    function test_onlyThePayerStartsToClose() public {
        _reserve(_reservation(100 * LILY, 1));
        bytes memory ofPayee = _signEnd(PROVIDER_KEY, "StartClose", creator, provider, 1);
        _expectRevert(bytes4(keccak256("NotTheAccount(address)")), creator);
        vouchers.startClose(creator, provider, 1, ofPayee);
        vm.prank(provider);
        _expectRevert(bytes4(keccak256("NotTheAccount(address)")), creator);
        vouchers.startClose(creator, provider, 1, "");
        vouchers.startClose(creator, provider, 1, _signEnd(CREATOR_KEY, "StartClose", creator, provider, 1));
        isTrue(_channel().isClosing, "by signature");
    }

    function test_redeemingAndClosingGoTogether() public {
        _reserve(_reservation(100 * LILY, 1));
        Voucher memory v = Voucher(creator, provider, 1, 60 * LILY);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(IVouchers.redeem, (v, _signVoucher(HOT_KEY, v)));
        calls[1] = abi.encodeCall(IVouchers.close, (creator, provider, 1, ""));
        vm.prank(provider);
        IMulticall(address(vouchers)).multicall(calls);
        eq(_free(creator), FUNDS - 60 * LILY, "payer");
        eq(_free(provider), FUNDS + 60 * LILY, "payee");
    }

    // ---- with the rest ----

    function test_aReservationIsApartFromDealsOfTheSameAccount() public {
        DealCore memory core = _core(1);
        _open(core, _rest());
        vm.prank(provider);
        vouchers.reserve(Reservation(provider, creator, hot, 100 * LILY, 1, uint64(block.timestamp) + 1 days, CLOSE), "");
        eq(_locked(provider), PRICE + FEE + RESERVE + COLLATERAL + 100 * LILY, "both");
        _redeem(HOT_KEY, Voucher(provider, creator, 1, type(uint64).max));
        eq(_locked(provider), PRICE + FEE + RESERVE + COLLATERAL, "the deal's is untouched");
        _settle(core, _rest());
        eq(_locked(provider), 0, "paid");
        _expectSolvent();
    }

    function test_vouchersSlashNobodyAndADeploymentFitsTogether() public {
        vm.prank(address(vouchers));
        _expectRevert(IVault.NotDealing.selector);
        vault.slash(solver, 1, stranger, 1);
        vm.prank(address(vouchers));
        _expectRevert(IVault.NotBatches.selector);
        vault.moveLock(creator, stranger, 1);
        _expectCreateRevert(IVouchers.BadVouchers.selector, "Vouchers", abi.encode(vault));
    }

    function testFuzz_whatIsPaidAndWhatComesBackIsWhatWasReserved(uint64 amount, uint64[6] memory steps, uint8 raises)
        public
    {
        uint64 reserved = amount % (FUNDS / 2) + 1;
        Reservation memory r = _reservation(reserved, 1);
        _reserve(r);
        uint64 highest;
        for (uint256 i; i < 6; ++i) {
            if (raises >> i & 1 == 1) {
                r.amount = reserved += steps[i] % (FUNDS / 20) + 1;
                _reserve(r);
            }
            uint64 paid = _channel().paid;
            uint64 signed = steps[i] % (2 * FUNDS);
            highest = signed > highest ? signed : highest;
            if (signed <= paid || paid == reserved) vm.expectRevert();
            this.redeem(signed);
            eq(_free(provider) - FUNDS, _channel().paid, "the payee has what was paid");
            eq(_locked(creator), reserved - _channel().paid, "the payer's locked is the rest");
            isTrue(_channel().paid <= reserved && _channel().paid <= highest, "no more than reserved or signed");
        }
        vm.warp(r.expiry + 1);
        vouchers.close(creator, provider, 1, "");
        eq(_free(creator) + _free(provider), 2 * FUNDS, "nothing is lost");
        _expectSolvent();
    }

    // ---- external, so that one call is what reverts ----

    function redeem(uint64 amount) external {
        _redeem(amount);
    }

    function redeemAs(uint256 key, uint64 amount) external {
        _redeem(key, Voucher(creator, provider, 1, amount));
    }
}

interface IMulticall {
    function multicall(bytes[] calldata calls) external returns (bytes[] memory);
}

/// @dev What an account may become to disown its signatures.
contract Refuser {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return 0;
    }
}
