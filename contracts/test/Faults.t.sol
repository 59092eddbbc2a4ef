// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./BatchFixture.sol";
import {Reveal} from "../src/libraries/BatchTypes.sol";

/// @dev Solvers' faults: each accusation, its answer, and what it costs.
contract FaultsTest is BatchFixture {
    // ---- locks without terms ----

    function test_aLockWithoutTermsIsReleasedAndCostsBond() public {
        (uint64 c, uint64 p) = (_funds(creator), _funds(provider));
        uint64 bond = vault.bondOf(solver);
        (Batch memory b,) = _commit(0, _one(64));
        uint64 free = _free(creator);
        _disown(CREATOR_KEY, b);
        eq(_free(creator), free - STAKE, "the stake is locked");
        vm.warp(block.timestamp + UNBONDING / 8);
        vm.expectRevert(abi.encodeWithSelector(IBatches.TooEarly.selector, block.timestamp));
        faults.concludeDisown(b, 0);
        vm.warp(block.timestamp + 1);
        faults.concludeDisown(b, 0);
        eq(_funds(creator), c, "the lock is released");
        eq(_funds(provider), p, "on both sides");
        eq(_free(creator), free + STAKE, "stake and compensation");
        eq(vault.bondOf(solver), bond - 38 * LILY, "the leaf's sum");
        eq(vault.pool(), 37 * LILY, "nobody earns by it");
        _expectAllSolvent();
        vm.expectRevert(abi.encodeWithSelector(IFaults.BadAccusation.selector, _disownKey(b)));
        faults.concludeDisown(b, 0);
    }

    function test_termsAnswerADisownment() public {
        DealCore[] memory cores = _one(64);
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _disown(PROVIDER_KEY, b);
        uint64 free = _free(solver);
        vm.warp(block.timestamp + UNBONDING / 8); // the last second
        this.answerDisown(b, cores[0], proofs[0], CREATOR_KEY);
        eq(_free(solver), free + STAKE, "the stake is the solver's");
        vm.warp(block.timestamp + UNBONDING / 8 + 1);
        bytes memory closed = abi.encodeWithSelector(IFaults.BadAccusation.selector, _disownKey(b));
        vm.expectRevert(closed);
        this.answerDisown(b, cores[0], proofs[0], CREATOR_KEY);
        vm.expectRevert(closed);
        faults.concludeDisown(b, 0);
        vm.expectRevert(closed);
        this.disown(CREATOR_KEY, b);
    }

    function test_anAnswerNeedsBothConsentsAndComesInTime() public {
        DealCore[] memory cores = _one(64);
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _disown(PROVIDER_KEY, b);
        _expectRevert(bytes4(keccak256("BadSignature(address)")), creator);
        this.answerDisown(b, cores[0], proofs[0], OTHER_KEY);
        uint256 answerBy = block.timestamp + UNBONDING / 8;
        vm.warp(answerBy + 1);
        vm.expectRevert(abi.encodeWithSelector(IBatches.TooLate.selector, answerBy));
        this.answerDisown(b, cores[0], proofs[0], CREATOR_KEY);
    }

    function test_aLeafCommittedTooLateIsNoAnswer() public {
        DealCore[] memory cores = _one(64);
        vm.warp(START + 101);
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        _disown(CREATOR_KEY, b);
        vm.expectRevert(abi.encodeWithSelector(IBatches.BadLeaf.selector, 0));
        this.answerDisown(b, cores[0], proofs[0], CREATOR_KEY);
    }

    function test_onlyOwnersDisownAndOnlyWhileItMatters() public {
        (Batch memory b,) = _commit(0, _one(64));
        _expectRevert(IFaults.NotAnOwner.selector, other);
        this.disown(OTHER_KEY, b);
        uint256 id = vm.snapshotState();
        vm.warp(b.expiry - UNBONDING / 8 + 1);
        vm.expectRevert(abi.encodeWithSelector(IBatches.TooLate.selector, b.expiry));
        this.disown(CREATOR_KEY, b);
        vm.warp(b.expiry - UNBONDING / 8); // the last second
        _disown(CREATOR_KEY, b);
        vm.revertToState(id);
        _settle(CREATOR_KEY, b, 1);
        vm.expectRevert(abi.encodeWithSelector(IBatches.LeafResolved.selector, 0));
        this.disown(CREATOR_KEY, b);
    }

    function test_nobodyDisownsForAnother() public {
        (Batch memory b,) = _commit(0, _one(64));
        bytes32 hash = keccak256(abi.encode(keccak256("Disown(bytes32 batch,uint256 leaf)"), batches.batchId(b), uint256(0)));
        Signature memory signature = _sign(OTHER_KEY, market.digest(hash));
        _expectRevert(bytes4(keccak256("BadSignature(address)")), creator);
        faults.disown(b, 0, creator, signature);
    }

    function test_aLeafSettledMeanwhileGivesTheStakeBackAndCostsNothing() public {
        (Batch memory b,) = _commit(0, _one(64));
        uint64 free = _free(provider);
        _disown(PROVIDER_KEY, b);
        _settle(CREATOR_KEY, b, 1);
        uint64 bond = vault.bondOf(solver);
        vm.warp(block.timestamp + UNBONDING / 8 + 1);
        faults.concludeDisown(b, 0);
        eq(_free(provider), free, "the stake is back");
        eq(vault.bondOf(solver), bond, "nothing slashed");
        _expectAllSolvent();
    }

    // ---- promises ----

    function test_aBrokenPromiseCostsBondAndCompensatesTheCreator() public {
        DealCore memory core = _one(64)[0];
        vault.deposit(stranger, STAKE);
        uint64 free = _free(creator);
        uint64 bond = vault.bondOf(solver);
        vm.expectRevert(abi.encodeWithSelector(IBatches.TooEarly.selector, core.openBy));
        this.accuse(core);
        vm.warp(core.openBy + 1);
        this.accuse(core);
        vm.expectRevert();
        this.accuse(core); // once only
        vm.warp(block.timestamp + UNBONDING / 8 + 1);
        faults.concludePromise(solver, core.openBy, core, market.restHash(_restIn(core.openBy)));
        eq(_free(creator), free + STAKE, "the victim");
        eq(_free(stranger), STAKE, "the accuser gets its stake back and no more");
        eq(vault.bondOf(solver), bond - 11 * LILY, "price and fee");
        _expectAllSolvent();
    }

    function test_aKeptPromiseCannotBeAccused() public {
        DealCore[] memory cores = _one(64);
        _commit(0, cores);
        vault.deposit(stranger, STAKE);
        vm.warp(cores[0].openBy + 1);
        vm.expectRevert(abi.encodeWithSelector(IFaults.PromiseKept.selector, _id(cores[0])));
        this.accuse(cores[0]);
        vm.warp(cores[0].openBy + UNBONDING / 4 + 1);
        vm.expectRevert(abi.encodeWithSelector(IBatches.TooLate.selector, cores[0].openBy + UNBONDING / 4));
        this.accuse(cores[0]);
    }

    function test_aVoidLeafCommittedInTimeAnswersAPromise() public {
        DealCore[] memory cores = _one(64);
        cores[0].reserve = FUNDS; // the creator is short
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        eq(b.voided, 1, "void");
        vault.deposit(stranger, STAKE);
        vm.warp(cores[0].openBy + 1);
        this.accuse(cores[0]);
        bytes32 restHash = market.restHash(_restIn(cores[0].openBy));
        uint64 free = _free(solver);
        faults.answerPromise(cores[0].openBy, _opening(b, 0, proofs[0]), cores[0], restHash);
        eq(_free(solver), free + STAKE, "the accuser's stake");
        vm.warp(block.timestamp + UNBONDING / 8 + 1);
        vm.expectRevert();
        faults.concludePromise(solver, cores[0].openBy, cores[0], restHash);
    }

    function test_aVoidLeafCommittedAfterwardsAnswersNothing() public {
        DealCore[] memory cores = _one(64);
        cores[0].reserve = FUNDS;
        vault.deposit(stranger, STAKE);
        vm.warp(cores[0].openBy + 1);
        this.accuse(cores[0]);
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        bytes32 restHash = market.restHash(_restIn(cores[0].openBy));
        vm.expectRevert(abi.encodeWithSelector(IBatches.BadLeaf.selector, 0));
        faults.answerPromise(cores[0].openBy, _opening(b, 0, proofs[0]), cores[0], restHash);
    }

    function test_onlyTheSolversOwnPromiseCounts() public {
        DealCore memory core = _one(64)[0];
        vm.warp(core.openBy + 1);
        _expectRevert(bytes4(keccak256("BadSignature(address)")), solver);
        this.accuseWith(core, OTHER_KEY);
    }

    function test_aPromiseOfADealThatIsNoLeafCannotBeAccused() public {
        DealCore memory core = _one(64)[0];
        core.lane = 3;
        vm.warp(core.openBy + 1);
        vm.expectRevert(abi.encodeWithSelector(IFaults.NotBatched.selector, 3));
        this.accuse(core);
    }

    function test_aPromiseIsAccusedAfterItsTimeForAQuarterOfTheUnbonding() public {
        DealCore memory core = _one(64)[0];
        vault.deposit(stranger, STAKE);
        vm.warp(core.openBy);
        vm.expectRevert(abi.encodeWithSelector(IBatches.TooEarly.selector, core.openBy));
        this.accuse(core);
        vm.warp(core.openBy + UNBONDING / 4);
        this.accuse(core);
    }

    function test_aPromiseWithoutBothConsentsIsNoFault() public {
        DealCore memory core = _one(64)[0];
        bytes32 restHash = market.restHash(_restIn(core.openBy));
        bytes32 terms = market.termsDigest(core, _restIn(core.openBy));
        (Signature memory c, Signature memory p) = (_sign(CREATOR_KEY, terms), _sign(PROVIDER_KEY, terms));
        Signature memory promise_ = _promise(SOLVER_KEY, core, core.openBy);
        vm.warp(core.openBy + 1);
        _expectRevert(bytes4(keccak256("BadSignature(address)")), provider);
        faults.accusePromise(solver, core.openBy, promise_, core, restHash, c, c);
        _expectRevert(bytes4(keccak256("BadSignature(address)")), creator);
        faults.accusePromise(solver, core.openBy, promise_, core, restHash, p, p);
    }

    /// @dev The promise may end before the terms do; a void leaf answers it up to its own last second.
    function test_aVoidLeafAnswersThePromiseOfItsTime() public {
        uint64 promised = START + 50;
        DealCore[] memory cores = _one(64);
        cores[0].reserve = FUNDS;
        bytes32 restHash = market.restHash(_restIn(cores[0].openBy));
        vault.deposit(stranger, STAKE);
        for (uint64 late; late < 2; ++late) {
            uint256 id = vm.snapshotState();
            vm.warp(promised + late);
            (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
            vm.warp(promised + 1);
            _accuse(cores[0], SOLVER_KEY, promised);
            Opening memory opening = _opening(b, 0, proofs[0]);
            if (late == 1) vm.expectRevert(abi.encodeWithSelector(IBatches.BadLeaf.selector, 0));
            faults.answerPromise(promised, opening, cores[0], restHash);
            vm.revertToState(id);
        }
    }

    function test_aLeafOfNoBatchAnswersNoPromise() public {
        DealCore[] memory cores = _one(64);
        cores[0].reserve = FUNDS;
        (Batch memory b, bytes32[][] memory proofs) = _commit(0, cores);
        vault.deposit(stranger, STAKE);
        vm.warp(cores[0].openBy + 1);
        this.accuse(cores[0]);
        bytes32 restHash = market.restHash(_restIn(cores[0].openBy));
        b.expiry += 1;
        Opening memory forged = _opening(b, 0, proofs[0]);
        vm.expectRevert(abi.encodeWithSelector(IBatches.UnknownBatch.selector, batches.batchId(b)));
        faults.answerPromise(cores[0].openBy, forged, cores[0], restHash);
    }

    // ---- two reveals ----

    function test_twoRevealsForOneEpochCostTheWholeBond() public {
        (Reveal[2] memory reveals, Signature[2] memory sigs) = _twoReveals();
        _expectRevert(bytes4(keccak256("BadSignature(address)")), solver);
        faults.slashReveals(solver, 8, reveals, sigs);
        faults.slashReveals(solver, 7, reveals, sigs);
        eq(vault.bondOf(solver), 0, "all of it");
        eq(vault.pool(), FUNDS / 2, "to the pool");
        _expectAllSolvent();
        (reveals[1], sigs[1]) = (reveals[0], sigs[0]);
        _expectRevert(IFaults.SameReveal.selector);
        faults.slashReveals(solver, 7, reveals, sigs);
    }

    function test_revealsThatDifferInTheCertificateAloneAreTwo() public {
        (Reveal[2] memory reveals, Signature[2] memory sigs) = _twoReveals();
        reveals[1] = Reveal(reveals[0].solutionId, keccak256("other certificate"), reveals[0].salt);
        sigs[1] = _reveal(7, reveals[1]);
        faults.slashReveals(solver, 7, reveals, sigs);
        eq(vault.bondOf(solver), 0, "all of it");
    }

    function test_aPostingBesideARevealIsNoFault() public {
        (Reveal[2] memory reveals, Signature[2] memory sigs) = _twoReveals();
        reveals[1].salt = 0;
        sigs[1] = _reveal(7, reveals[1]);
        vm.expectRevert(abi.encodeWithSelector(IFaults.NotAReveal.selector, 1));
        faults.slashReveals(solver, 7, reveals, sigs);
    }

    function test_unbondingMoneyIsSlashedToo() public {
        vm.prank(solver);
        vault.startUnbond(FUNDS / 2);
        (Reveal[2] memory reveals, Signature[2] memory sigs) = _twoReveals();
        faults.slashReveals(solver, 7, reveals, sigs);
        eq(vault.account(solver).unbonding, 0, "gone");
    }

    // ---- external, so that one call is what reverts ----

    function disown(uint256 key, Batch memory b) external {
        _disown(key, b);
    }

    function accuse(DealCore memory core) external {
        this.accuseWith(core, SOLVER_KEY);
    }

    function accuseWith(DealCore memory core, uint256 solverKey) external {
        _accuse(core, solverKey, core.openBy);
    }

    function _accuse(DealCore memory core, uint256 solverKey, uint64 openBy) private {
        DealRest memory rest = _restIn(core.openBy);
        bytes32 terms = market.termsDigest(core, rest);
        Signature memory promise_ = _promise(solverKey, core, openBy);
        bytes32 restHash = market.restHash(rest);
        vm.prank(stranger);
        faults.accusePromise(
            solver, openBy, promise_, core, restHash, _sign(CREATOR_KEY, terms), _sign(PROVIDER_KEY, terms)
        );
    }

    function _promise(uint256 key, DealCore memory core, uint64 openBy) private view returns (Signature memory) {
        return _signStruct(
            key,
            abi.encode(
                keccak256("OpeningPromise(bytes32 dealId,bytes32 terms,address solver,uint64 openBy)"),
                _id(core),
                market.termsDigest(core, _restIn(core.openBy)),
                solver,
                openBy
            )
        );
    }

    function _disownKey(Batch memory b) private view returns (bytes32) {
        return keccak256(abi.encode(keccak256("Disown(bytes32 batch,uint256 leaf)"), batches.batchId(b), uint256(0)));
    }

    function answerDisown(Batch memory b, DealCore memory core, bytes32[] memory proof, uint256 creatorKey) external {
        DealRest memory rest = _restIn(core.openBy);
        bytes32 terms = market.termsDigest(core, rest);
        faults.answerDisown(
            _opening(b, 0, proof), core, market.restHash(rest), _sign(creatorKey, terms), _sign(PROVIDER_KEY, terms)
        );
    }

    function _one(uint64 jobNumber) private view returns (DealCore[] memory cores) {
        cores = new DealCore[](1);
        cores[0] = _leafCore(creator, jobNumber);
    }

    function _disown(uint256 key, Batch memory b) private {
        Signature memory signature = _signStruct(
            key, abi.encode(keccak256("Disown(bytes32 batch,uint256 leaf)"), batches.batchId(b), uint256(0))
        );
        faults.disown(b, 0, vm.addr(key), signature);
    }

    function _twoReveals() private view returns (Reveal[2] memory reveals, Signature[2] memory sigs) {
        reveals[0] = Reveal(keccak256("one"), keccak256("certificate"), keccak256("salt"));
        reveals[1] = Reveal(keccak256("other"), keccak256("certificate"), keccak256("salt"));
        (sigs[0], sigs[1]) = (_reveal(7, reveals[0]), _reveal(7, reveals[1]));
    }

    function _reveal(uint64 epoch, Reveal memory r) private view returns (Signature memory) {
        return _signStruct(
            SOLVER_KEY,
            abi.encode(
                keccak256(
                    "AuctionReveal(uint64 epoch,address solver,bytes32 solutionId,bytes32 certificateId,bytes32 salt)"
                ),
                epoch,
                solver,
                r.solutionId,
                r.certificateId,
                r.salt
            )
        );
    }
}
