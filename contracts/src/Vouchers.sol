// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Channel, IVouchers, Reservation, Voucher} from "./interfaces/IVouchers.sol";
import {Signature} from "./libraries/DealTypes.sol";
import {Domain} from "./libraries/Domain.sol";
import {SignedBy} from "./libraries/SignedBy.sol";
import {Relayed} from "./Relayed.sol";

/// @title Channels of a payer and a payee, and the vouchers that are paid from them
/// @dev Holds no tokens: what is reserved stands in the payer's `locked` in the Vault. `multicall` redeems
/// the vouchers of many payers in one transaction, or redeems and closes.
contract Vouchers is IVouchers, Relayed, SignedBy, Multicall {
    /// @notice Least of `closeSeconds`: no channel ends before its payee can have looked.
    uint32 public constant MIN_CLOSE = 10 minutes;
    /// @notice Most of it: nobody's money waits longer for somebody else's silence.
    uint32 public constant MAX_CLOSE = 30 days;

    bytes32 private constant _RESERVATION_TYPEHASH = keccak256(
        "Reservation(address payer,address payee,address signer,uint64 amount,uint64 nonce,uint64 expiry,uint32 closeSeconds)"
    );
    bytes32 private constant _VOUCHER_TYPEHASH =
        keccak256("Voucher(address payer,address payee,uint64 nonce,uint64 amount)");
    bytes32 private constant _START_CLOSE_TYPEHASH =
        keccak256("StartClose(address payer,address payee,uint64 nonce)");
    bytes32 private constant _CLOSE_TYPEHASH = keccak256("Close(address payer,address payee,uint64 nonce)");

    IVault public immutable VAULT;

    mapping(address payer => mapping(address payee => Channel)) private _channels;

    /// @dev Refuses a set that does not fit together.
    constructor(IVault vault) Relayed(vault.MARKET()) {
        if (vault.VOUCHERS() != address(this)) revert BadVouchers();
        VAULT = vault;
    }

    /// @inheritdoc IVouchers
    function reserve(Reservation calldata r, bytes calldata signature) external {
        Channel memory c = _channels[r.payer][r.payee];
        if (
            r.payee == address(0) || r.payee == r.payer || r.signer == address(0) || r.expiry <= block.timestamp
                || r.expiry > type(uint32).max || r.closeSeconds < MIN_CLOSE || r.closeSeconds > MAX_CLOSE
        ) revert BadReservation();
        if (c.until == 0) {
            if (r.nonce != c.nonce + 1) revert BadNonce(r.nonce, c.nonce + 1);
            if (r.amount == 0) revert BadReservation();
        } else {
            if (r.nonce != c.nonce) revert BadNonce(r.nonce, c.nonce);
            // What the payer signed before it closed must not open the channel again.
            if (c.isClosing || block.timestamp > c.until) revert TooLate(c.until);
            bool isRaised = r.amount > c.reserved || r.expiry > c.until;
            if (
                !isRaised || r.amount < c.reserved || r.expiry < c.until || r.signer != c.signer
                    || r.closeSeconds != c.closeSeconds
            ) revert BadReservation();
        }
        _requireAccount(r.payer, keccak256(abi.encode(_RESERVATION_TYPEHASH, r)), signature);
        uint64 added = r.amount - c.reserved;
        _channels[r.payer][r.payee] = Channel(r.nonce, r.amount, c.paid, r.expiry, r.signer, r.closeSeconds, false);
        emit Reserved(r.payer, r.payee, r.nonce, r.signer, added, r.amount, r.expiry, r.closeSeconds);
        VAULT.stake(r.payer, added);
    }

    /// @inheritdoc IVouchers
    function redeem(Voucher calldata v, Signature calldata signature) external {
        Channel storage c = _live(v.payer, v.payee, v.nonce);
        if (block.timestamp > c.until) revert TooLate(c.until);
        bytes32 hash = keccak256(abi.encode(_VOUCHER_TYPEHASH, v));
        _requireSignedBy(c.signer, Domain.digest(Domain.separator(MARKET), hash), signature);
        uint64 paid = v.amount < c.reserved ? v.amount : c.reserved;
        if (paid <= c.paid) revert NothingToRedeem(c.paid);
        uint64 amount = paid - c.paid;
        c.paid = paid;
        emit Redeemed(v.payer, v.payee, v.nonce, amount, paid);
        uint256[] memory to = new uint256[](1);
        to[0] = uint256(amount) << 168 | uint160(v.payee);
        VAULT.payBatch(v.payer, 0, to);
    }

    /// @inheritdoc IVouchers
    function startClose(address payer, address payee, uint64 nonce, bytes calldata signature) external {
        Channel storage c = _live(payer, payee, nonce);
        if (c.isClosing || block.timestamp > c.until) revert TooLate(c.until);
        _requireAccount(payer, keccak256(abi.encode(_START_CLOSE_TYPEHASH, payer, payee, nonce)), signature);
        c.isClosing = true;
        uint64 end = uint64(block.timestamp) + c.closeSeconds;
        if (end < c.until) c.until = end;
        emit Closing(payer, payee, nonce, c.until);
    }

    /// @inheritdoc IVouchers
    function close(address payer, address payee, uint64 nonce, bytes calldata signature) external {
        Channel memory c = _live(payer, payee, nonce);
        if (block.timestamp <= c.until) {
            _requireAccount(payee, keccak256(abi.encode(_CLOSE_TYPEHASH, payer, payee, nonce)), signature);
        }
        _channels[payer][payee] = Channel(nonce, 0, 0, 0, address(0), 0, false);
        uint64 rest = c.reserved - c.paid;
        emit Closed(payer, payee, nonce, rest);
        VAULT.payBatch(payer, rest, new uint256[](0));
    }

    /// @inheritdoc IVouchers
    function channelOf(address payer, address payee) external view returns (Channel memory) {
        return _channels[payer][payee];
    }

    /// @dev The pair's live channel of this nonce.
    function _live(address payer, address payee, uint64 nonce) private view returns (Channel storage c) {
        c = _channels[payer][payee];
        if (c.until == 0) revert NoChannel();
        if (nonce != c.nonce) revert BadNonce(nonce, c.nonce);
    }

    /// @dev Nobody but the signer that the channel names: a payee must not lose what it holds when a
    /// session ends.
    function _authorised(address, address) internal pure override returns (bool) {
        return false;
    }
}
