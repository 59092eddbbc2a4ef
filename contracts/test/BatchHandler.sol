// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./BatchFixture.sol";

/// @dev Random traffic over batches, claimed leaves and direct deals. What it does never reverts; what
/// must be refused is tried and must fail. Sums that the contracts must hold are kept on the side.
contract BatchHandler is BatchFixture {
    struct Made {
        uint64 openBy;
        uint64 firstJob;
        uint64 price;
        uint64 reserve;
        uint8 leaves;
        bytes batch; // abi-encoded Batch with its proofs
    }

    struct Live {
        uint256 made; // of a claimed leaf; a direct deal stands in a batch that was never sent
        uint256 leaf;
        bool direct;
    }

    Made[] private _made;
    Live[] private _live;
    uint64 private _jobs = 64;
    mapping(bytes32 dealId => bool) private _locked;
    mapping(bytes32 dealId => bool) private _paid;
    uint256 public solverLocked; // unresolved leaves
    uint256 private _solverFree;

    error LockedTwice(bytes32 dealId);
    error PaidTwice(bytes32 dealId);
    error Succeeded(string what);

    constructor() {
        BatchFixture.setUp();
        _solverFree = _free(solver);
    }

    // ---- actions ----

    function commit(uint64 price, uint64 reserve, uint8 leaves, bool again) external {
        uint32 slot = uint32(_made.length % 4);
        (bytes32 id, uint256 resolved) = batches.slotOf(solver, slot);
        if (id != 0 && resolved != type(uint256).max) return;
        Made memory m;
        if (again && _made.length > 0) {
            m = _made[price % _made.length]; // the same leaves once more
            if (m.batch.length == 0) return;
        } else {
            m.firstJob = _jobs;
            _jobs += 4; // leaves of a batch stay in one nullifier word
            (m.price, m.reserve) = (price % (40 * LILY) + 1, reserve % (9 * LILY));
            m.openBy = uint64(block.timestamp) + 50;
            m.leaves = leaves % 3 + 1;
        }
        DealCore[] memory cores = _cores(m);
        (Batch memory b, bytes32[][] memory proofs) = _commit(slot, cores);
        m.batch = abi.encode(b, proofs);
        _made.push(m);
        for (uint256 i; i < cores.length; ++i) {
            if (b.voided >> i & 1 == 1) continue;
            _once(cores[i]);
            solverLocked += _sum(cores[i]);
        }
    }

    function settle(uint256 which, uint8 leaves, bool ofOther) external {
        if (_made.length == 0) return;
        (Batch memory b, bool there) = _batch(which % _made.length);
        if (!there) return;
        DealCore[] memory cores = _cores(_made[which % _made.length]);
        uint256 before = _resolved(b);
        uint64 free = _free(solver);
        _settle(ofOther ? OTHER_KEY : CREATOR_KEY, b, leaves);
        uint256 now_ = _resolved(b) & ~before;
        uint64 fees;
        for (uint256 i; i < cores.length; ++i) {
            if (now_ >> i & 1 == 0) continue;
            isTrue(leaves >> i & 1 == 1 && (cores[i].creator == other) == ofOther, "its creator's word");
            _payOnce(cores[i]);
            solverLocked -= _sum(cores[i]);
            fees += cores[i].fee;
        }
        eq(_free(solver), free + fees, "the solver's fee");
    }

    function claim(uint256 which, uint8 leaf) external {
        if (_made.length == 0) return;
        which %= _made.length;
        if (_made[which].batch.length == 0) return;
        (Batch memory b, bytes32[][] memory proofs) = abi.decode(_made[which].batch, (Batch, bytes32[][]));
        leaf = uint8(leaf % proofs.length);
        DealCore memory core = _cores(_made[which])[leaf];
        (bytes32 id, uint256 resolved) = batches.slotOf(solver, b.slot);
        bool legal = id == batches.batchId(b) && resolved >> leaf & 1 == 0 && block.timestamp <= b.expiry
            && b.committedAt <= core.openBy;
        if (!legal) {
            try this.tryClaim(b, leaf, core, proofs[leaf]) {
                revert Succeeded("claim");
            } catch {
                return;
            }
        }
        _claim(b, leaf, core, proofs[leaf]);
        _live.push(Live(which, leaf, false));
        solverLocked -= _sum(core);
    }

    /// @dev Claim and challenge in one call.
    function challengeLeaf(uint256 which, uint8 leaf) external {
        if (_made.length == 0) return;
        which %= _made.length;
        (Batch memory b, bool there) = _batch(which);
        if (!there) return;
        (, bytes32[][] memory proofs) = abi.decode(_made[which].batch, (Batch, bytes32[][]));
        leaf = uint8(leaf % proofs.length);
        DealCore memory core = _cores(_made[which])[leaf];
        DealRest memory rest = _restIn(core.openBy);
        if (_resolved(b) >> leaf & 1 == 1 || block.timestamp > b.expiry || b.committedAt > core.openBy) return;
        if (core.creator != creator || _free(creator) < _extra(core)) return;
        if (block.timestamp > rest.startBy + rest.submitSeconds + rest.judgeSeconds) return;
        _challengeLeaf(b, leaf, core, proofs[leaf]);
        _live.push(Live(which, leaf, false));
        solverLocked -= _sum(core);
    }

    function expire(uint256 which, uint8 leaves) external {
        if (_made.length == 0) return;
        (Batch memory b, bool there) = _batch(which % _made.length);
        if (!there || block.timestamp <= b.expiry) return;
        _expire(which % _made.length, b, leaves);
    }

    function open(uint64 price, bool lane) external {
        Made memory m;
        m.firstJob = _jobs;
        _jobs += 4;
        (m.openBy, m.leaves) = (uint64(block.timestamp) + 50, 1);
        m.price = price % (2 * LILY) + 1;
        DealCore memory core = _direct(m);
        core.lane = lane ? 1 : 0;
        (, State state) = market.lane(provider, core.lane);
        if (lane || (state != State.None && state < State.Settled)) return;
        if (_free(creator) < _sum(core) - core.collateral || _free(provider) < core.collateral) return;
        _made.push(m);
        _live.push(Live(_made.length - 1, 0, true));
        _once(core);
        _open(core, _restIn(core.openBy));
    }

    /// @dev One legal step of a claimed or direct deal.
    function step(uint256 which, uint8 choice) external {
        if (_live.length == 0) return;
        (DealCore memory core, DealRest memory rest) = _deal(which % _live.length);
        State state = market.stateOf(core, market.restHash(rest));
        if (state == State.Open || state == State.Submitted) {
            if (choice % 3 == 0) {
                _accept(core, rest);
                _payOnce(core);
            } else if (state == State.Open && choice % 3 == 1 && _mayStart()) {
                _submit(core, rest);
            } else if (state == State.Submitted && block.timestamp > market.submission(_id(core)).submittedAt + rest.judgeSeconds)
            {
                market.finalize(core, rest);
                _payOnce(core);
            } else if (state == State.Open && block.timestamp > _refundAfter(core, rest)) {
                market.refund(core, rest);
            }
        } else if (state == State.Challenged) {
            if (block.timestamp > _until(core, rest)) {
                court.timeoutReveal(core, _docket(rest));
            } else if (choice % 3 == 0) {
                _settle(core, rest);
                _payOnce(core);
            } else {
                _reveal(core, rest);
            }
        } else if (state == State.Drawn) {
            if (block.timestamp > _until(core, rest)) {
                _timeoutVerdict(core, rest);
            } else if (_panels[_id(core)].length == 0) {
                court.verdict(core, _docket(rest), _panel(core), new Answer[](0)); // nobody was eligible
            } else {
                _verdict(core, rest, choice % 3 + 1);
                if (choice % 3 == 0) _payOnce(core);
            }
        }
    }

    function pass(uint16 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 900);
    }

    function fund(uint64 amount, uint8 who) external {
        address account = who % 3 == 0 ? creator : who % 3 == 1 ? other : provider;
        vault.deposit(account, amount % (50 * LILY));
        _fund(account, amount % (50 * LILY));
    }

    // ---- for the invariants ----

    function check() external view {
        _expectAllSolvent();
        eq(vault.account(solver).locked, solverLocked, "the solver's locked is the sum of unresolved leaves");
        isTrue(_free(solver) >= _solverFree, "the solver never loses");
    }

    /// @dev Somebody who is no party can release every lock.
    function releaseAll() external {
        vm.warp(block.timestamp + 100 * UNBONDING);
        uint256 escrow;
        for (uint256 i; i < _made.length; ++i) {
            if (_made[i].batch.length == 0) continue;
            (Batch memory b, bool there) = _batch(i);
            if (there) _expire(i, b, type(uint8).max);
        }
        eq(solverLocked, 0, "all leaves released");
        for (uint256 i; i < _live.length; ++i) {
            (DealCore memory core, DealRest memory rest) = _deal(i);
            State state = market.stateOf(core, market.restHash(rest));
            if (state == State.Open || state == State.Submitted) escrow += _sum(core);
            else if (state == State.Challenged || state == State.Drawn) escrow += _sum(core) + _extra(core);
        }
        eq(vault.account(provider).locked, escrow, "the provider's locked is the sum of live deals");
        for (uint256 i; i < _live.length; ++i) {
            (DealCore memory core, DealRest memory rest) = _deal(i);
            State state = market.stateOf(core, market.restHash(rest));
            vm.startPrank(address(0xdead));
            if (state == State.Open) market.refund(core, rest);
            else if (state == State.Submitted) market.finalize(core, rest);
            else if (state == State.Challenged) court.timeoutReveal(core, _docket(rest));
            else if (state == State.Drawn) _exhaust(core, rest);
            vm.stopPrank();
        }
        eq(vault.account(provider).locked, 0, "all deals released");
        this.check();
    }

    function tryClaim(Batch memory b, uint256 leaf, DealCore memory core, bytes32[] memory proof) external {
        _claim(b, leaf, core, proof);
    }

    // ---- helpers ----

    function _cores(Made memory m) private view returns (DealCore[] memory cores) {
        cores = new DealCore[](m.leaves);
        for (uint256 i; i < m.leaves; ++i) {
            cores[i] = _leafCore(i % 2 == 0 ? creator : other, m.firstJob + uint64(i));
            cores[i].price = m.price;
            cores[i].fee = m.price / 20;
            cores[i].collateral = m.price * 5 / 2 + 1;
            cores[i].reserve = m.reserve;
            cores[i].openBy = m.openBy;
        }
    }

    function _direct(Made memory m) private view returns (DealCore memory core) {
        core = _cores(m)[0];
        core.lane = 0;
    }

    function _deal(uint256 i) private view returns (DealCore memory core, DealRest memory rest) {
        Live memory l = _live[i];
        core = l.direct ? _direct(_made[l.made]) : _cores(_made[l.made])[l.leaf];
        rest = _restIn(core.openBy);
    }

    function _batch(uint256 i) private view returns (Batch memory b, bool there) {
        if (_made[i].batch.length == 0) return (b, false);
        (b,) = abi.decode(_made[i].batch, (Batch, bytes32[][]));
        (bytes32 id,) = batches.slotOf(solver, b.slot);
        there = id == batches.batchId(b);
    }

    function _expire(uint256 which, Batch memory b, uint256 leaves) private {
        DealCore[] memory cores = _cores(_made[which]);
        uint256 released = leaves & ~_resolved(b);
        vm.prank(address(0xdead));
        batches.expire(b, leaves);
        for (uint256 i; i < cores.length; ++i) {
            if (released >> i & 1 == 1) solverLocked -= _sum(cores[i]);
        }
    }

    /// @dev What a challenge takes from free money.
    function _extra(DealCore memory core) private pure returns (uint64) {
        return CLAIM_FEE + AUDIT_FEE > core.reserve ? CLAIM_FEE + AUDIT_FEE - core.reserve : 0;
    }

    function _challengeLeaf(Batch memory b, uint256 leaf, DealCore memory core, bytes32[] memory proof) private {
        DealRest memory rest = _restIn(core.openBy);
        bytes32 digest = market.termsDigest(core, rest);
        court.challengeLeaf(
            _opening(b, leaf, proof),
            core,
            rest,
            _sign(CREATOR_KEY, digest),
            _sign(PROVIDER_KEY, digest),
            _complaint(core, MANIFEST, 1)
        );
    }

    function _accept(DealCore memory core, DealRest memory rest) private {
        uint256 key = core.creator == creator ? CREATOR_KEY : OTHER_KEY;
        market.settle(core, market.restHash(rest), MANIFEST, _acceptance(key, core, MANIFEST));
    }

    function _submit(DealCore memory core, DealRest memory rest) internal override {
        if (core.creator != creator) return;
        StartReceipt memory receipt = _receipt(core);
        uint256 by = uint256(receipt.startedAt) + rest.submitSeconds;
        uint256 grace = uint256(market.claimedAt(core, market.restHash(rest))) + rest.challengeSeconds;
        if (core.lane == BATCHED && grace > by) by = grace;
        if (block.timestamp <= by) super._submit(core, rest);
    }

    function _refundAfter(DealCore memory core, DealRest memory rest) private view returns (uint256 after_) {
        after_ = uint256(rest.startBy) + rest.submitSeconds;
        uint256 grace = uint256(market.claimedAt(core, market.restHash(rest))) + rest.challengeSeconds;
        if (core.lane == BATCHED && grace > after_) after_ = grace;
        after_ += rest.judgeSeconds;
    }

    function _mayStart() private view returns (bool) {
        return block.timestamp >= START + 10;
    }

    function _once(DealCore memory core) private {
        bytes32 id = _id(core);
        if (_locked[id]) revert LockedTwice(id);
        _locked[id] = true;
    }

    function _payOnce(DealCore memory core) private {
        bytes32 id = _id(core);
        if (_paid[id]) revert PaidTwice(id);
        _paid[id] = true;
    }
}
