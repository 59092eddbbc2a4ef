// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Fixture.sol";

/// @dev Random but legal traffic: what it does never reverts, so that fail_on_revert may be true and
/// no bug hides behind a revert of the handler itself.
contract Handler is Fixture {
    DealCore[] private _cores;
    mapping(uint256 deal => uint256) private _variants;
    uint64 private _jobs;
    address private constant _JUDGE = address(0x1D6E);
    /// @dev What a case's calls bring once it is ruled.
    mapping(bytes32 dealId => Ruling) private _rulings;
    uint64 private _paidIn; // by creator and provider
    uint64 private _takenOut; // by them: more than they paid in where mediators were silent
    uint64 private _challenged; // deals that were ever disputed
    uint64 private _poolBefore;
    uint64 private _solverBefore;

    constructor() {
        Fixture.setUp();
        for (uint256 i; i < 3; ++i) {
            vault.deposit(vm.addr(MEDIATOR_KEY + i), 10 * MIN_BOND);
        }
        _paidIn = 2 * FUNDS;
    }

    function _judge() internal pure override returns (address) {
        return _JUDGE;
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
            else if (choice % 4 == 1 && mayChallenge && block.timestamp <= _refundAfter(rest_)) _complain(core, rest_);
            else if (inSubmit) _submitAt(core, rest_, opened);
            else if (choice % 4 == 2) _slashAt(core, rest_, opened);
            else if (block.timestamp > _refundAfter(rest_)) market.refund(core, rest_);
        } else if (state == State.Submitted) {
            uint64 judgeBy = market.submission(_id(core)).submittedAt + rest_.judgeSeconds;
            if (choice % 3 == 0) _settle(core, rest_);
            else if (block.timestamp > judgeBy) market.finalize(core, rest_);
            else if (mayChallenge) _complain(core, rest_);
        } else if (state == State.Challenged) {
            if (choice % 3 == 0) {
                _settle(core, rest_);
            } else if (block.timestamp > _until(core, rest_)) {
                court.timeoutReveal(core, _docket(rest_));
            } else {
                _reveal(core, rest_);
            }
        } else if (state == State.Drawn) {
            _dispute(core, rest_, choice);
        }
    }

    /// @dev A step of a dispute whose mediators are drawn: a verdict, silence, an appeal, the judge, payment.
    function _dispute(DealCore memory core, DealRest memory r, uint8 choice) private {
        uint256 word = market.caseOf(market.termsDigest(core, r));
        bool over = block.timestamp > CaseWord.until(word);
        Ruling storage ruling = _rulings[_id(core)];
        if (CaseWord.phase(word) == CaseWord.SITTING) {
            if (over) _silence(core, r, word);
            else _vote(core, r, word, choice);
        } else if (over) {
            court.conclude(core, _docket(r), ruling);
        } else if (CaseWord.phase(word) == CaseWord.APPEALED) {
            Docket memory docket = _docket(r);
            vm.prank(_JUDGE);
            court.judge(core, docket, ruling, choice % 3 + 1);
        } else {
            uint256 key = choice & 1 == 0 ? CREATOR_KEY : PROVIDER_KEY;
            if (choice % 4 < 2 || _free(vm.addr(key)) < MIN_BOND) return;
            Signature memory sig = _signStruct(key, abi.encode(keccak256("Appeal(bytes32 dealId)"), _id(core)));
            court.appeal(core, _docket(r), ruling, vm.addr(key), sig);
            ruling.appellant = vm.addr(key);
        }
    }

    function _complain(DealCore memory core, DealRest memory r) private {
        _challenge(core, r);
        ++_challenged;
    }

    function _vote(DealCore memory core, DealRest memory r, uint256 word, uint8 choice) private {
        address[] memory panel = _panels[_id(core)];
        if (panel.length == 0) {
            court.verdict(core, _docket(r), _panel(core), new Answer[](0)); // nobody was eligible
            _remember(core, r, panel, word, 0);
            return;
        }
        uint256 seats = CaseWord.seats(word);
        uint256 seat = choice % seats;
        while (CaseWord.votes(word) >> 2 * seat & 3 != 0) {
            seat = (seat + 1) % seats;
        }
        uint8 outcome = choice / 8 % 3 + 1;
        Answer[] memory answers = new Answer[](1);
        answers[0] = _answer(core, uint8(seat), outcome);
        court.verdict(core, _docket(r), _panel(core), answers);
        _remember(core, r, panel, word, CaseWord.votes(word) | uint256(outcome) << 2 * seat);
    }

    function _silence(DealCore memory core, DealRest memory r, uint256 word) private {
        address[] memory panel = _panels[_id(core)];
        _timeoutVerdict(core, r);
        _remember(core, r, panel, word, CaseWord.votes(word));
    }

    /// @dev Keeps what a ruling that waits says, reckoned from the page and not taken from the Court.
    function _remember(DealCore memory core, DealRest memory r, address[] memory panel, uint256 word, uint256 votes)
        private
    {
        if (_stateOf(core, r) != State.Drawn) return;
        if (CaseWord.phase(market.caseOf(market.termsDigest(core, r))) != CaseWord.RULED) return;
        uint256 needed = r.verdicts == 0 ? 1 : r.verdicts;
        uint256[4] memory count;
        for (uint256 seat; seat < CaseWord.seats(word); ++seat) {
            ++count[votes >> 2 * seat & 3];
        }
        Ruling storage ruling = _rulings[_id(core)];
        ruling.outcome = count[1] >= needed ? 1 : count[2] >= needed ? 2 : 3;
        bool agreed = count[ruling.outcome] >= needed;
        for (uint256 seat; seat < CaseWord.seats(word); ++seat) {
            uint256 vote = votes >> 2 * seat & 3;
            if (agreed ? vote == ruling.outcome : vote != 0) ruling.paid.push(panel[seat]);
        }
        ruling.each = uint64(AUDIT_FEE / (agreed ? ruling.paid.length : 2 * needed - 1));
    }

    function pass(uint16 passed) external {
        vm.warp(block.timestamp + passed % 400);
    }

    function deposit(uint64 amount, bool asProvider) external {
        vault.deposit(asProvider ? provider : creator, amount % FUNDS);
        _paidIn += amount % FUNDS;
    }

    function withdraw(uint64 amount, bool asProvider) external {
        address who = asProvider ? provider : creator;
        amount = amount % (_free(who) + 1);
        vm.prank(who);
        vault.withdraw(stranger, amount);
        _takenOut += amount;
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
        r.verdicts = uint8(_variants[deal] >> 3 & 3);
        if (_variants[deal] & 32 == 32) r.appealSeconds = 300;
    }

    function solvent() external view {
        _expectSolvent();
    }

    /// @dev Whatever creator, provider, mediators and a challenger do together: nobody but them pays for it. They
    /// never have more than they brought, mediators together no more than their fees, and creator and provider
    /// gain nothing but what silent mediators lost.
    function coalitionGainsNothing() external {
        uint64 pool = vault.pool();
        uint64 solverFree = _free(solver);
        isTrue(pool >= _poolBefore, "the pool never pays");
        isTrue(solverFree >= _solverBefore, "nor does the solver");
        (_poolBefore, _solverBefore) = (pool, solverFree);
        uint256 parties = _all(creator) + _all(provider) + _takenOut;
        uint256 mediators;
        for (uint256 i; i < 3; ++i) {
            mediators += _all(vm.addr(MEDIATOR_KEY + i));
        }
        isTrue(parties + mediators <= uint256(_paidIn) + 33 * MIN_BOND, "all of them together");
        isTrue(mediators <= 33 * MIN_BOND + _challenged * AUDIT_FEE, "mediators earn their fees at most");
        uint256 lost = mediators < 33 * MIN_BOND ? 33 * MIN_BOND - mediators : 0;
        isTrue(parties <= uint256(_paidIn) + lost, "parties gain what mediators lost at most");
    }

    function _all(address who) private view returns (uint256) {
        Account memory a = vault.account(who);
        return uint256(a.free) + a.locked + a.bond + a.unbonding;
    }

    /// @dev Every nLILY in escrow belongs to exactly one live deal, or is the stake of an appeal.
    function escrowsAddUp() external view {
        uint256 sum;
        uint256 staked;
        for (uint256 i; i < _cores.length; ++i) {
            DealCore memory core = _cores[i];
            State state = _stateOf(core, rest(i));
            if (state == State.None || state >= State.Settled) continue;
            sum += uint256(core.price) + core.fee + core.reserve + core.collateral;
            if (state < State.Challenged) continue;
            uint64 costs = CLAIM_FEE + AUDIT_FEE;
            if (costs > core.reserve) sum += costs - core.reserve;
            address appellant = _rulings[_id(core)].appellant;
            if (appellant == provider) sum += MIN_BOND;
            if (appellant == creator) staked += MIN_BOND;
        }
        eq(vault.account(creator).locked, staked, "a creator's locked is its appeals");
        eq(vault.account(provider).locked, sum, "locked is the sum of live escrows");
    }

    /// @dev Every lock can be released by somebody who is no party, once time has passed.
    function releaseAll() external {
        vm.warp(block.timestamp + 100 * UNBONDING);
        for (uint256 i; i < _cores.length; ++i) {
            DealCore memory core = _cores[i];
            DealRest memory r = rest(i);
            State state = _stateOf(core, r);
            if (state == State.Drawn) {
                _end(core, r);
                continue;
            }
            vm.startPrank(address(0xdead));
            if (state == State.Open) market.refund(core, r);
            else if (state == State.Submitted) market.finalize(core, r);
            else if (state == State.Challenged) court.timeoutReveal(core, _docket(r));
            vm.stopPrank();
        }
        eq(vault.account(creator).locked, 0, "no stake left");
        eq(vault.account(provider).locked, 0, "everything released");
        _expectSolvent();
    }

    /// @dev Nobody but a stranger acts any more.
    function _end(DealCore memory core, DealRest memory r) private {
        while (_stateOf(core, r) == State.Drawn) {
            uint256 word = market.caseOf(market.termsDigest(core, r));
            vm.startPrank(address(0xdead));
            if (CaseWord.phase(word) == CaseWord.SITTING) _silence(core, r, word);
            else court.conclude(core, _docket(r), _rulings[_id(core)]);
            vm.stopPrank();
            vm.warp(block.timestamp + 100 * UNBONDING);
        }
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
