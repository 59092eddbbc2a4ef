// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./BatchFixture.sol";
import {ISessions} from "../src/interfaces/ISessions.sol";

/// @dev An account that is a contract: it takes what its owner signed.
contract SmartAccount {
    address private immutable _OWNER;

    constructor(address owner) {
        _OWNER = owner;
    }

    function isValidSignature(bytes32 hash, bytes calldata s) external view returns (bytes4) {
        if (s.length != 65) return 0;
        return ecrecover(hash, uint8(s[64]), bytes32(s[0:32]), bytes32(s[32:64])) == _OWNER ? bytes4(0x1626ba7e) : bytes4(0);
    }
}

/// @dev Sessions and orders: what an operator may lock, and what others may send for an account.
contract SessionsTest is BatchFixture {
    uint256 private constant _OPERATOR_KEY = 0x0FE;
    address private _operator = vm.addr(_OPERATOR_KEY);

    function test_theCapBoundsAWindowAndItsNeighbour() public {
        _authorise(creator, 60 * LILY, 100, bytes32(0), NONCE + 256);
        eq(_lockBy(64, 30 * LILY), 0, "half the cap fits");
        vm.warp(START + 99);
        eq(_lockBy(65, 1), 1, "no more in this window");
        vm.warp(START + 100);
        eq(_lockBy(66, 30 * LILY), 0, "the next window has its own half");
        eq(_lockBy(67, 1), 1, "and no more");
    }

    function testFuzz_noSpanOfAWindowLocksMoreThanTheCap(uint16[8] memory gaps, uint8[8] memory amounts) public {
        uint64 cap = 40 * LILY;
        _authorise(creator, cap, 1000, bytes32(0), NONCE + 256);
        uint256[8] memory at;
        uint256[8] memory locked;
        for (uint256 i; i < 8; ++i) {
            vm.warp(block.timestamp + gaps[i] % 700);
            uint64 amount = uint64(amounts[i] % 30 + 1) * LILY;
            at[i] = block.timestamp;
            if (_lockBy(uint64(64 + i), amount) == 0) locked[i] = amount;
            uint256 sum;
            for (uint256 j; j <= i; ++j) {
                if (at[j] + 1000 > block.timestamp) sum += locked[j];
            }
            isTrue(sum <= cap, "within the cap");
        }
    }

    function test_whatIsStillAllowedIsTold() public {
        _authorise(creator, 60 * LILY, 100, bytes32(0), NONCE + 256);
        eq(_allowed(), 30 * LILY, "half the cap");
        _lockBy(64, 10 * LILY);
        eq(_allowed(), 20 * LILY, "less what was locked");
        vm.warp(START + 100);
        eq(_allowed(), 30 * LILY, "a new window");
        _lockBy(65, 30 * LILY);
        eq(_allowed(), 0, "all of it");
        vm.warp(START + 365 days - 1);
        eq(_allowed(), 30 * LILY, "the last second");
        vm.warp(START + 365 days);
        eq(_allowed(), 0, "over");
    }

    function _allowed() private view returns (uint64 allowed) {
        (, allowed,) = vault.sessionOf(creator, NUMBER);
    }

    function test_allFundsMayBeLocked() public {
        uint64 all = _funds(creator);
        eq(_lockBy(64, all), 0, "locked");
        eq(_funds(creator), 0, "nothing left");
    }

    function test_anEndedSessionLocksNothing() public {
        _authorise(creator, 1e16, 1 days, bytes32(0), NONCE + 256);
        vm.warp(block.timestamp + 365 days);
        eq(_lockBy(64, LILY), 1, "over");
    }

    function test_aRevokedSessionStillCoversWhatWasConsentedTo() public {
        vm.prank(creator);
        vault.revoke(creator, NONCE, "");
        vm.warp(START + 599);
        eq(_lockBy(64, LILY), 0, "within the notice");
        vm.warp(START + 600);
        eq(_lockBy(65, LILY), 1, "after it");
    }

    function test_onlyTheRunningSessionIsRevokedByItsAccountAndNeverMadeLonger() public {
        _expectRevert(ISessions.NotTheAccount.selector, creator);
        vault.revoke(creator, NONCE, "");
        for (uint64 nonce; nonce <= NONCE + 256; nonce += NONCE + 256) {
            vm.prank(creator);
            vm.expectRevert(abi.encodeWithSelector(ISessions.BadSessionNonce.selector, nonce));
            vault.revoke(creator, nonce, "");
        }
        for (uint64 time = START + 365 days - 600; time < START + 365 days; time += 599) {
            vm.warp(time);
            vm.prank(creator);
            _expectRevert(ISessions.BadSession.selector);
            vault.revoke(creator, NONCE, "");
        }
        vm.warp(START + 365 days - 601);
        vm.prank(creator);
        vault.revoke(creator, NONCE, "");
        eq(_expiry(), START + 365 days - 1, "a second earlier");
    }

    function _expiry() private view returns (uint64 expiry) {
        (,, expiry) = vault.sessionOf(creator, NUMBER);
    }

    function test_aSolverIsAdmittedByTheRootOfTheSessionOnly() public {
        bytes32 root = keccak256(bytes.concat(keccak256(abi.encode(solver))));
        _authorise(creator, 1e16, 1 days, root, NONCE + 256);
        bytes32 own = keccak256(bytes.concat(keccak256(abi.encode(stranger))));
        _expectRevert(ISessions.NotInSet.selector, stranger);
        vault.admit(creator, NONCE + 256, stranger, own, new bytes32[](0));
        _expectRevert(ISessions.NotInSet.selector, stranger);
        vault.admit(creator, NONCE, stranger, 0, new bytes32[](0)); // a session without a set
    }

    function test_aSessionWithoutAnOperatorHasNone() public {
        Session memory s = _session(creator, 1e16, 1 days, bytes32(0));
        (s.operator, s.nonce) = (address(0), NONCE + 256);
        vm.prank(creator);
        vault.authorise(s, "");
        isTrue(!vault.speaksFor(creator, address(0)), "nobody");
    }

    function test_onlyAdmittedSolversLockUnderASet() public {
        bytes32 root = keccak256(bytes.concat(keccak256(abi.encode(solver))));
        _authorise(creator, 1e16, 1 days, root, NONCE + 256);
        eq(_lockBy(64, LILY), 1, "not admitted yet");
        bytes32[] memory none = new bytes32[](0);
        _expectRevert(ISessions.NotInSet.selector, stranger);
        vault.admit(creator, NONCE + 256, stranger, root, none);
        vault.admit(creator, NONCE + 256, solver, root, none);
        eq(_lockBy(64, LILY), 0, "admitted");
        _authorise(creator, 1e16, 1 days, root, NONCE + 512);
        eq(_lockBy(65, LILY), 1, "a new session admits anew");
    }

    function test_aNonceCountsUpAndALimitHolds() public {
        Session memory s = _session(creator, 1e16, 1 days, bytes32(0));
        _refuse(s, abi.encodeWithSelector(ISessions.BadSessionNonce.selector, s.nonce));
        s.nonce += 256;
        s.cap = 1 << 56;
        _refuse(s, abi.encodeWithSelector(ISessions.BadSession.selector));
        s.cap = 1;
        s.windowSeconds = 1 << 23;
        _refuse(s, abi.encodeWithSelector(ISessions.BadSession.selector));
        s.windowSeconds = 0;
        _refuse(s, abi.encodeWithSelector(ISessions.BadSession.selector));
        s.windowSeconds = 1;
        s.notBefore = START + 1;
        _refuse(s, abi.encodeWithSelector(ISessions.BadSession.selector));
        s.notBefore = 0;
        s.expiry = START;
        _refuse(s, abi.encodeWithSelector(ISessions.BadSession.selector));
        s.expiry = uint64(type(uint32).max) + 1;
        _refuse(s, abi.encodeWithSelector(ISessions.BadSession.selector));
        s.nonce = 512; // number zero is free money
        s.expiry = START + 1;
        _refuse(s, abi.encodeWithSelector(ISessions.BadSession.selector));
    }

    function test_theLargestSessionBeginsNow() public {
        Session memory s = _session(creator, (1 << 56) - 1, (1 << 23) - 1, bytes32(0));
        (s.nonce, s.notBefore, s.expiry) = (NONCE + 256, START, type(uint32).max);
        vm.prank(creator);
        vault.authorise(s, "");
        eq(_expiry(), type(uint32).max, "its end");
    }

    function test_fundsFitTheirField() public {
        vault.deposit(stranger, 1 << 56);
        vm.prank(stranger);
        vault.order(Order(6, stranger, stranger, NUMBER, (1 << 56) - 1, 0), "");
        eq(_funds(stranger), (1 << 56) - 1, "as much as it holds");
        vm.prank(stranger);
        _expectRevert(IVault.FundsTooLarge.selector);
        vault.order(Order(6, stranger, stranger, NUMBER, 1, 1), "");
    }

    function test_anEndedSessionsFundsComeBackOnce() public {
        (uint64 all, uint64 free, uint64 nonce) = (_funds(creator), _free(creator), vault.orderNonce(creator));
        vm.warp(START + 365 days);
        vm.prank(creator);
        vault.order(Order(5, creator, creator, NUMBER, 0, nonce), "");
        eq(_free(creator), free + all, "back");
        eq(_funds(creator), 0, "nothing left");
        vm.prank(creator);
        vault.order(Order(5, creator, creator, NUMBER, 0, nonce + 1), "");
        eq(_free(creator), free + all, "once");
        _expectAllSolvent();
    }

    function test_aSessionNeedsItsAccountsWord() public {
        Session memory s = _session(creator, 1e16, 1 days, bytes32(0));
        s.nonce += 256;
        _expectRevert(ISessions.NotTheAccount.selector, creator);
        vault.authorise(s, "");
        bytes memory forged = _sig65(OTHER_KEY, _digestOf(s));
        _expectRevert(ISessions.NotTheAccount.selector, creator);
        vault.authorise(s, forged);
        vault.authorise(s, _sig65(CREATOR_KEY, _digestOf(s)));
        bytes32 digest = market.digest(keccak256(abi.encode(keccak256("RevokeSession(address account,uint64 nonce)"), creator, s.nonce)));
        bytes memory signature = _sig65(CREATOR_KEY, digest);
        vault.revoke(creator, s.nonce, signature);
        (,, uint64 expiry) = vault.sessionOf(creator, NUMBER);
        eq(expiry, START + 600, "the notice");
    }

    function test_anOperatorSignsForItsAccountInBatchesButOpensNothing() public {
        Session memory s = _session(creator, 1e16, 1 days, bytes32(0));
        s.operator = _operator;
        s.nonce += 256;
        vm.prank(creator);
        vault.authorise(s, "");
        (Batch memory b,) = _commit(0, _two());
        Statement[] memory statements = new Statement[](1);
        statements[0] = _statementFor(_OPERATOR_KEY, creator, b, 1, new Line[](0));
        batches.settle(b, statements, new Line[](0));
        eq(_resolved(b) & 1, 1, "settled by the operator's word");
        DealCore memory core = _core(70);
        DealRest memory rest = _rest();
        bytes32 restHash = market.restHash(rest);
        Signature memory operatorSig = _sign(_OPERATOR_KEY, market.termsDigest(core, rest));
        Signature memory providerSig = _sign(PROVIDER_KEY, market.termsDigest(core, rest));
        _expectRevert(bytes4(keccak256("BadSignature(address)")), creator);
        market.open(core, restHash, operatorSig, providerSig);
    }

    function test_anOperatorsWordOutlastsItsSessionAsLongAsABatchLasts() public {
        Session memory s = _session(creator, 1e16, 1 days, bytes32(0));
        s.operator = _operator;
        s.nonce += 256;
        vm.prank(creator);
        vault.authorise(s, "");
        vm.prank(creator);
        vault.revoke(creator, s.nonce, "");
        vm.warp(START + 600 + UNBONDING);
        isTrue(vault.speaksFor(creator, _operator), "what it signed still counts");
        vm.warp(START + 600 + UNBONDING + 1);
        isTrue(!vault.speaksFor(creator, _operator), "no longer");
    }

    // ---- orders: an account without ether ----

    function test_everythingAnAccountDoesCanBeSentByOthers() public {
        Order memory o = Order(2, stranger, address(0), 0, 5 * LILY, 0);
        vault.deposit(stranger, 20 * LILY);
        _order(o);
        eq(vault.bondOf(stranger), 5 * LILY, "bond");
        o = Order(3, stranger, address(0), 0, 5 * LILY, 1);
        _order(o);
        vm.warp(START + UNBONDING);
        o = Order(4, stranger, address(0), 0, 0, 2);
        _order(o);
        eq(_free(stranger), 20 * LILY, "unbonded");
        o = Order(6, stranger, address(0), 3, 8 * LILY, 3);
        _order(o);
        (uint64 funds,,) = vault.sessionOf(stranger, 3);
        eq(funds, 8 * LILY, "funds of session 3");
        o = Order(5, stranger, address(0), 3, 0, 4);
        _order(o);
        o = Order(1, stranger, address(0xbeef), 0, 20 * LILY, 5);
        _order(o);
        eq(token.balanceOf(address(0xbeef)), 20 * LILY, "out again");
    }

    function test_anOrderCountsOnceForItsAccountOnly() public {
        Order memory o = Order(1, creator, creator, 0, LILY, vault.orderNonce(creator));
        bytes memory signature = _sig65(OTHER_KEY, _orderDigest(o));
        _expectRevert(ISessions.NotTheAccount.selector, creator);
        vault.order(o, signature);
        signature = _sig65(CREATOR_KEY, _orderDigest(o));
        vault.order(o, signature);
        vm.expectRevert(abi.encodeWithSelector(IVault.BadOrderNonce.selector, o.nonce, o.nonce + 1));
        vault.order(o, signature);
        o.nonce += 1;
        o.kind = 7;
        signature = _sig65(CREATOR_KEY, _orderDigest(o));
        _expectRevert(IVault.BadOrder.selector, uint256(7));
        vault.order(o, signature);
    }

    function test_sessionZeroIsFreeMoneyAndTakesNoFunds() public {
        Order memory o = Order(6, creator, creator, 0, LILY, vault.orderNonce(creator));
        vm.prank(creator);
        _expectRevert(ISessions.BadSession.selector);
        vault.order(o, "");
    }

    function test_fundsOfARunningSessionStay() public {
        Order memory o = Order(5, creator, creator, NUMBER, 0, vault.orderNonce(creator));
        bytes memory signature = _sig65(CREATOR_KEY, _orderDigest(o));
        vm.expectRevert(abi.encodeWithSelector(ISessions.SessionRuns.selector, START + 365 days));
        vault.order(o, signature);
    }

    function test_aContractAccountSignsSessionsOrdersAndStatements() public {
        address account = address(new SmartAccount(vm.addr(OTHER_KEY)));
        vault.deposit(account, 100 * LILY);
        Session memory s = _session(account, 1e16, 1 days, bytes32(0));
        vault.authorise(s, _sig65(OTHER_KEY, _digestOf(s)));
        Order memory o = Order(6, account, account, NUMBER, 50 * LILY, 0);
        vault.order(o, _sig65(OTHER_KEY, _orderDigest(o)));
        other = account; // takes the second creator's place
        (Batch memory b,) = _commit(0, _two());
        eq(b.voided, 0, "covered");
        Statement[] memory statements = new Statement[](1);
        statements[0] = _statementFor(CREATOR_KEY, account, b, 2, new Line[](0));
        _expectRevert(bytes4(keccak256("BadSignature(address)")), account);
        batches.settle(b, statements, new Line[](0));
        statements[0] = _statementFor(OTHER_KEY, account, b, 2, new Line[](0));
        batches.settle(b, statements, new Line[](0));
        eq(_resolved(b) & 2, 2, "settled by ERC-1271");
    }

    // ---- helpers ----

    /// @dev Commits one leaf of the creator's that locks `amount` of its money; 1 if it was void.
    function _lockBy(uint64 jobNumber, uint64 amount) private returns (uint256 voided) {
        DealCore[] memory cores = new DealCore[](1);
        cores[0] = _leafCore(creator, jobNumber);
        (cores[0].price, cores[0].fee, cores[0].collateral, cores[0].reserve) = (0, 0, 0, amount);
        (Batch memory b,) = _commit(uint32(jobNumber), cores);
        return b.voided;
    }

    function _authorise(address account, uint64 cap, uint32 window, bytes32 solvers, uint64 nonce) private {
        Session memory s = _session(account, cap, window, solvers);
        s.nonce = nonce;
        vm.prank(account);
        vault.authorise(s, "");
    }

    function _refuse(Session memory s, bytes memory reason) private {
        vm.prank(s.account);
        vm.expectRevert(reason);
        vault.authorise(s, "");
    }

    function _digestOf(Session memory s) private view returns (bytes32) {
        return market.digest(
            keccak256(
                abi.encode(
                    keccak256(
                        "Session(address account,address operator,uint64 cap,uint32 windowSeconds,bytes32 solversRoot,uint64 notBefore,uint64 expiry,uint64 nonce)"
                    ),
                    s
                )
            )
        );
    }

    function _orderDigest(Order memory o) private view returns (bytes32) {
        return market.digest(
            keccak256(
                abi.encode(
                    keccak256("Order(uint8 kind,address account,address to,uint8 number,uint64 amount,uint64 nonce)"), o
                )
            )
        );
    }

    function _order(Order memory o) private {
        vault.order(o, _sig65(STRANGER_KEY, _orderDigest(o)));
    }
}
