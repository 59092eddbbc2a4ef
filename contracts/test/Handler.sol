// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Fixture.sol";

/// @dev Random but legal traffic: what it does never reverts, so that fail_on_revert may be true and
/// no bug hides behind a revert of the handler itself.
contract Handler is Fixture {
    DealCore[] private _cores;
    mapping(uint256 deal => uint256) private _variants;
    uint64 private _jobs;

    constructor() {
        Fixture.setUp();
    }

    // ---- actions ----

    function open(uint64 price, uint64 reserve, uint8 lane, uint8 variant) external {
        DealCore memory core = _core(++_jobs);
        core.lane = lane % 4;
        core.price = price % (50 * LILY);
        core.collateral = core.price * 5 / 2 + 1;
        core.fee = core.price / 20;
        core.reserve = reserve % (60 * LILY);
        core.feeTo = variant & 4 == 0 ? solver : address(0);
        core.openBy = uint64(block.timestamp);
        (, State state) = market.lane(provider, core.lane);
        if (state != State.None && state < State.Settled) return;
        if (_free(creator) < core.price + core.fee + core.reserve || _free(provider) < core.collateral) return;
        _variants[_cores.length] = variant;
        _cores.push(core);
        _open(core, rest(_cores.length - 1));
    }

    /// @dev One legal step of one deal, chosen by `choice` among those its state and the time allow.
    function step(uint256 deal, uint8 choice) external {
        if (_cores.length == 0) return;
        deal %= _cores.length;
        DealCore memory core = _cores[deal];
        DealRest memory rest_ = rest(deal);
        State state = _stateOf(core, rest_);
        uint64 opened = core.openBy;
        uint64 extra = CLAIM_FEE + AUDIT_FEE > core.reserve ? CLAIM_FEE + AUDIT_FEE - core.reserve : 0;
        bool mayChallenge = _free(creator) >= extra && rest_.mediatorRoot != 0;
        if (state == State.Open) {
            bool inSubmit = block.timestamp <= opened + rest_.submitSeconds;
            if (choice % 4 == 0) _settle(core, rest_);
            else if (choice % 4 == 1 && mayChallenge && block.timestamp <= _refundAfter(rest_)) _challenge(core, rest_);
            else if (inSubmit) _submitAt(core, rest_, opened);
            else if (choice % 4 == 2) _slashAt(core, rest_, opened);
            else if (block.timestamp > _refundAfter(rest_)) market.refund(core, rest_);
        } else if (state == State.Submitted) {
            uint64 judgeBy = market.submission(_id(core)).submittedAt + rest_.judgeSeconds;
            if (choice % 3 == 0) _settle(core, rest_);
            else if (block.timestamp > judgeBy) market.finalize(core, rest_);
            else if (mayChallenge) _challenge(core, rest_);
        } else if (state == State.Challenged) {
            if (choice % 3 == 0) {
                _settle(core, rest_);
            } else if (block.timestamp > _until(core, rest_)) {
                court.timeoutReveal(core, _docket(rest_));
            } else {
                _reveal(core, rest_);
            }
        } else if (state == State.Drawn) {
            if (block.timestamp > _until(core, rest_)) {
                _timeoutVerdict(core, rest_);
            } else if (_panels[_id(core)].length != 0) {
                _verdict(core, rest_, choice % 3 + 1);
            } else {
                court.verdict(core, _docket(rest_), _panel(core), new Answer[](0)); // nobody was eligible
            }
        }
    }

    function pass(uint16 passed) external {
        vm.warp(block.timestamp + passed % 400);
    }

    function deposit(uint64 amount, bool asProvider) external {
        vault.deposit(asProvider ? provider : creator, amount % FUNDS);
    }

    function withdraw(uint64 amount, bool asProvider) external {
        address who = asProvider ? provider : creator;
        amount = amount % (_free(who) + 1);
        vm.prank(who);
        vault.withdraw(stranger, amount);
    }

    function bond(uint64 amount, uint8 who, uint8 what) external {
        address m = vm.addr(MEDIATOR_KEY + who % 3);
        Account memory a = vault.account(m);
        if (what % 3 == 0) {
            vm.prank(m);
            vault.addBond(amount % (a.free + 1));
        } else if (what % 3 == 1 && a.bond > 0) {
            vm.prank(m);
            vault.startUnbond(amount % a.bond + 1);
        } else if (a.unbonding > 0 && block.timestamp >= vault.unbondAt(m)) {
            vm.prank(m);
            vault.finishUnbond();
        }
    }

    // ---- for the invariants ----

    function rest(uint256 deal) public view returns (DealRest memory r) {
        r = _rest();
        r.startBy = _cores[deal].openBy + 50;
        if (_variants[deal] & 1 == 1) r.mediatorRoot = 0;
        if (_variants[deal] & 2 == 2) r.challengeSeconds = type(uint32).max;
    }

    function solvent() external view {
        _expectSolvent();
    }

    /// @dev Every nLILY in escrow belongs to exactly one live deal.
    function escrowsAddUp() external view {
        uint256 sum;
        for (uint256 i; i < _cores.length; ++i) {
            DealCore memory core = _cores[i];
            State state = _stateOf(core, rest(i));
            if (state == State.None || state >= State.Settled) continue;
            sum += uint256(core.price) + core.fee + core.reserve + core.collateral;
            if (state < State.Challenged) continue;
            uint64 costs = CLAIM_FEE + AUDIT_FEE;
            if (costs > core.reserve) sum += costs - core.reserve;
        }
        eq(vault.account(provider).locked, sum, "locked is the sum of live escrows");
    }

    /// @dev Every lock can be released by somebody who is no party, once time has passed.
    function releaseAll() external {
        vm.warp(block.timestamp + 100 * UNBONDING);
        for (uint256 i; i < _cores.length; ++i) {
            DealCore memory core = _cores[i];
            DealRest memory r = rest(i);
            State state = _stateOf(core, r);
            vm.startPrank(address(0xdead));
            if (state == State.Open) market.refund(core, r);
            else if (state == State.Submitted) market.finalize(core, r);
            else if (state == State.Challenged) court.timeoutReveal(core, _docket(r));
            else if (state == State.Drawn) _exhaust(core, r);
            vm.stopPrank();
        }
        eq(vault.account(provider).locked, 0, "everything released");
        _expectSolvent();
    }

    function _refundAfter(DealRest memory r) private pure returns (uint64) {
        return r.startBy + r.submitSeconds + r.judgeSeconds;
    }

    function _submitAt(DealCore memory core, DealRest memory r, uint64 startedAt) private {
        StartReceipt memory receipt = StartReceipt(_id(core), keccak256("inputs"), bytes32(0), startedAt);
        ResultCommit memory result = ResultCommit(_id(core), MANIFEST, OUTPUTS);
        market.submit(
            core,
            r,
            receipt,
            _signReceipt(CREATOR_KEY, receipt),
            _signReceipt(PROVIDER_KEY, receipt),
            result,
            _signResult(PROVIDER_KEY, result)
        );
    }

    function _slashAt(DealCore memory core, DealRest memory r, uint64 startedAt) private {
        StartReceipt memory receipt = StartReceipt(_id(core), keccak256("inputs"), bytes32(0), startedAt);
        market.timeoutSubmit(core, r, receipt, _signReceipt(CREATOR_KEY, receipt), _signReceipt(PROVIDER_KEY, receipt));
    }
}
