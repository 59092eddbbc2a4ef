// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./VoucherFixture.sol";

/// @dev The gas of what channels cost, to the unit: calls alone.
contract VoucherGasTest is VoucherFixture {
    uint256 private constant _RESERVE = 74213;
    uint256 private constant _REDEEM = 12072;
    uint256 private constant _CLOSE_BY_PAYEE = 15188;

    function test_channelsCostWhatTheSnapshotSays() public {
        uint256[3] memory gas;
        Reservation memory r = _reservation(100 * LILY, 1);
        bytes memory ofPayer = _signReservation(CREATOR_KEY, r);
        uint256 before = gasleft();
        vouchers.reserve(r, ofPayer);
        gas[0] = before - gasleft();
        _redeem(LILY);
        Voucher memory v = Voucher(creator, provider, 1, 2 * LILY);
        Signature memory word = _signVoucher(HOT_KEY, v);
        before = gasleft();
        vouchers.redeem(v, word);
        gas[1] = before - gasleft();
        bytes memory ofPayee = _signEnd(PROVIDER_KEY, "Close", creator, provider, 1);
        before = gasleft();
        vouchers.close(creator, provider, 1, ofPayee);
        gas[2] = before - gasleft();
        if (gas[0] != _RESERVE || gas[1] != _REDEEM || gas[2] != _CLOSE_BY_PAYEE) revert Gas(gas[0], gas[1], gas[2]);
    }

    error Gas(uint256 reserve, uint256 redeem, uint256 close);
}
