// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Fixture.sol";
import {Channel, Reservation, Voucher} from "../src/interfaces/IVouchers.sol";

/// @dev A payer (the creator), a payee (the provider), and builders for what they sign.
abstract contract VoucherFixture is Fixture {
    uint256 internal constant HOT_KEY = 0x407;
    uint32 internal constant CLOSE = 1 hours;

    address internal hot = vm.addr(HOT_KEY); // signs the payer's vouchers

    function _reservation(uint64 amount, uint64 nonce) internal view returns (Reservation memory) {
        return Reservation(creator, provider, hot, amount, nonce, uint64(block.timestamp) + 1 days, CLOSE);
    }

    function _reserve(Reservation memory r) internal {
        vm.prank(r.payer);
        vouchers.reserve(r, "");
    }

    function _signVoucher(uint256 key, Voucher memory v) internal view returns (Signature memory) {
        return _signStruct(
            key, abi.encode(keccak256("Voucher(address payer,address payee,uint64 nonce,uint64 amount)"), v)
        );
    }

    function _redeem(uint256 key, Voucher memory v) internal {
        vouchers.redeem(v, _signVoucher(key, v));
    }

    function _redeem(uint64 amount) internal {
        _redeem(HOT_KEY, Voucher(creator, provider, 1, amount));
    }

    function _signReservation(uint256 key, Reservation memory r) internal view returns (bytes memory) {
        return _bytes(
            key,
            abi.encode(
                keccak256(
                    "Reservation(address payer,address payee,address signer,uint64 amount,uint64 nonce,uint64 expiry,uint32 closeSeconds)"
                ),
                r
            )
        );
    }

    function _signEnd(uint256 key, string memory name, address payer, address payee, uint64 nonce)
        internal
        view
        returns (bytes memory)
    {
        bytes32 typeHash = keccak256(bytes(string.concat(name, "(address payer,address payee,uint64 nonce)")));
        return _bytes(key, abi.encode(typeHash, payer, payee, nonce));
    }

    /// @dev As an account signs: 65 bytes.
    function _bytes(uint256 key, bytes memory encoded) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, market.digest(keccak256(encoded)));
        return abi.encodePacked(r, s, v);
    }

    function _channel() internal view returns (Channel memory) {
        return vouchers.channelOf(creator, provider);
    }

    function _locked(address who) internal view returns (uint64) {
        return vault.account(who).locked;
    }
}
