// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./CoalitionCalls.sol";
import {Channel, Reservation, Voucher} from "../src/interfaces/IVouchers.sol";

/// @dev One honest party, drawn by the first call, against all others in one coalition. The coalition makes any call at
/// any time, with its own signatures and those that the honest party gave; the honest party does what protocol/ asks of
/// it before each step of time. What is refused is caught. `owed` is what the honest party may have lost by the rules.
contract CoalitionHandler is CoalitionCalls {
    uint8 private constant _CREATOR = 1;
    uint8 private constant _PROVIDER = 2;
    uint8 private constant _SOLVER = 3;
    uint8 private constant _MEDIATOR = 4;
    uint256 private constant _MOST_JOBS = 6;
    uint256 private constant _HOT_KEY = 0x407;
    uint32 private constant _CLOSE = 3600;

    uint8 public honest;
    uint256 private _honestBefore;
    uint256 private _othersBefore;
    uint64 private _poolBefore;
    uint64 private _signed; // highest voucher of the channel from creator to provider
    uint64 private _earlier; // the same of the channels before it
    uint64 private _nonce = 1; // of the channel
    /// @dev How often each call went through; a test asserts that all do.
    mapping(bytes4 call => uint256) public went;

    error GainedTooMuch(uint8 honest, uint256 had, uint256 has, uint256 owed);

    constructor() {
        BatchFixture.setUp();
        vault.deposit(creator, 4 * FUNDS);
        vault.deposit(provider, 4 * FUNDS);
        vault.deposit(stranger, FUNDS);
    }

    // ---- actions ----

    function offer(uint256 seed) external {
        _cast(seed);
        if (jobs.length == _MOST_JOBS) return;
        Job memory j;
        j.price = uint64((seed >> 8) % 20 + 1) * LILY;
        j.reserve = uint64((seed >> 16) % 40) * LILY;
        j.openBy = uint64(block.timestamp) + 100;
        j.direct = seed >> 24 & 3 == 0;
        j.right = honest == _PROVIDER || seed >> 26 & 1 == 0;
        bool isHarsh = honest == _CREATOR || honest == _PROVIDER;
        j.isSigned = j.direct || !isHarsh || seed >> 27 & 3 != 0;
        if (!j.direct && seed >> 29 & 3 == 0) j.reserve = FUNDS; // nobody's session covers it: void
        j.promised = !j.direct && j.isSigned && seed >> 31 & 1 == 0;
        jobs.push(j);
        uint256 i = jobs.length - 1;
        if (honest != _CREATOR && seed >> 40 & 7 == 0) _try(abi.encodeCall(this.doNullify, (i)));
        if (j.direct) _try(abi.encodeCall(this.doOpen, (i)));
        else if (honest == _SOLVER || seed >> 32 & 3 != 0) _try(abi.encodeCall(this.doCommit, (i)));
    }

    /// @dev Something that the coalition does about a job.
    function act(uint256 seed) external {
        _cast(seed);
        if (jobs.length == 0) return;
        uint256 i = (seed >> 8) % jobs.length;
        Job storage j = jobs[i];
        uint256 what = (seed >> 16) % 24;
        // Anything at any time, but mostly what brings a job into a dispute and on: few get so far.
        State state = stateOf(i);
        if (seed >> 48 & 1 != 0 && !j.delivered) what = j.startedAt == 0 ? 0 : 3;
        else if (seed >> 48 & 3 != 0 && state == State.Challenged) what = j.price / LILY % 2 == 0 ? 16 : 14;
        else if (seed >> 48 & 3 != 0 && state == State.Drawn) what = j.price / LILY % 3 == 0 ? 17 : 15;
        if (what < 3) _start(i);
        else if (what < 5) _deliver(i);
        else if (what < 7) _tryIf(honest != _CREATOR, abi.encodeCall(this.doAccept, (i)));
        else if (what == 7) _tryIf(j.isSigned, abi.encodeCall(this.doClaim, (i)));
        else if (what == 8) _tryIf(j.startedAt != 0 && honest != _PROVIDER, abi.encodeCall(this.doSubmit, (i)));
        else if (what == 9) _try(abi.encodeCall(this.doFinalize, (i)));
        else if (what == 10) _try(abi.encodeCall(this.doRefund, (i)));
        else if (what == 11) _tryIf(j.startedAt != 0, abi.encodeCall(this.doTimeoutSubmit, (i)));
        else if (what == 12) _try(abi.encodeCall(this.doExpire, (i)));
        else if (what == 13) _tryIf(honest != _CREATOR && j.delivered && j.isSigned, abi.encodeCall(this.doChallenge, (i)));
        else if (what == 14) _tryIf(honest != _PROVIDER, abi.encodeCall(this.doReveal, (i)));
        else if (what == 15) _tryIf(!_honestSits(i), abi.encodeCall(this.doVerdict, (i, uint8(seed >> 32) % 3 + 1)));
        else if (what == 16) _try(abi.encodeCall(this.doTimeoutReveal, (i)));
        else if (what == 17) _try(abi.encodeCall(this.doTimeoutVerdict, (i)));
        else if (what == 18) _disownBy(i, seed >> 32 & 1 == 0 ? CREATOR_KEY : PROVIDER_KEY);
        else if (what == 19) _tryIf(j.isSigned, abi.encodeCall(this.doAnswerDisown, (i)));
        else if (what == 20) _try(abi.encodeCall(this.doConcludeDisown, (i)));
        else if (what == 21) _tryIf(j.promised, abi.encodeCall(this.doAccuse, (i, stranger)));
        else if (what == 22) _tryIf(j.isSigned, abi.encodeCall(this.doAnswerPromise, (i)));
        else _try(abi.encodeCall(this.doConcludePromise, (i)));
    }

    /// @dev The creator pays the provider by vouchers too.
    function stream(uint256 seed) external {
        _cast(seed);
        Channel memory c = vouchers.channelOf(creator, provider);
        uint256 what = seed % 8;
        if (c.until == 0) {
            if (c.nonce == _nonce) (_earlier, _signed, _nonce) = (_earlier + _signed, 0, _nonce + 1);
            uint64 expiry = uint64(block.timestamp + _CLOSE + (seed >> 8) % 3000);
            Reservation memory r =
                Reservation(creator, provider, vm.addr(_HOT_KEY), 30 * LILY, _nonce, expiry, _CLOSE);
            _tryIf(what < 3, abi.encodeCall(this.doReserve, (r)));
        } else if (what < 4) {
            // The payee looks before it takes; a creator that is honest signs no more than it reserved.
            bool isTaken = !c.isClosing && c.until >= block.timestamp + _CLOSE;
            if ((honest == _PROVIDER || honest == _CREATOR) && !isTaken) return;
            if (_signed + LILY <= c.reserved) _signed += LILY;
        } else if (what == 4) {
            uint64 amount = honest == _CREATOR ? _signed : uint64(seed >> 8);
            _try(abi.encodeCall(this.doRedeem, (amount)));
        } else if (what == 5) {
            _tryIf(honest != _CREATOR || block.timestamp + 600 > c.until, abi.encodeCall(this.doStartClose, ()));
        } else {
            _try(abi.encodeCall(this.doClose, (what == 6 && honest != _PROVIDER)));
        }
    }

    /// @dev A solver in the coalition signs two reveals of one epoch; an honest one signs one an epoch.
    function reveals(uint256 seed) external {
        _cast(seed);
        if (seed >> 8 & 7 != 0 && honest != _SOLVER) return; // rare: it ends the solver
        bytes32[2] memory ids = [keccak256("one"), keccak256("other")];
        if (honest == _SOLVER) {
            _try(abi.encodeCall(this.doSlashReveals, ([uint64(7), 8], ids)));
            _try(abi.encodeCall(this.doSlashReveals, ([uint64(7), 7], [ids[0], ids[0]])));
        } else {
            _try(abi.encodeCall(this.doSlashReveals, ([uint64(7), 7], ids)));
        }
    }

    function pass(uint16 seconds_) external {
        if (honest == 0) return;
        vm.warp(block.timestamp + seconds_ % 120);
        _tend();
    }

    // ---- what the honest party does ----

    function _tend() private {
        for (uint256 i; i < jobs.length; ++i) {
            State state = stateOf(i);
            (, bool waits) = leafOf(i);
            if (honest == _CREATOR) _tendCreator(i, state, waits);
            else if (honest == _PROVIDER) _tendProvider(i, state, waits);
            else if (honest == _SOLVER) _tendSolver(i);
            else if (_honestSits(i)) _try(abi.encodeCall(this.doVerdict, (i, jobs[i].right ? 1 : 2)));
            if (waits) _try(abi.encodeCall(this.doExpire, (i)));
            else if (state == State.Drawn) _try(abi.encodeCall(this.doTimeoutVerdict, (i)));
        }
        Channel memory c = vouchers.channelOf(creator, provider);
        if (c.until != 0 && honest == _PROVIDER && (c.isClosing || block.timestamp + 300 > c.until)) {
            if (_signed > c.paid) _try(abi.encodeCall(this.doRedeem, (_signed)));
        }
        if (c.until != 0 && block.timestamp > c.until) _try(abi.encodeCall(this.doClose, (false)));
    }

    function _tendCreator(uint256 i, State state, bool waits) private {
        Job storage j = jobs[i];
        if (!j.isSigned) return _tendDisowned(i, CREATOR_KEY, waits);
        if (j.promised && j.batch.length == 0) {
            _try(abi.encodeCall(this.doAccuse, (i, creator)));
            _try(abi.encodeCall(this.doConcludePromise, (i)));
        }
        bool isOpen = waits || state == State.Open || state == State.Submitted;
        if (j.delivered && isOpen) {
            if (j.right) _try(abi.encodeCall(this.doAccept, (i)));
            else _try(abi.encodeCall(this.doChallenge, (i)));
        } else if (state == State.Open) {
            if (j.startedAt != 0) _try(abi.encodeCall(this.doTimeoutSubmit, (i)));
            else _try(abi.encodeCall(this.doRefund, (i)));
        } else if (state == State.Challenged) {
            _try(abi.encodeCall(this.doTimeoutReveal, (i)));
        }
    }

    function _tendProvider(uint256 i, State state, bool waits) private {
        Job storage j = jobs[i];
        if (!j.isSigned) return _tendDisowned(i, PROVIDER_KEY, waits);
        if (j.startedAt == 0) return;
        if (waits) _try(abi.encodeCall(this.doClaim, (i)));
        if (waits || state == State.Open) _try(abi.encodeCall(this.doSubmit, (i)));
        else if (state == State.Submitted) _try(abi.encodeCall(this.doFinalize, (i)));
        else if (state == State.Challenged) _try(abi.encodeCall(this.doReveal, (i)));
    }

    function _tendSolver(uint256 i) private {
        if (jobs[i].batch.length == 0) return;
        if (faults.accusation(_keyOfLeaf(i)).claimant != address(0)) _try(abi.encodeCall(this.doAnswerDisown, (i)));
        if (faults.accusation(_keyOfPromise(i)).claimant != address(0)) _try(abi.encodeCall(this.doAnswerPromise, (i)));
    }

    /// @dev A lock of the honest party's money that it never consented to.
    function _tendDisowned(uint256 i, uint256 key, bool waits) private {
        if (!waits) return;
        if (faults.accusation(_keyOfLeaf(i)).answerBy == 0) _try(abi.encodeCall(this.doDisown, (i, key)));
        else _try(abi.encodeCall(this.doConcludeDisown, (i)));
    }

    // ---- whose word it takes ----

    /// @dev Both sign the receipt: an honest party only for a deal that is there, in time.
    function _start(uint256 i) private {
        Job storage j = jobs[i];
        (, bool waits) = leafOf(i);
        if (j.startedAt != 0 || !j.isSigned || block.timestamp > j.openBy + 100) return;
        if (waits || stateOf(i) == State.Open) j.startedAt = uint64(block.timestamp);
    }

    function _deliver(uint256 i) private {
        if (jobs[i].startedAt != 0 && honest != _PROVIDER) jobs[i].delivered = true;
    }

    /// @dev An honest party disowns by itself, and only what it did not sign.
    function _disownBy(uint256 i, uint256 key) private {
        if (honest == (key == CREATOR_KEY ? _CREATOR : _PROVIDER)) return;
        _try(abi.encodeCall(this.doDisown, (i, key)));
    }

    /// @dev The honest mediator is the first of the list.
    function _honestSits(uint256 i) private view returns (bool) {
        if (honest != _MEDIATOR || stateOf(i) != State.Drawn) return false;
        address[] memory panel = _panels[_id(coreOf(i))];
        return panel.length > 0 && panel[0] == vm.addr(MEDIATOR_KEY);
    }

    function doReserve(Reservation calldata r) external onlySelf {
        vm.prank(creator);
        vouchers.reserve(r, "");
    }

    function doRedeem(uint64 amount) external onlySelf {
        Voucher memory v = Voucher(creator, provider, _nonce, amount);
        bytes memory words =
            abi.encode(keccak256("Voucher(address payer,address payee,uint64 nonce,uint64 amount)"), v);
        vouchers.redeem(v, _signStruct(_HOT_KEY, words));
    }

    function doStartClose() external onlySelf {
        vm.prank(creator);
        vouchers.startClose(creator, provider, _nonce, "");
    }

    function doClose(bool byPayee) external onlySelf {
        vm.prank(byPayee ? provider : stranger);
        vouchers.close(creator, provider, _nonce, "");
    }

    // ---- for the invariants ----

    function check() external view {
        _expectAllSolvent();
        isTrue(vault.pool() >= _poolBefore, "the pool never pays");
        if (honest == _SOLVER || honest == _MEDIATOR) {
            // Escrow of others stands in `locked`; a stake of the honest party does not occur.
            uint256 has = _own(_honestAccount());
            if (has < _honestBefore) revert GainedTooMuch(honest, _honestBefore, has, 0);
        }
    }

    /// @dev Time goes by until everything is over; then each side's money is held against what was owed.
    function endAll() external {
        if (honest == 0) return;
        // Time goes in large steps now; a payee that looks so rarely redeems before.
        if (honest == _PROVIDER) _try(abi.encodeCall(this.doRedeem, (_signed)));
        for (uint256 round; round < 40; ++round) {
            _tend();
            for (uint256 i; i < jobs.length; ++i) {
                _end(i);
            }
            vm.warp(block.timestamp + (round < 20 ? 200 : UNBONDING));
        }
        _tend();
        address[8] memory all = _everybody();
        uint256 others;
        for (uint256 k; k < all.length; ++k) {
            eq(vault.account(all[k]).locked, 0, "nothing is left in escrow");
            if (all[k] != _honestAccount()) others += _all(all[k]);
        }
        (uint256 has, uint256 owed) = (_all(_honestAccount()), _owed());
        if (has + owed < _honestBefore) revert GainedTooMuch(honest, _honestBefore, has, owed);
        isTrue(others <= _othersBefore + owed, "the coalition has no more than it was owed");
        if (honest == _PROVIDER) isTrue(has >= _honestBefore + _earned() - owed, "what was earned came");
        _expectAllSolvent();
    }

    /// @dev What strangers may do once a deadline is over.
    function _end(uint256 i) private {
        State state = stateOf(i);
        if (state == State.Open) _try(abi.encodeCall(this.doRefund, (i)));
        else if (state == State.Submitted) _try(abi.encodeCall(this.doFinalize, (i)));
        else if (state == State.Challenged) _try(abi.encodeCall(this.doTimeoutReveal, (i)));
        else if (state == State.Drawn) _try(abi.encodeCall(this.doTimeoutVerdict, (i)));
        if (faults.accusation(_keyOfPromise(i)).claimant != address(0)) _try(abi.encodeCall(this.doConcludePromise, (i)));
        if (jobs[i].batch.length == 0) return;
        if (faults.accusation(_keyOfLeaf(i)).claimant != address(0)) _try(abi.encodeCall(this.doConcludeDisown, (i)));
    }

    /// @dev By the rules, and no more: a creator pays for right work, and where mediators on both sides' lists say so;
    /// a provider loses collateral where they say so; a solver and a mediator never lose.
    function _owed() private view returns (uint256 owed) {
        if (honest == _CREATOR) owed = _earlier + _signed;
        for (uint256 i; i < jobs.length; ++i) {
            Job storage j = jobs[i];
            State state = stateOf(i);
            DealCore memory core = coreOf(i);
            bool isLost = state == State.MediationAccepted || state == State.MediationRejected;
            if (honest == _CREATOR && j.isSigned) {
                if (j.right && j.delivered) owed += core.price + core.fee;
                else if (j.challenged && state == State.MediationAccepted) owed += core.price + core.fee + CLAIM_FEE + AUDIT_FEE;
                else if (j.challenged && !isLost) owed += CLAIM_FEE + AUDIT_FEE;
                // Who wins bears what of the mediators' fee the loser's collateral does not cover.
                else if (j.challenged && core.collateral < AUDIT_FEE) owed += AUDIT_FEE - core.collateral;
            } else if (honest == _PROVIDER && j.challenged && state == State.MediationRejected) {
                owed += core.collateral;
            }
        }
    }

    /// @dev What an honest provider's work and vouchers bring at least.
    function _earned() private view returns (uint256 earned) {
        earned = _earlier + _signed;
        for (uint256 i; i < jobs.length; ++i) {
            State state = stateOf(i);
            bool isPaid = state == State.Settled || state == State.MediationAccepted || jobs[i].paid;
            if (jobs[i].delivered && !jobs[i].challenged) isTrue(isPaid, "unchallenged work is paid");
            if (jobs[i].delivered && isPaid) earned += jobs[i].price;
        }
    }

    function _cast(uint256 seed) private {
        if (honest != 0) return;
        honest = uint8(seed % 4) + 1;
        address[8] memory all = _everybody();
        for (uint256 k; k < all.length; ++k) {
            if (all[k] == _honestAccount()) _honestBefore = _all(all[k]);
            else _othersBefore += _all(all[k]);
        }
    }

    function _honestAccount() private view returns (address) {
        if (honest == _CREATOR) return creator;
        if (honest == _PROVIDER) return provider;
        return honest == _SOLVER ? solver : vm.addr(MEDIATOR_KEY);
    }

    function _everybody() private view returns (address[8] memory) {
        address m = vm.addr(MEDIATOR_KEY);
        return [creator, provider, solver, stranger, other, m, vm.addr(MEDIATOR_KEY + 1), vm.addr(MEDIATOR_KEY + 2)];
    }

    /// @dev All but escrow.
    function _own(address who) private view returns (uint256) {
        Account memory a = vault.account(who);
        return uint256(a.free) + a.bond + a.unbonding;
    }

    function _all(address who) private view returns (uint256) {
        return _own(who) + vault.account(who).locked + _funds(who);
    }

    function _tryIf(bool isPossible, bytes memory call) private {
        if (isPossible) _try(call);
    }

    function _try(bytes memory call) private {
        (bool isDone,) = address(this).call(call);
        if (isDone) ++went[bytes4(call)];
    }
}
