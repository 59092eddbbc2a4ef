// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./BatchFixture.sol";

/// @dev The batched path: money, exclusion, voids; each hole that scheme R was known for. One contract's ways stand together, as in Direct.t.sol.
contract BatchesTest is BatchFixture {
    function test_settlePaysProviderSolverAndGivesTheReserveBack() public {
        DealCore[] memory cores = _two();
        (uint64 c, uint64 p, uint64 s) = (_funds(creator), _funds(provider), _free(solver));
        (Batch memory b,) = _commit(0, cores);
        eq(_funds(creator), c - 13 * LILY, "price, fee and reserve are locked");
        eq(_funds(provider), p - 50 * LILY, "both collaterals are locked");
        eq(vault.account(solver).locked, 76 * LILY, "all of it stands with the solver");
        _settle(CREATOR_KEY, b, 1);
        eq(_funds(creator), c - 11 * LILY, "the reserve is back");
        eq(_funds(provider), p - 25 * LILY + 10 * LILY, "price and collateral");
        eq(_free(solver), s + LILY, "fee");
        eq(vault.account(solver).locked, 38 * LILY, "the other leaf is still locked");
        _settle(OTHER_KEY, b, 2);
        eq(vault.account(solver).locked, 0, "nothing left");
        eq(_resolved(b), type(uint256).max, "all resolved");
        _expectAllSolvent();
    }

    function test_aBatchGoesItsWayRightAfterTheChainForked() public {
        vm.chainId(4242);
        DealCore[] memory cores = _two();
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _settle(OTHER_KEY, b, 2);
        _claim(b, 0, cores[0], proofs[0]);
        eq(_resolved(b), type(uint256).max, "settled and claimed");
    }

    function test_aStatementWorksOnce() public {
        (Batch memory b,) = _commit(0, _two());
        _settle(CREATOR_KEY, b, 1);
        uint64 p = _funds(provider);
        _settle(CREATOR_KEY, b, 1);
        eq(_funds(provider), p, "nothing moved");
        eq(vault.account(solver).locked, 38 * LILY, "nothing moved");
    }

    function test_aStatementMovesItsCreatorsLeavesOnly() public {
        (Batch memory b,) = _commit(0, _two());
        _settle(CREATOR_KEY, b, 3); // leaf 1 is the other creator's
        eq(_resolved(b) & 3, 1, "only leaf 0");
    }

    function test_aStatementOfAnotherBatchOrSignerIsRefused() public {
        (Batch memory b,) = _commit(0, _two());
        DealCore[] memory next = _two();
        (next[0].jobNumber, next[1].jobNumber) = (65, 65);
        (Batch memory second,) = _commit(1, next);
        Statement[] memory statements = new Statement[](1);
        statements[0] = _statement(CREATOR_KEY, b, 1, new Line[](0));
        _expectRevert(bytes4(keccak256("BadSignature(address)")), creator);
        batches.settle(second, statements, new Line[](0));
        statements[0] = _statementFor(OTHER_KEY, creator, second, 1, new Line[](0));
        _expectRevert(bytes4(keccak256("BadSignature(address)")), creator);
        batches.settle(second, statements, new Line[](0));
    }

    function test_anotherRootOrRowIsAnotherBatch() public {
        (Batch memory b,) = _commit(0, _two());
        Statement[] memory none = new Statement[](0);
        b.root = keccak256("forged");
        vm.expectRevert();
        batches.settle(b, none, new Line[](0));
        (b,) = _commit(1, _nextJobs(66));
        b.rows[0] += 1 << 24;
        vm.expectRevert();
        batches.settle(b, none, new Line[](0));
    }

    function test_linesComeOutOfTheReserve() public {
        (Batch memory b,) = _commit(0, _two());
        Line[] memory lines = new Line[](3);
        lines[0] = Line(0, stranger, LILY);
        lines[1] = Line(0, stranger, 2 * LILY); // more than is left: left out
        lines[2] = Line(0, address(0), LILY);
        uint64 c = _funds(creator);
        uint64 pool = vault.pool();
        Statement[] memory statements = new Statement[](1);
        statements[0] = _statement(CREATOR_KEY, b, 1, lines);
        batches.settle(b, statements, lines);
        eq(_free(stranger), LILY, "the author");
        eq(vault.pool(), pool + LILY, "the protocol");
        eq(_funds(creator), c, "no reserve left");
        _expectAllSolvent();
        uint64 before = vault.pool();
        batches.settle(b, statements, lines);
        eq(vault.pool(), before, "lines are paid once");
    }

    function test_severalLeavesOfACreatorAreSettledTogetherAndOnce() public {
        DealCore[] memory cores = _two();
        cores[1] = _leafCore(creator, 65);
        (Batch memory b,) = _commit(0, cores);
        _settle(CREATOR_KEY, b, 3);
        eq(_resolved(b), type(uint256).max, "both");
        uint64 p = _funds(provider);
        _settle(CREATOR_KEY, b, 3);
        eq(_funds(provider), p, "paid once");
        _expectAllSolvent();
    }

    function test_linesArePaidBesideWhatTheOwnersGet() public {
        (Batch memory b,) = _commit(0, _two());
        Line[] memory lines = new Line[](3);
        for (uint256 i; i < 3; ++i) {
            lines[i] = Line(0, stranger, LILY / 2);
        }
        (uint64 c, uint64 p) = (_funds(creator), _funds(provider));
        Statement[] memory statements = new Statement[](1);
        statements[0] = _statement(CREATOR_KEY, b, 1, lines);
        batches.settle(b, statements, lines);
        eq(_free(stranger), 3 * (LILY / 2), "the lines");
        eq(_funds(creator), c + LILY / 2, "what is left of the reserve");
        eq(_funds(provider), p + 35 * LILY, "price and collateral");
        _expectAllSolvent();
    }

    function test_statementsAscendByOwnerEachOnce() public {
        (Batch memory b,) = _commit(0, _two());
        Statement[] memory statements = new Statement[](2);
        statements[0] = _statement(CREATOR_KEY, b, 1, new Line[](0));
        statements[1] = _statement(OTHER_KEY, b, 2, new Line[](0));
        if (statements[0].owner > statements[1].owner) (statements[0], statements[1]) = (statements[1], statements[0]);
        Statement[] memory wrong = new Statement[](2);
        (wrong[0], wrong[1]) = (statements[1], statements[0]);
        _expectRevert(IBatches.BadStatement.selector, uint256(1));
        batches.settle(b, wrong, new Line[](0));
        wrong[0] = statements[0];
        _expectRevert(IBatches.BadStatement.selector, uint256(1));
        batches.settle(b, wrong, new Line[](0));
        wrong[0] = Statement(3, 1, statements[0].signature); // there are three owners
        _expectRevert(IBatches.BadStatement.selector, uint256(0));
        batches.settle(b, wrong, new Line[](0));
        batches.settle(b, statements, new Line[](0));
        eq(_resolved(b), type(uint256).max, "both in one settlement");
    }

    function test_linesThatFollowNoStatementAreRefused() public {
        (Batch memory b,) = _commit(0, _two());
        Line[] memory lines = new Line[](1);
        lines[0] = Line(1, stranger, LILY);
        Statement[] memory statements = new Statement[](1);
        statements[0] = _statement(CREATOR_KEY, b, 1, new Line[](0));
        _expectRevert(IBatches.BadLine.selector, uint256(0));
        batches.settle(b, statements, lines);
    }

    // ---- the largest, and what is no batch ----

    function test_aBatchHasUpTo256LeavesAndOwners() public {
        uint256[] memory owners = _owners(64);
        uint256[] memory rows = new uint256[](256);
        for (uint256 i; i < 256; ++i) {
            rows[i] = _index(owners, creator) | _index(owners, provider) << 8 | i << 16 | 1 << 24;
        }
        vm.prank(solver);
        (, uint256 voided) = batches.commit(Commitment(0, uint64(block.timestamp) + 10, 0, owners, rows));
        (, uint256 resolved) = batches.slotOf(solver, 0);
        isTrue(voided == 0 && resolved == 0, "all leaves are open");
        eq(vault.account(solver).locked, 256, "each locks one");

        rows = new uint256[](1);
        rows[0] = 1 << 8 | 1 << 24; // the first owner pays the second, and has no session
        (, voided) = batches.commit(Commitment(0, uint64(block.timestamp) + 10, 0, _ascending(256), rows));
        eq(voided, 1, "void");
        _expectRevert(IBatches.BadOwner.selector, uint256(256));
        batches.commit(Commitment(1, uint64(block.timestamp) + 10, 0, _ascending(257), rows));
    }

    function _ascending(uint256 count) private pure returns (uint256[] memory owners) {
        owners = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            owners[i] = uint256(NUMBER) << 160 | (i + 1);
        }
    }

    function test_whatStandsInNoSlotIsNeitherExpiredNorClaimed() public {
        DealCore[] memory cores = _two();
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        b.rows[0] += 1 << 136; // a larger reserve
        cores[0].reserve += 1;
        vm.expectRevert(abi.encodeWithSelector(IBatches.UnknownBatch.selector, batches.batchId(b)));
        this.claimAgain(b, 0, cores[0], proofs[0]);
        vm.warp(b.expiry + 1);
        bytes32 id = batches.batchId(b);
        vm.expectRevert(abi.encodeWithSelector(IBatches.UnknownBatch.selector, id));
        batches.expire(b, 3);
    }

    function test_aLeafBeyondTheLastIsNone() public {
        DealCore[] memory cores = _two();
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _expectRevert(IBatches.BadLeaf.selector, uint256(2));
        this.claimAgain(b, 2, cores[0], proofs[0]);
        _expectRevert(IBatches.BadLeaf.selector, uint256(16));
        this.claimAgain(b, 16, cores[0], proofs[0]);
    }

    function test_whatHasExpiredIsNotGivenBackAgain() public {
        (Batch memory b,) = _commit(0, _two());
        (Batch memory second,) = _commit(1, _nextJobs(66));
        _settle(CREATOR_KEY, b, 1);
        vm.warp(b.expiry);
        _expectRevert(IBatches.TooEarly.selector, uint256(b.expiry));
        batches.expire(b, 3);
        vm.warp(b.expiry + 1);
        batches.expire(b, 3);
        eq(_resolved(b), type(uint256).max, "settled or expired");
        uint64 o = _funds(other);
        batches.expire(b, 3);
        eq(_funds(other), o, "once");
        eq(vault.account(solver).locked, 76 * LILY, "the second batch's money is there");
        eq(_resolved(second) & 3, 0, "and open");
    }

    // ---- claims ----

    function test_theLastAttemptCommittedInTheLastSecondIsClaimed() public {
        DealCore[] memory cores = _two();
        (cores[0].attempt, cores[0].openBy) = (7, uint64(block.timestamp));
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _claim(b, 0, cores[0], proofs[0]);
        eq(_stateOf(cores[0], _restIn(cores[0].openBy)), State.Open);
    }

    function test_aClaimedLeafIsAnOpenDealAndCannotBeSettledAgain() public {
        DealCore[] memory cores = _two();
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _claim(b, 0, cores[0], proofs[0]);
        eq(market.stateOf(cores[0], market.restHash(_restIn(cores[0].openBy))), State.Open);
        eq(vault.account(provider).locked, _sum(cores[0]), "its escrow");
        eq(vault.account(solver).locked, _sum(cores[1]), "carved out");
        uint64 p = _funds(provider);
        _settle(CREATOR_KEY, b, 1);
        eq(_funds(provider), p, "the statement finds nothing");
        _expectRevert(IBatches.LeafResolved.selector, uint256(0));
        this.claimAgain(b, 0, cores[0], proofs[0]);
    }

    function test_theTimeOfAClaimStandsUntilADispute() public {
        DealCore[] memory cores = _two();
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        DealRest memory rest = _restIn(cores[0].openBy);
        bytes32 restHash = market.restHash(rest);
        eq(market.claimedAt(cores[0], restHash), 0, "not claimed");
        vm.warp(START + 10);
        _claim(b, 0, cores[0], proofs[0]);
        eq(market.claimedAt(cores[0], restHash), START + 10, "claimed");
        _submit(cores[0], rest);
        eq(market.claimedAt(cores[0], restHash), START + 10, "after the submission");
        _challenge(cores[0], rest);
        eq(market.claimedAt(cores[0], restHash), 0, "the dispute has its place");
    }

    function test_termsAreClaimedOnceWhateverBatchesSays() public {
        DealCore[] memory cores = _two();
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _claim(b, 0, cores[0], proofs[0]);
        bytes32 terms = market.termsDigest(cores[0], _restIn(cores[0].openBy));
        vm.prank(address(batches));
        _expectRevert(IMarket.WrongState.selector, uint256(State.Open));
        market.openClaimed(cores[0], terms);
    }

    function test_aSettledLeafCannotBeClaimed() public {
        DealCore[] memory cores = _two();
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _settle(CREATOR_KEY, b, 1);
        _expectRevert(IBatches.LeafResolved.selector, uint256(0));
        this.claimAgain(b, 0, cores[0], proofs[0]);
    }

    function test_aLeafIsClaimedAtItsPlaceWithItsProofOnly() public {
        DealCore[] memory cores = _two();
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _expectRevert(IBatches.BadLeaf.selector, uint256(0));
        this.claimAgain(b, 0, cores[0], proofs[1]);
        _expectRevert(IBatches.BadLeaf.selector, uint256(1));
        this.claimAgain(b, 1, cores[0], proofs[0]);
        cores[0].price += 1;
        _expectRevert(IBatches.BadLeaf.selector, uint256(0));
        this.claimAgain(b, 0, cores[0], proofs[0]);
    }

    function test_aLeafThatIsNotItsRowCannotBeClaimed() public {
        DealCore[] memory cores = _two();
        for (uint256 field; field < 7; ++field) {
            uint256 snapshot = vm.snapshotState();
            Batch memory b;
            b.owners = _owners(64);
            b.rows = new uint256[](2);
            bytes32[] memory leaves = new bytes32[](2);
            for (uint256 i; i < 2; ++i) {
                b.rows[i] = _row(b.owners, cores[i]);
                leaves[i] = _leafHash(i, cores[i], _restIn(cores[i].openBy));
            }
            // Creator, provider, nullifier bit, then the four amounts.
            if (field == 0) b.rows[0] = b.rows[0] & ~uint256(0xff) | _index(b.owners, other);
            else if (field == 1) b.rows[0] = b.rows[0] & ~uint256(0xff00) | _index(b.owners, other) << 8;
            else b.rows[0] += field == 2 ? 1 << 16 : 1 << (24 + 56 * (field - 3));
            if (field == 0) b.rows[1] += 1 << 16; // else one dealId twice
            bytes32[][] memory proofs;
            (b.root, proofs) = _tree(leaves);
            _send(0, b);
            _expectRevert(IBatches.BadLeaf.selector, uint256(0));
            this.claimAgain(b, 0, cores[0], proofs[0]);
            vm.revertToState(snapshot);
        }
    }

    function test_aClaimNeedsBothConsents() public {
        DealCore[] memory cores = _two();
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        bytes32 restHash = market.restHash(_restIn(cores[0].openBy));
        bytes32 digest = market.termsDigest(cores[0], _restIn(cores[0].openBy));
        _expectRevert(bytes4(keccak256("BadSignature(address)")), provider);
        batches.claim(_opening(b, 0, proofs[0]), cores[0], restHash, _sign(CREATOR_KEY, digest), _sign(OTHER_KEY, digest));
        _expectRevert(bytes4(keccak256("BadSignature(address)")), creator);
        batches.claim(_opening(b, 0, proofs[0]), cores[0], restHash, _sign(OTHER_KEY, digest), _sign(PROVIDER_KEY, digest));
    }

    function test_aLeafCommittedAfterOpenByIsVoid() public {
        DealCore[] memory cores = _two();
        vm.warp(START + 101);
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _expectRevert(IBatches.BadLeaf.selector, uint256(0));
        this.claimAgain(b, 0, cores[0], proofs[0]);
    }

    function test_anUnderCollateralisedLeafCannotBeClaimed() public {
        DealCore[] memory cores = _two();
        cores[0].collateral = cores[0].price * 5 / 2 - 1;
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _expectRevert(IBatches.BadLeaf.selector, uint256(0));
        this.claimAgain(b, 0, cores[0], proofs[0]);
    }

    function test_aClaimAfterExpiryIsRefusedAndAnExpiryBeforeToo() public {
        DealCore[] memory cores = _two();
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _expectRevert(IBatches.TooEarly.selector, uint256(b.expiry));
        batches.expire(b, 3);
        vm.warp(b.expiry + 1);
        _expectRevert(IBatches.TooLate.selector, uint256(b.expiry));
        this.claimAgain(b, 0, cores[0], proofs[0]);
    }

    function test_aClaimedLeafIsDisputedLikeAnyDeal() public {
        DealCore[] memory cores = _two();
        uint64 total = _funds(creator);
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _claim(b, 0, cores[0], proofs[0]);
        DealRest memory rest = _restIn(cores[0].openBy);
        uint64 creatorFree = _free(creator);
        _challenge(cores[0], rest);
        _reveal(cores[0], rest);
        _verdict(cores[0], rest, 2);
        eq(market.stateOf(cores[0], market.restHash(rest)), State.MediationRejected);
        eq(_funds(creator) + _free(creator), total - 13 * LILY + creatorFree + 18 * LILY, "its money and what the collateral gave");
        eq(vault.account(provider).locked, 0, "nothing left");
        _expectAllSolvent();
    }

    function test_afterAClaimTheProviderHasTimeToAnswer() public {
        DealCore[] memory cores = _two();
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        DealRest memory rest = _restIn(cores[0].openBy);
        vm.warp(START + 10 + rest.submitSeconds + 500); // the receipt's time to submit is long over
        _claim(b, 0, cores[0], proofs[0]);
        uint256 grace = block.timestamp + rest.challengeSeconds;
        _expectRevert(IMarket.TooEarly.selector, grace);
        this.timeoutSubmit(cores[0], rest);
        _submit(cores[0], rest);
        eq(market.stateOf(cores[0], market.restHash(rest)), State.Submitted);
    }

    function test_aClaimedLeafIsNotRefundedBeforeTheProviderCouldAnswer() public {
        DealCore[] memory cores = _two();
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        DealRest memory rest = _restIn(cores[0].openBy);
        vm.warp(b.expiry);
        _claim(b, 0, cores[0], proofs[0]);
        _expectRevert(IMarket.TooEarly.selector, uint256(b.expiry) + rest.challengeSeconds + rest.judgeSeconds);
        market.refund(cores[0], rest);
        vm.warp(uint256(b.expiry) + rest.challengeSeconds + rest.judgeSeconds + 1);
        market.refund(cores[0], rest);
        _expectAllSolvent();
    }

    // ---- nullifiers over paths and batches ----

    function test_aBatchedLeafCannotBeOpenedDirectly() public {
        DealCore memory core = _leafCore(creator, 64);
        _expectRevert(IMarket.BadLane.selector, uint256(BATCHED));
        this.openDirect(core);
    }

    function test_aDealIdIsLockedInOneBatchOnly() public {
        DealCore[] memory cores = _two();
        _commit(0, cores);
        (Batch memory second, bytes32[][] memory proofs) = _commit(1, cores);
        eq(second.voided, 3, "both leaves are void");
        eq(vault.account(solver).locked, 76 * LILY, "locked once");
        _expectRevert(IBatches.LeafResolved.selector, uint256(0));
        this.claimAgain(second, 0, cores[0], proofs[0]);
        isTrue(market.isNullified(creator, 64, 0), "and it stays locked in the first");
    }

    function test_aDealOpenedDirectlyOrNullifiedIsVoidInABatch() public {
        DealCore memory direct = _core(64);
        direct.openBy = START + 100;
        (direct.price, direct.fee, direct.collateral, direct.reserve) = (LILY, 0, 3 * LILY, 0);
        _open(direct, _rest());
        market.nullify(other, 64, _nullification(OTHER_KEY, 64));
        (Batch memory b,) = _commit(0, _two());
        eq(b.voided, 3, "both are void");
        eq(vault.account(solver).locked, 0, "nothing is locked");
        (b,) = _commit(0, _nextJobs(67));
        eq(b.voided, 0, "and the slot is free again");
    }

    function test_aDealIdThatABatchHoldsCannotBeOpenedUnderOtherTerms() public {
        _commit(0, _two());
        DealCore memory direct = _core(64);
        vm.expectRevert(abi.encodeWithSelector(IMarket.Nullified.selector, _id(direct)));
        this.openDirect(direct);
    }

    function test_oneDealIdTwiceInABatchIsRefused() public {
        DealCore[] memory cores = _two();
        cores[1] = cores[0];
        vm.expectRevert(abi.encodeWithSelector(IBatches.BadRow.selector, 1));
        this.commit(cores);
    }

    // ---- owners who cannot cover ----

    function test_anOwnerWhoCannotCoverIsSkippedAndTheRestGoesOn() public {
        DealCore[] memory cores = _two();
        cores[0].reserve = FUNDS;
        (uint64 c, uint64 p) = (_funds(creator), _funds(provider));
        (Batch memory b,) = _commit(0, cores);
        eq(b.voided, 1, "the short creator's leaf is void");
        eq(_funds(creator), c, "nothing of it is locked");
        eq(_funds(provider), p - 25 * LILY, "nor the provider's side of it");
        eq(vault.account(solver).locked, _sum(cores[1]), "the other leaf is");
        isTrue(!market.isNullified(creator, 64, 0), "the void leaf may be matched again");
        isTrue(market.isNullified(other, 64, 0), "the other may not");
        _expectAllSolvent();
    }

    function test_aShortProviderVoidsItsLeavesAndNothingIsKept() public {
        DealCore[] memory cores = _two();
        cores[0].collateral = FUNDS;
        uint64 c = _funds(creator);
        (, uint64 allowed,) = vault.sessionOf(creator, NUMBER);
        (Batch memory b,) = _commit(0, cores);
        eq(b.voided, 3, "both leaves are the provider's");
        eq(_funds(creator), c, "the creator's money is back");
        (, uint64 still,) = vault.sessionOf(creator, NUMBER);
        eq(still, allowed, "and so is its allowance");
        eq(_resolved(b), type(uint256).max, "the batch is over");
    }

    function test_twoOwnersWhoCannotCoverAreBothSkipped() public {
        DealCore[] memory cores = _two();
        (cores[0].reserve, cores[1].reserve) = (FUNDS, FUNDS);
        uint64 p = _funds(provider);
        (Batch memory b,) = _commit(0, cores);
        eq(b.voided, 3, "both leaves are void");
        eq(_funds(provider), p, "the provider's money is back");
        eq(vault.account(solver).locked, 0, "nothing is locked");
        _expectAllSolvent();
    }

    function test_everyLeafOfAShortCreatorMayBeMatchedAgain() public {
        DealCore[] memory cores = _two();
        cores[0].reserve = FUNDS;
        cores[1] = _leafCore(creator, 65); // in the same word of nullifiers
        (Batch memory b,) = _commit(0, cores);
        eq(b.voided, 3, "both leaves are void");
        isTrue(!market.isNullified(creator, 64, 0) && !market.isNullified(creator, 65, 0), "both are free");
    }

    function test_nothingIsUnlockedThatTheSolverDoesNotHold() public {
        _commit(0, _two());
        uint256[] memory back = new uint256[](1);
        back[0] = uint256(LILY) << 168 | uint256(NUMBER) << 160 | uint160(creator);
        vm.prank(address(batches));
        _expectRevert(IVault.BeyondEscrow.selector);
        vault.unlockBatch(vm.addr(MEDIATOR_KEY), back); // its bond is not for this
    }

    function test_aBondCoversExactlyTwentyTimesItself() public {
        vm.prank(solver);
        vault.startUnbond(FUNDS / 2 - 76 * LILY / 20);
        _commit(0, _two());
        eq(vault.account(solver).locked, 76 * LILY, "locked");
    }

    function test_aSolverWithoutEnoughBondLocksNothing() public {
        vm.prank(solver);
        vault.startUnbond(FUNDS / 2 - 3 * LILY);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.BondTooSmall.selector, solver, uint64(76 * LILY), uint256(60 * LILY))
        );
        this.commit(_two());
    }

    function test_aSlotWithUnresolvedLeavesIsBusy() public {
        _commit(0, _two());
        vm.expectRevert(abi.encodeWithSelector(IBatches.SlotBusy.selector, uint32(0)));
        this.commit(_nextJobs(66));
    }

    // ---- expiry ----

    function test_anyoneExpiresWhatIsLeftAndTheClaimedLeafStaysOut() public {
        DealCore[] memory cores = new DealCore[](3);
        cores[0] = _leafCore(creator, 64);
        cores[1] = _leafCore(other, 64);
        cores[2] = _leafCore(creator, 65);
        (uint64 o, uint64 p) = (_funds(other), _funds(provider));
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _claim(b, 0, cores[0], proofs[0]);
        _settle(CREATOR_KEY, b, 4);
        vm.warp(b.expiry + 1);
        vm.prank(address(0xdead));
        batches.expire(b, 7);
        eq(_funds(other), o, "the silent creator's money is back");
        eq(_funds(provider), p - 25 * LILY + 10 * LILY, "and its provider's");
        eq(vault.account(provider).locked, _sum(cores[0]), "the dispute goes on");
        eq(vault.account(solver).locked, 0, "nothing left with the solver");
        _expectAllSolvent();
    }

    function test_anExpiryTooFarOrPastIsRefused() public {
        DealCore[] memory cores = _two();
        uint256[] memory owners = _owners(64);
        uint256[] memory rows = new uint256[](1);
        rows[0] = _row(owners, cores[0]);
        uint64 late = uint64(block.timestamp) + UNBONDING / 2 + 1;
        vm.expectRevert(abi.encodeWithSelector(IBatches.BadExpiry.selector, late));
        batches.commit(Commitment(0, late, 0, owners, rows));
        vm.expectRevert(abi.encodeWithSelector(IBatches.BadExpiry.selector, uint64(block.timestamp)));
        batches.commit(Commitment(0, uint64(block.timestamp), 0, owners, rows));
    }

    function test_ownersMustAscendAndRowsNameOwners() public {
        uint256[] memory owners = _owners(64);
        uint256[] memory rows = new uint256[](1);
        uint64 expiry = uint64(block.timestamp) + 10;
        rows[0] = 3 | 1 << 24;
        _expectRevert(IBatches.BadRow.selector, uint256(0));
        batches.commit(Commitment(0, expiry, 0, owners, rows));
        rows[0] = 3 << 8 | 1 << 24;
        _expectRevert(IBatches.BadRow.selector, uint256(0));
        batches.commit(Commitment(0, expiry, 0, owners, rows));
        rows[0] = 1 << 8; // pays nothing
        _expectRevert(IBatches.BadRow.selector, uint256(0));
        batches.commit(Commitment(0, expiry, 0, owners, rows));
        owners[1] = owners[0];
        _expectRevert(IBatches.BadOwner.selector, uint256(1));
        batches.commit(Commitment(0, expiry, 0, owners, rows));
        _expectRevert(IBatches.BadLeaves.selector, uint256(257));
        batches.commit(Commitment(0, expiry, 0, owners, new uint256[](257)));
    }

    function test_onlyBatchesMovesBatchesMoney() public {
        uint256[] memory none = new uint256[](0);
        _expectRevert(IVault.NotBatches.selector);
        vault.lockBatch(solver, 1, none);
        _expectRevert(IVault.NotBatches.selector);
        vault.unlockBatch(solver, none);
        _expectRevert(IVault.NotEscrowing.selector);
        vault.payBatch(solver, 0, none);
        _expectRevert(IVault.NotBatches.selector);
        vault.moveLock(solver, stranger, 0);
        _expectRevert(IVault.NotEscrowing.selector);
        vault.stake(solver, 1);
        _expectRevert(IVault.NotDealing.selector);
        vault.slash(solver, 1, stranger, 1);
        _expectRevert(IMarket.NotBatches.selector);
        market.mark(none, none);
        _expectRevert(IMarket.NotBatches.selector);
        market.unmark(none, none);
        DealCore memory core = _leafCore(creator, 1);
        _expectRevert(IMarket.NotBatches.selector);
        market.openClaimed(core, bytes32(0));
    }

    // ---- external, so that one call is what reverts ----

    function claimAgain(Batch memory b, uint256 leaf, DealCore memory core, bytes32[] memory proof) external {
        _claim(b, leaf, core, proof);
    }

    function commit(DealCore[] memory cores) external {
        _commit(0, cores);
    }

    function openDirect(DealCore memory core) external {
        _open(core, _rest());
    }

    function timeoutSubmit(DealCore memory core, DealRest memory rest) external {
        _timeoutSubmit(core, rest);
    }

    function _nextJobs(uint64 jobNumber) private view returns (DealCore[] memory cores) {
        cores = _two();
        (cores[0].jobNumber, cores[1].jobNumber) = (jobNumber, jobNumber);
    }
}
