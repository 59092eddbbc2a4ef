// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Fixture.sol";
import {ICourtEvents} from "../src/interfaces/ICourtEvents.sol";
import {IMarket} from "../src/interfaces/IMarket.sol";

/// @dev Drives the contracts by protocol/vectors/deal-states.json: every row happens, and every
/// pair of chain state and event that no row names is refused because of the state.
contract StatesTest is Fixture {
    string[13] private _chainEvents = [
        "opened",
        "submitted",
        "settled",
        "audited",
        "finalized",
        "challenged",
        "revealed",
        "refunded",
        "timedOut",
        "ruledCorrect",
        "ruledWrong",
        "ruledInconclusive",
        "nullified"
    ];
    string[10] private _states = [
        "None",
        "Open",
        "Submitted",
        "Challenged",
        "Drawn",
        "Settled",
        "Refunded",
        "TimedOut",
        "MediationAccepted",
        "MediationRejected"
    ];

    function test_everyRowOfTheVectorsHappens() public {
        (string[] memory from, string[] memory events, string[] memory to) = _rows();
        uint256 seen;
        for (uint256 i; i < from.length; ++i) {
            if (bytes(from[i]).length == 0) continue; // between the parties
            ++seen;
            uint256 snapshot = vm.snapshotState();
            this.bring(_stateNamed(from[i]));
            this.act(events[i], _stateNamed(from[i]));
            eq(_stateOf(_core(1), _rest()), _stateNamed(to[i]));
            _expectSolvent();
            vm.revertToState(snapshot);
        }
        isTrue(seen >= 20, "rows on chain");
    }

    function test_whatNoRowNamesIsRefused() public {
        (string[] memory from, string[] memory events,) = _rows();
        uint256 refused;
        for (uint256 s; s < _states.length; ++s) {
            for (uint256 e; e < _chainEvents.length; ++e) {
                if (_same(_chainEvents[e], "nullified")) continue; // touches no open deal: Direct.t.sol
                if (_named(from, events, _states[s], _chainEvents[e])) continue;
                uint256 snapshot = vm.snapshotState();
                this.bring(State(s));
                // Both calls an event may stand for must be refused.
                for (uint256 variant; variant < 2; ++variant) {
                    State assumed = variant == 0 ? State.Open : State.Challenged;
                    if (variant == 1 && _same(_chainEvents[e], "refunded")) assumed = State.Drawn;
                    (bool done, bytes memory reason) =
                        address(this).call(abi.encodeCall(this.act, (_chainEvents[e], assumed)));
                    isTrue(!done, string.concat(_states[s], " ", _chainEvents[e]));
                    _expectStateError(reason, string.concat(_states[s], " ", _chainEvents[e]));
                    ++refused;
                }
                vm.revertToState(snapshot);
            }
        }
        isTrue(refused >= 150, "refusals");
    }

    /// @dev Brings deal 1 into a state. External, so that a failure is one call's.
    function bring(State state) external {
        DealCore memory core = _core(1);
        DealRest memory rest = _rest();
        if (state == State.None) return;
        _open(core, rest);
        vm.warp(START + 10);
        if (state == State.Open) return;
        if (state == State.Settled) _settle(core, rest);
        if (state == State.Submitted) _submit(core, rest);
        if (state == State.Refunded) this.act("refunded", State.Open);
        if (state == State.TimedOut) this.act("timedOut", State.Open);
        if (state == State.Challenged || state == State.Drawn || state >= State.MediationAccepted) {
            _challenge(core, rest);
        }
        if (state == State.Drawn || state >= State.MediationAccepted) _reveal(core, rest);
        if (state == State.MediationAccepted) _verdict(core, rest, 1);
        if (state == State.MediationRejected) _verdict(core, rest, 2);
    }

    /// @dev Does what an event names; `from` tells two calls with one name apart.
    function act(string calldata name, State from) external {
        DealCore memory core = _core(1);
        DealRest memory rest = _rest();
        if (_same(name, "opened")) {
            vm.warp(START); // so that openBy is never the reason
            _open(core, rest);
        } else if (_same(name, "submitted")) {
            _submit(core, rest);
        } else if (_same(name, "settled")) {
            _settle(core, rest);
        } else if (_same(name, "audited")) {
            _audited(core, rest);
        } else if (_same(name, "finalized")) {
            vm.warp(START + 10 + 401);
            market.finalize(core, rest);
        } else if (_same(name, "challenged")) {
            _challenge(core, rest);
        } else if (_same(name, "revealed")) {
            _reveal(core, rest);
        } else if (_same(name, "refunded")) {
            vm.warp(START + 901);
            if (from == State.Drawn) _exhaust(core, rest);
            else market.refund(core, rest);
        } else if (_same(name, "timedOut")) {
            vm.warp(START + 10 + 501);
            if (from == State.Challenged) court.timeoutReveal(core, _docket(rest));
            else _timeoutSubmit(core, rest);
        } else if (_same(name, "ruledCorrect")) {
            _rule(core, rest, 1);
        } else if (_same(name, "ruledWrong")) {
            _rule(core, rest, 2);
        } else if (_same(name, "ruledInconclusive")) {
            _rule(core, rest, 3);
        } else if (_same(name, "nullified")) {
            market.nullify(creator, 1, _nullification(CREATOR_KEY, 1));
        } else {
            revert(name);
        }
    }

    function _rows() private view returns (string[] memory from, string[] memory events, string[] memory to) {
        string memory json = vm.readFile("protocol/vectors/deal-states.json");
        uint256 count;
        while (vm.keyExistsJson(json, _row(count))) ++count;
        (from, events, to) = (new string[](count), new string[](count), new string[](count));
        for (uint256 i; i < count; ++i) {
            from[i] = vm.parseJsonString(json, string.concat(_row(i), ".chainState"));
            events[i] = vm.parseJsonString(json, string.concat(_row(i), ".event"));
            to[i] = vm.parseJsonString(json, string.concat(_row(i), ".chainNext"));
        }
    }

    function _row(uint256 i) private pure returns (string memory) {
        return string.concat("$[", vm.toString(i), "]");
    }

    function _rule(DealCore memory core, DealRest memory rest, uint8 outcome) private {
        _verdict(core, rest, outcome);
    }

    function _audited(DealCore memory core, DealRest memory rest) private {
        Verdict memory v = Verdict(_id(core), MANIFEST, 1, 0);
        uint256 key = _keyOf(court.drawAudit(core, _list(), SALT_C, SALT_P));
        court.settleAudited(
            core, rest, _list(), SALT_C, SALT_P, v, _signVerdict(key, v), _acceptance(CREATOR_KEY, core, MANIFEST)
        );
    }

    function _expectStateError(bytes memory reason, string memory what) private pure {
        bytes4 selector = bytes4(reason);
        isTrue(
            selector == IMarket.WrongState.selector || selector == IMarket.UnknownDeal.selector
                || selector == IMarket.Nullified.selector || selector == ICourtEvents.NotDisputable.selector,
            what
        );
    }

    /// @dev An audited settlement is the event "settled", except that no dispute may be settled so.
    function _named(string[] memory from, string[] memory events, string memory state, string memory name_)
        private
        pure
        returns (bool)
    {
        bool audited = _same(name_, "audited");
        if (audited && _same(state, "Challenged")) return false;
        string memory wanted = audited ? "settled" : name_;
        for (uint256 i; i < from.length; ++i) {
            if (_same(from[i], state) && _same(events[i], wanted)) return true;
        }
        return false;
    }

    function _stateNamed(string memory name_) private view returns (State) {
        for (uint256 i; i < _states.length; ++i) {
            if (_same(_states[i], name_)) return State(i);
        }
        revert(name_);
    }

    function _same(string memory a, string memory b) private pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }
}
