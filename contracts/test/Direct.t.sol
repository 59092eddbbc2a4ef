// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Fixture.sol";
import {IMarket} from "../src/interfaces/IMarket.sol";
import {IVault} from "../src/interfaces/IVault.sol";
import {DealHash} from "../src/libraries/DealHash.sol";
import {SignedBy} from "../src/libraries/SignedBy.sol";

/// @dev Opening and settling, and everything that must not open or settle: a refusal each, so that the file is long.
contract DirectTest is Fixture {
    // n/2 of secp256k1: the highest s OpenZeppelin accepts.
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function _openSigned(DealCore memory core, DealRest memory rest, Signature memory c, Signature memory p) internal {
        market.open(core, market.restHash(rest), c, p);
    }

    function _prepared(DealCore memory core)
        internal
        view
        returns (bytes32 restHash, Signature memory c, Signature memory p)
    {
        DealRest memory rest = _rest();
        bytes32 digest = market.termsDigest(core, rest);
        return (market.restHash(rest), _sign(CREATOR_KEY, digest), _sign(PROVIDER_KEY, digest));
    }

    function test_openLocksBothSidesInTheProvidersEscrow() public {
        DealCore memory core = _core(1);
        DealRest memory rest = _rest();
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(core);
        bytes32 digest = market.termsDigest(core, rest);
        vm.expectEmit(true, true, true, true);
        emit IMarket.DealOpened(_id(core), creator, provider, solver, PRICE, FEE, COLLATERAL, RESERVE, 0, digest);
        vm.prank(stranger); // anyone may send it
        market.open(core, restHash, c, p);
        eq(_free(creator), FUNDS - PRICE - FEE - RESERVE, "creator's free money");
        eq(_free(provider), FUNDS - COLLATERAL, "provider's free money");
        eq(vault.account(provider).locked, PRICE + FEE + RESERVE + COLLATERAL, "escrow");
        eq(_stateOf(core, rest), State.Open);
        (bytes32 tag, State state) = market.lane(provider, 0);
        isTrue(tag == digest >> 8 << 8 && state == State.Open, "lane word");
        isTrue(market.isNullified(creator, 1, 0) && !market.isNullified(creator, 1, 1), "nullifier bits");
        _expectSolvent();
    }

    function test_settlePaysProviderAndSolverAndReturnsTheReserve() public {
        DealCore memory core = _core(1);
        _open(core, _rest());
        Signature memory sig = _acceptance(CREATOR_KEY, core, MANIFEST);
        bytes32 restHash = market.restHash(_rest());
        vm.expectEmit(true, true, true, true);
        emit IMarket.DealSettled(_id(core), MANIFEST);
        vm.prank(stranger);
        market.settle(core, restHash, MANIFEST, sig);
        _expectMoney(FUNDS - PRICE - FEE, FUNDS + PRICE, FEE, 0);
        eq(_stateOf(core, _rest()), State.Settled);
    }

    function test_aFeeWithoutPayeeGoesToThePool() public {
        DealCore memory core = _core(1);
        core.feeTo = address(0);
        _open(core, _rest());
        _settle(core, _rest());
        _expectMoney(FUNDS - PRICE - FEE, FUNDS + PRICE, 0, FEE);
    }

    function test_payeesMayCoincide() public {
        DealCore memory core = _core(1);
        core.feeTo = provider;
        _open(core, _rest());
        _settle(core, _rest());
        _expectMoney(FUNDS - PRICE - FEE, FUNDS + PRICE + FEE, 0, 0);
        core = _core(2);
        core.feeTo = creator;
        _open(core, _rest());
        _settle(core, _rest());
        _expectMoney(FUNDS - PRICE - FEE - PRICE, FUNDS + PRICE + FEE + PRICE, 0, 0);
    }

    function testFuzz_thirdPartyCannotOpenWithoutBothConsents(uint64 price, uint256 key, bool asCreator) public {
        key = key % (ORDER - 1) + 1;
        address forger = vm.addr(key);
        if (forger == creator || forger == provider) return;
        DealCore memory core = _core(1);
        core.price = price % (100 * LILY);
        bytes32 restHash = market.restHash(_rest());
        bytes32 digest = market.termsDigest(core, _rest());
        Signature memory c = _sign(asCreator ? key : CREATOR_KEY, digest);
        Signature memory p = _sign(asCreator ? PROVIDER_KEY : key, digest);
        _expectRevert(SignedBy.BadSignature.selector, asCreator ? creator : provider);
        vm.prank(forger);
        market.open(core, restHash, c, p);
    }

    function test_oneSidesSignatureDoesNotServeForBoth() public {
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(_core(1));
        _expectRevert(SignedBy.BadSignature.selector, provider);
        market.open(_core(1), restHash, c, c);
        _expectRevert(SignedBy.BadSignature.selector, creator);
        market.open(_core(1), restHash, p, p);
        _expectRevert(SignedBy.BadSignature.selector, creator);
        market.open(_core(1), restHash, Signature(0, 0), Signature(0, 0));
    }

    function test_everySignedFieldCounts() public {
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(_core(1));
        for (uint256 field; field < 9; ++field) {
            DealCore memory core = _core(1);
            if (field == 0) core.feeTo = stranger;
            if (field == 1) core.price -= 1;
            if (field == 2) core.fee += 1;
            if (field == 3) core.collateral += 1;
            if (field == 4) core.reserve += 1;
            if (field == 5) core.jobNumber += 1;
            if (field == 6) core.attempt += 1;
            if (field == 7) core.lane += 1;
            if (field == 8) core.openBy += 1;
            _expectRevert(SignedBy.BadSignature.selector, creator);
            market.open(core, restHash, c, p);
        }
        _expectRevert(SignedBy.BadSignature.selector, creator);
        market.open(_core(1), ~restHash, c, p);
    }

    function test_aChangedRestIsAnotherDeal() public {
        DealCore memory core = _core(1);
        _open(core, _rest());
        DealRest memory rest = _rest();
        rest.claimFee += 1;
        _expectRevert(IMarket.UnknownDeal.selector);
        market.refund(core, rest);
        eq(_stateOf(core, rest), State.None);
    }

    function test_openIsRefusedAfterOpenBy() public {
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(_core(1));
        vm.warp(START + 101);
        _expectRevert(IMarket.TooLate.selector, START + 100);
        market.open(_core(1), restHash, c, p);
        vm.warp(START + 100);
        market.open(_core(1), restHash, c, p);
    }

    function test_openIsRefusedBelowTwoAndAHalfTimesThePrice() public {
        DealCore memory core = _core(1);
        core.collateral -= 1;
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(core);
        vm.expectRevert(abi.encodeWithSelector(IMarket.CollateralTooLow.selector, core.collateral, core.price));
        market.open(core, restHash, c, p);
    }

    function test_openIsRefusedWithOneself() public {
        DealCore memory core = _core(1);
        core.provider = creator;
        (bytes32 restHash, Signature memory c,) = _prepared(core);
        _expectRevert(IMarket.SelfDeal.selector);
        market.open(core, restHash, c, c);
    }

    function test_openIsRefusedForAttemptEight() public {
        DealCore memory core = _core(1);
        core.attempt = 8;
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(core);
        _expectRevert(IMarket.BadAttempt.selector, 8);
        market.open(core, restHash, c, p);
    }

    function test_openIsRefusedWithoutMoney() public {
        DealCore memory core = _core(1);
        core.reserve = FUNDS;
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(core);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientFree.selector, creator, FUNDS, PRICE + FEE + FUNDS));
        market.open(core, restHash, c, p);
        core = _core(1);
        core.collateral = FUNDS + 1;
        (restHash, c, p) = _prepared(core);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientFree.selector, provider, FUNDS, FUNDS + 1));
        market.open(core, restHash, c, p);
    }

    function test_openIsRefusedWhereAmountsOverflow() public {
        DealCore memory core = _core(1);
        core.reserve = type(uint64).max;
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(core);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        market.open(core, restHash, c, p);
    }

    function test_aDealIdOpensOnce() public {
        DealCore memory core = _core(1);
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(core);
        _open(core, _rest());
        vm.expectRevert(abi.encodeWithSelector(IMarket.Nullified.selector, _id(core)));
        market.open(core, restHash, c, p);
        _settle(core, _rest());
        vm.expectRevert(abi.encodeWithSelector(IMarket.Nullified.selector, _id(core)));
        market.open(core, restHash, c, p);
        // Nor in another lane, with new consents.
        core.lane = 7;
        (restHash, c, p) = _prepared(core);
        vm.expectRevert(abi.encodeWithSelector(IMarket.Nullified.selector, _id(core)));
        market.open(core, restHash, c, p);
        // The next attempt is another deal.
        core.attempt = 1;
        _open(core, _rest());
    }

    function test_aLaneHoldsOneLiveDeal() public {
        _open(_core(1), _rest());
        DealCore memory second = _core(2);
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(second);
        vm.expectRevert(abi.encodeWithSelector(IMarket.LaneBusy.selector, provider, 0));
        market.open(second, restHash, c, p);
        second.lane = 1;
        _open(second, _rest());
        _settle(_core(1), _rest());
        _open(_core(3), _rest()); // a terminal lane is free again
        _settle(second, _rest());
        _settle(_core(3), _rest());
        _expectMoney(FUNDS - 3 * (PRICE + FEE), FUNDS + 3 * PRICE, 3 * FEE, 0);
    }

    function test_nullifyCancelsEveryAttemptNotYetOpen() public {
        DealCore memory opened = _core(33);
        _open(opened, _rest());
        Signature memory sig = _nullification(CREATOR_KEY, 33);
        vm.prank(stranger);
        market.nullify(creator, 33, sig);
        for (uint8 attempt; attempt < 8; ++attempt) {
            isTrue(market.isNullified(creator, 33, attempt), "attempt nullified");
        }
        isTrue(!market.isNullified(creator, 32, 7) && !market.isNullified(creator, 34, 0), "neighbours untouched");
        isTrue(!market.isNullified(provider, 33, 0), "other creators untouched");
        DealCore memory core = _core(33);
        core.attempt = 1;
        core.lane = 1;
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(core);
        vm.expectRevert(abi.encodeWithSelector(IMarket.Nullified.selector, _id(core)));
        market.open(core, restHash, c, p);
        _settle(opened, _rest()); // what is open goes on
    }

    function test_nullifyLeavesWhatItsNeighboursUsed() public {
        _open(_core(34), _rest()); // its bit is in the word of job 33
        market.nullify(creator, 33, _nullification(CREATOR_KEY, 33));
        isTrue(market.isNullified(creator, 34, 0), "still used");
        isTrue(!market.isNullified(creator, 34, 7), "still to come");
        _expectRevert(IMarket.BadAttempt.selector, 8);
        market.isNullified(creator, 34, 8);
    }

    function test_nullifyNeedsTheCreatorsSignature() public {
        Signature memory sig = _nullification(STRANGER_KEY, 33);
        _expectRevert(SignedBy.BadSignature.selector, creator);
        market.nullify(creator, 33, sig);
        sig = _nullification(CREATOR_KEY, 34);
        _expectRevert(SignedBy.BadSignature.selector, creator);
        market.nullify(creator, 33, sig);
    }

    function test_settleNeedsTheCreatorsAcceptanceOfThisDealAndManifest() public {
        DealCore memory core = _core(1);
        DealCore memory second = _core(2);
        second.lane = 1;
        _open(core, _rest());
        _open(second, _rest());
        bytes32 restHash = market.restHash(_rest());
        Signature memory sig = _acceptance(PROVIDER_KEY, core, MANIFEST);
        _expectRevert(SignedBy.BadSignature.selector, creator);
        market.settle(core, restHash, MANIFEST, sig);
        sig = _acceptance(CREATOR_KEY, core, MANIFEST);
        _expectRevert(SignedBy.BadSignature.selector, creator);
        market.settle(core, restHash, OUTPUTS, sig);
        _expectRevert(SignedBy.BadSignature.selector, creator);
        market.settle(second, restHash, MANIFEST, sig);
        _expectRevert(IMarket.UnknownDeal.selector);
        market.settle(core, ~restHash, MANIFEST, sig);
    }

    function test_aDealSettlesOnce() public {
        DealCore memory core = _core(1);
        _open(core, _rest());
        _settle(core, _rest());
        bytes32 restHash = market.restHash(_rest());
        Signature memory sig = _acceptance(CREATOR_KEY, core, MANIFEST);
        _expectRevert(IMarket.WrongState.selector, uint256(State.Settled));
        market.settle(core, restHash, MANIFEST, sig);
    }

    function test_settleIsRefusedForAnUnopenedDeal() public {
        bytes32 restHash = market.restHash(_rest());
        Signature memory sig = _acceptance(CREATOR_KEY, _core(1), MANIFEST);
        _expectRevert(IMarket.UnknownDeal.selector);
        market.settle(_core(1), restHash, MANIFEST, sig);
    }

    function test_consentsOfAnotherMarketAreRefused() public {
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(_core(1));
        (IVault otherVault, IMarket other,) = _deploy(token);
        token.approve(address(otherVault), type(uint256).max);
        otherVault.deposit(creator, FUNDS);
        otherVault.deposit(provider, FUNDS);
        DealCore memory core = _core(1);
        _expectRevert(SignedBy.BadSignature.selector, creator);
        other.open(core, restHash, c, p);
    }

    function test_consentsOfAnotherChainAreRefused() public {
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(_core(1));
        vm.chainId(4242);
        _expectRevert(SignedBy.BadSignature.selector, creator);
        market.open(_core(1), restHash, c, p);
    }

    function test_malleatedSignaturesAreRefused() public {
        (bytes32 restHash, Signature memory c, Signature memory p) = _prepared(_core(1));
        // The twin (r, n - s, other v): its s does not fit below the recovery bit.
        uint256 s = uint256(c.vs) & (type(uint256).max >> 1);
        uint256 parity = uint256(c.vs) >> 255;
        Signature memory twin = Signature(c.r, bytes32(((ORDER - s) & (type(uint256).max >> 1)) | (1 - parity) << 255));
        _expectRevert(SignedBy.BadSignature.selector, creator);
        market.open(_core(1), restHash, twin, p);
        // The sliver of high s that would fit.
        _expectRevert(SignedBy.BadSignature.selector, creator);
        market.open(_core(1), restHash, Signature(c.r, bytes32(HALF_ORDER + 1)), p);
        // The other parity recovers somebody else.
        _expectRevert(SignedBy.BadSignature.selector, creator);
        market.open(_core(1), restHash, Signature(c.r, c.vs ^ bytes32(uint256(1) << 255)), p);
    }

    function test_noSignatureSpeaksForTheZeroAddress() public {
        DealCore memory core = _core(1);
        core.creator = address(0);
        (bytes32 restHash,, Signature memory p) = _prepared(core);
        _expectRevert(SignedBy.BadSignature.selector, address(0));
        market.open(core, restHash, Signature(0, 0), p);
    }

    function test_wordsWithDirtyUpperBitsAreRefusedEvenIfSigned() public {
        bytes32 restHash = market.restHash(_rest());
        for (uint256 field; field < 11; ++field) {
            bytes memory words = abi.encode(_core(1));
            words[field * 32] = 0x01;
            bytes32 digest = market.digest(
                keccak256(
                    abi.encode(
                        DealHash.TERMS_TYPEHASH, keccak256(abi.encodePacked(DealHash.CORE_TYPEHASH, words)), restHash
                    )
                )
            );
            Signature memory c = _sign(CREATOR_KEY, digest);
            Signature memory p = _sign(PROVIDER_KEY, digest);
            (bool done, bytes memory reason) =
                address(market).call(abi.encodePacked(IMarket.open.selector, words, abi.encode(restHash, c, p)));
            isTrue(!done && reason.length == 0, "refused by the decoder, not by a signature");
        }
    }

    function test_theHooksOfTheCourtAreTheCourtsAlone() public {
        DealCore memory core = _core(1);
        _open(core, _rest());
        bytes32 restHash = market.restHash(_rest());
        Payout memory payout;
        _expectRevert(IMarket.NotCourt.selector);
        market.dispute(core, restHash, 0, 0);
        _expectRevert(IMarket.NotCourt.selector);
        market.setCase(restHash, 1);
        _expectRevert(IMarket.NotCourt.selector);
        market.conclude(core, restHash, State.Settled, 0, payout);
    }

    function test_noCourtDisputesADealThatHasEndedOrIsInDispute() public {
        DealCore memory core = _core(1);
        _open(core, _rest());
        bytes32 restHash = market.restHash(_rest());
        vm.prank(address(court));
        market.dispute(core, restHash, 0, uint256(State.Challenged));
        vm.prank(address(court));
        _expectRevert(IMarket.WrongState.selector, uint256(State.Challenged));
        market.dispute(core, restHash, 0, uint256(State.Challenged));
    }

    function test_theEndOfADealSaysWhoGotWhat() public {
        DealCore memory core = _core(1);
        _open(core, _rest());
        bytes32 restHash = market.restHash(_rest());
        Payout memory payout;
        (payout.toProvider, payout.toCreator, payout.toFee, payout.toEach) = (COLLATERAL, PRICE, FEE, RESERVE / 4);
        payout.mediators = new address[](2);
        (payout.mediators[0], payout.mediators[1]) = (vm.addr(MEDIATOR_KEY), vm.addr(MEDIATOR_KEY + 1));
        vm.expectEmit(true, true, true, true);
        emit IMarket.DealClosed(
            _id(core), State.Open, State.Settled, COLLATERAL, PRICE, FEE, RESERVE / 2, RESERVE - RESERVE / 2
        );
        vm.prank(address(court));
        market.conclude(core, restHash, State.Settled, 0, payout);
    }

    function test_theCourtCannotDivideMoreThanTheEscrowNorEndADealTwice() public {
        DealCore memory core = _core(1);
        _open(core, _rest());
        bytes32 restHash = market.restHash(_rest());
        Payout memory payout;
        payout.toProvider = PRICE + FEE + RESERVE + COLLATERAL;
        payout.toCreator = 1;
        vm.prank(address(court));
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        market.conclude(core, restHash, State.Settled, 0, payout);
        vm.prank(address(court));
        _expectRevert(IMarket.WrongState.selector, uint256(State.Open));
        market.conclude(core, restHash, State.Challenged, 0, payout);
        _settle(core, _rest());
        payout.toCreator = 0;
        vm.prank(address(court));
        _expectRevert(IMarket.WrongState.selector, uint256(State.Settled));
        market.conclude(core, restHash, State.Settled, 0, payout);
    }

    function test_structHashesMatchTheTypesInTheProtocol() public view {
        DealCore memory core = _core(1);
        DealRest memory rest = _rest();
        // Every field that is zero in a plain deal, so that none can be left out of the hash unseen.
        (rest.linesRoot, rest.certificateSet, rest.creatorKey, rest.providerKey) =
            (bytes32(uint256(1)), bytes32(uint256(2)), bytes32(uint256(3)), bytes32(uint256(4)));
        (rest.watcher, rest.replicas, rest.quorum, rest.tolerancePpm) = (stranger, 3, 2, 10);
        (rest.tier, rest.verdicts, rest.hardwareClass, rest.appealSeconds) = (1, 3, bytes32(uint256(5)), 600);
        bytes memory coreType =
            "DealCore(address creator,address provider,address feeTo,uint64 price,uint64 fee,uint64 collateral,uint64 reserve,uint64 jobNumber,uint8 attempt,uint32 lane,uint64 openBy)";
        bytes memory restType =
            "DealRest(bytes32 jobOfferId,bytes32 resourceOfferId,bytes32 solutionId,uint8 verification,uint16 auditBp,bytes32 mediatorRoot,bytes32 creatorSaltHash,bytes32 providerSaltHash,uint64 startBy,uint32 submitSeconds,uint32 judgeSeconds,uint32 challengeSeconds,uint64 claimFee,uint64 auditFee,bytes32 parameters,bytes32 linesRoot,bytes32 certificateSet,bytes32 creatorKey,bytes32 providerKey,address watcher,uint8 replicas,uint8 quorum,uint32 tolerancePpm,uint8 tier,uint8 verdicts,bytes32 hardwareClass,uint32 appealSeconds)";
        bytes32 terms = keccak256(abi.encodePacked("DealTerms(DealCore core,DealRest rest)", coreType, restType));
        bytes32 restHash = keccak256(abi.encode(keccak256(restType), rest));
        bytes32 coreHash = keccak256(abi.encode(keccak256(coreType), core));
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("lilynode"),
                keccak256("1"),
                block.chainid,
                address(market)
            )
        );
        bytes32 digest =
            keccak256(abi.encodePacked("\x19\x01", domain, keccak256(abi.encode(terms, coreHash, restHash))));
        isTrue(market.restHash(rest) == restHash, "hash of DealRest");
        isTrue(market.termsDigest(core, rest) == digest, "digest of DealTerms");
        isTrue(
            _id(core) == keccak256(abi.encode(block.chainid, address(market), creator, uint256(1), uint256(0))),
            "dealId"
        );
    }
}
