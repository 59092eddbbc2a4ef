// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./VoucherFixture.sol";

/// @dev Random traffic over the channels of three accounts, each with each. What it does never reverts; what
/// must be refused is tried and must fail. Each pair's honest sum is kept on the side.
contract VoucherHandler is VoucherFixture {
    struct Pair {
        uint64 nonce;
        uint64 highest; // voucher signed in this channel
        uint64 reserved;
        uint64 paid;
        uint64 until;
        bool isClosing;
    }

    address[3] private _who;
    mapping(address payer => mapping(address payee => Pair)) private _pairs;
    mapping(address who => int256) private _change; // what its money should have changed by

    error Succeeded(string what);

    constructor() {
        Fixture.setUp();
        vault.deposit(stranger, FUNDS);
        _who = [creator, provider, stranger];
    }

    // ---- actions ----

    function reserve(uint8 pair, uint64 amount, uint32 life) external {
        (address payer, address payee, Pair storage p) = _pair(pair);
        amount = amount % (_free(payer) / 2 + 1);
        Reservation memory r = Reservation(payer, payee, hot, amount, p.nonce + 1, 0, CLOSE);
        r.expiry = uint64(block.timestamp) + life % (4 * CLOSE) + 1;
        if (p.until != 0) {
            if (p.isClosing || block.timestamp > p.until) return;
            (r.nonce, r.amount) = (p.nonce, p.reserved + amount);
            if (r.expiry < p.until) r.expiry = p.until;
            if (amount == 0 && r.expiry == p.until) return;
        } else if (amount == 0) {
            return;
        } else {
            delete _pairs[payer][payee];
            p.nonce = r.nonce;
        }
        _reserve(r);
        (p.reserved, p.until) = (r.amount, r.expiry);
    }

    function redeem(uint8 pair, uint64 amount, bool old) external {
        (address payer, address payee, Pair storage p) = _pair(pair);
        Voucher memory v = Voucher(payer, payee, p.nonce, amount % (2 * p.reserved + 1));
        uint64 target = v.amount < p.reserved ? v.amount : p.reserved;
        if (old && p.nonce > 0) --v.nonce;
        if (v.nonce != p.nonce || p.until == 0 || block.timestamp > p.until || target <= p.paid) {
            try this.tryRedeem(v) {
                revert Succeeded("redeem");
            } catch {
                return;
            }
        }
        _redeem(HOT_KEY, v);
        if (v.amount > p.highest) p.highest = v.amount;
        _change[payee] += int256(uint256(target - p.paid));
        _change[payer] -= int256(uint256(target - p.paid));
        p.paid = target;
    }

    function startClose(uint8 pair) external {
        (address payer, address payee, Pair storage p) = _pair(pair);
        if (p.until == 0 || p.isClosing || block.timestamp > p.until) return;
        vm.prank(payer);
        vouchers.startClose(payer, payee, p.nonce, "");
        p.isClosing = true;
        if (block.timestamp + CLOSE < p.until) p.until = uint64(block.timestamp) + CLOSE;
    }

    function close(uint8 pair, bool byPayee) external {
        (address payer, address payee, Pair storage p) = _pair(pair);
        if (p.until == 0) return;
        vm.prank(byPayee ? payee : address(0xdead));
        if (byPayee || block.timestamp > p.until) {
            vouchers.close(payer, payee, p.nonce, "");
            p.until = 0;
        } else {
            try vouchers.close(payer, payee, p.nonce, "") {
                revert Succeeded("close");
            } catch {}
        }
    }

    function withdraw(uint8 who, uint64 amount) external {
        address account = _who[who % 3];
        amount = amount % (_free(account) / 4 + 1);
        vm.prank(account);
        vault.withdraw(account, amount);
        _change[account] -= int256(uint256(amount));
    }

    function pass(uint16 seconds_) external {
        vm.warp(block.timestamp + seconds_ % (2 * CLOSE));
    }

    // ---- for the invariants ----

    function check() external view {
        _expectSolvent();
        for (uint256 i; i < 3; ++i) {
            uint256 left;
            for (uint256 j; j < 3; ++j) {
                Pair storage p = _pairs[_who[i]][_who[j]];
                isTrue(p.paid <= p.reserved && p.paid <= p.highest, "no more than reserved or signed");
                if (p.until != 0) left += p.reserved - p.paid;
            }
            eq(_locked(_who[i]), left, "a payer's locked is what is left of its channels");
            Account memory a = vault.account(_who[i]);
            int256 all = int256(uint256(a.free) + a.locked);
            isTrue(all == int256(uint256(FUNDS)) + _change[_who[i]], "nobody's money moves but by vouchers");
        }
    }

    /// @dev Somebody who is no party can end every channel.
    function endAll() external {
        vm.warp(block.timestamp + 365 days);
        for (uint8 pair; pair < 6; ++pair) {
            this.close(pair, false);
        }
        for (uint256 i; i < 3; ++i) {
            eq(_locked(_who[i]), 0, "everything came out");
        }
        this.check();
    }

    function tryRedeem(Voucher memory v) external {
        _redeem(HOT_KEY, v);
    }

    function _pair(uint8 pair) private view returns (address payer, address payee, Pair storage p) {
        payer = _who[pair % 3];
        payee = _who[(pair % 3 + 1 + pair / 3 % 2) % 3];
        p = _pairs[payer][payee];
    }
}
